"""SMPP 3.4, between an SMSC and a gateway, and between a gateway and the platforms of its customers."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

SMPP: Final = Family(
    name="smpp",
    title="SMPP",
    reading="simwarden.wire.smpp.reading:Smpp",
    place=95,
    interfaces=(Interface("SMPP", "smpp", Service.STREAM, 2775, spec="SMPP 3.4"),),
    causes=(Causes("simwarden.wire.smpp.enums", "SMPP 3.4"),),
    cause_fields=(CauseField("command_status", "SMPP", range(1)),),
    layers=frozenset({"smpp", "gsm_sms_ud"}),
)
