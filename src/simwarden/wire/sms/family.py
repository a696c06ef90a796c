"""TPDUs of short messages (TS 23.040), which RP on NAS and SGd carry."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

TPDU: Final = Family(
    name="tpdu",
    title="SMS TPDU",
    reading="simwarden.wire.sms.reading:Sms",
    place=32,
    causes=(Causes("simwarden.wire.sms.enums", "TS 23.040"),),
    cause_fields=(CauseField("failure_cause", "TP-FCS"), CauseField("status", "TP-Status", range(3))),
    exported=True,
    layers=frozenset({"gsm_sms", "gsm_sms_ud"}),
)
