"""GTPv2-C, which sets up, changes and ends bearers: S11 and S5 (TS 29.274)."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.gtpv2.codec import (
        GtpError,
        Message,
        UnsupportedVersionError,
        answer_to,
        decode,
        encode,
        failure_of,
        refusal,
        split,
        subject_of,
        version_not_supported,
    )
    from simwarden.wire.gtpv2.enums import *
    from simwarden.wire.gtpv2.ies import network_identifier
    from simwarden.wire.gtpv2.messages import SPECS, Role
    from simwarden.wire.gtpv2.reading import cause_text, dissect
    from simwarden.wire.gtpv2.values import Ambr, Arp, BearerQos, CauseIe, FlowQos, FTeid, IeType, Paa, UeTimeZone, Uli

__getattr__ = offer(__name__, "codec", "enums", "ies", "messages", "reading", "values")
