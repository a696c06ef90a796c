"""Non-access-stratum messages of EPS (TS 24.301): mobility management (EMM) and session management (ESM).

`decode` and `encode` handle plain messages; security headers are taken apart by `security_header` and made by
`simwarden.machine.nas_security`.
"""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.nas.elements import (
        DEACTIVATED,
        EpsQos,
        Lai,
        MobileIdentity,
        NasAlgorithms,
        PdnAddress,
        UeNetworkCapability,
        UeSecurityCapability,
    )
    from simwarden.wire.nas.enums import *
    from simwarden.wire.nas.message import Message, decode, encode
    from simwarden.wire.nas.protection import ue_may_process
    from simwarden.wire.nas.reading import dissect
    from simwarden.wire.nas.security_header import SecurityHeaderType, header_type, split

__getattr__ = offer(__name__, "elements", "enums", "message", "protection", "security_header", "reading")
