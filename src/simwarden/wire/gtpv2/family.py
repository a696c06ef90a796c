"""GTPv2-C between MME, SGW and PGW."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

_SPEC: Final = "TS 29.274"
GTPV2: Final = Family(
    name="gtpv2",
    title="GTPv2-C",
    reading="simwarden.wire.gtpv2.reading:Gtpv2",
    place=60,
    interfaces=(
        Interface("S11", "gtpv2", Service.DATAGRAMS, 2123, spec=_SPEC),
        Interface("S5-C", "gtpv2", Service.DATAGRAMS, 2123, spec=_SPEC),
    ),
    causes=(Causes("simwarden.wire.gtpv2.enums", _SPEC),),
    cause_fields=(CauseField("cause", "GTP", range(16, 20)),),
    reasons=frozenset(
        {
            "delete-bearer-request",
            "delete-session-request",
            "downlink-data-notification",
            "downlink-data-notification-failure-indication",
        }
    ),
    alters=True,
    layers=frozenset({"gtpv2"}),
)
