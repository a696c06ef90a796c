"""SIP, by which calls go to the outside world and come from it."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

TRUNK: Final = "SIP"
"""The reference point: a trunk to other networks."""

SIP: Final = Family(
    name="sip",
    title="SIP",
    reading="simwarden.wire.sip.reading:Sip",
    place=97,
    interfaces=(Interface(TRUNK, "sip", Service.DATAGRAMS, 5060, spec="RFC 3261"),),
    causes=(Causes("simwarden.wire.sip.enums", "RFC 3261"), Causes("simwarden.wire.q850", "Q.850")),
    cause_fields=(CauseField("status", "SIP", range(300)), CauseField("q850_cause", "Q.850", range(16, 17))),
    layers=frozenset({"sip", "sdp"}),
)
