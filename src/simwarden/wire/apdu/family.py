"""Cards: what goes over the contacts between a terminal and a UICC."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Family, Interface, Service

CONTACTS: Final = "ME-UICC"
"""The reference point between terminal and card."""

APDU: Final = Family(
    name="apdu",
    title="APDU",
    reading="simwarden.wire.apdu.reading:Apdu",
    place=0,
    interfaces=(Interface(CONTACTS, "apdu", Service.MESSAGES, 35963, spec="TS 102.221, TS 31.102"),),
    cause_fields=(CauseField("status", "SW"),),
    telling=(
        frozenset({"authenticate", "terminal-response", "verify-pin"}),
        frozenset({"proactive_command", "res", "auts"}),
    ),
    access=True,
    contacts=True,
    exported=True,
    paired=True,
    layers=frozenset({"gsm_sim", "etsi_cat", "exported_pdu", "gsm_sms", "gsm_sms_ud"}),
)
