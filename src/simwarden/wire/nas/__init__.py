"""Non-access-stratum messages of EPS (TS 24.301): mobility management (EMM) and session management (ESM).

`decode` and `encode` handle plain messages; security headers are taken apart by `security_header` and made by
`simwarden.machine.nas_security`.
"""

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
    from simwarden.wire.nas.enums import (
        ACTIVE_FLAG,
        NO_KEY,
        AdditionalUpdateResult,
        AdditionalUpdateType,
        AttachResult,
        AttachType,
        DetachType,
        EmmCause,
        EpsNetworkFeature,
        EsmCause,
        IdentityType,
        MessageType,
        NetworkDetachType,
        PdnType,
        RequestType,
        ServiceType,
        UpdateResult,
        UpdateType,
    )
    from simwarden.wire.nas.message import Message, decode, encode
    from simwarden.wire.nas.protection import (
        NETWORK_PROCESSES,
        NETWORK_PROCESSES_DESPITE_BAD_MAC,
        UE_PROCESSES,
        may_process,
    )
    from simwarden.wire.nas.reading import cause_text, dissect
    from simwarden.wire.nas.security_header import SecuredPdu, SecurityHeaderType, header_type, split

__all__ = [
    "ACTIVE_FLAG",
    "DEACTIVATED",
    "NETWORK_PROCESSES",
    "NETWORK_PROCESSES_DESPITE_BAD_MAC",
    "NO_KEY",
    "UE_PROCESSES",
    "AdditionalUpdateResult",
    "AdditionalUpdateType",
    "AttachResult",
    "AttachType",
    "DetachType",
    "EmmCause",
    "EpsNetworkFeature",
    "EpsQos",
    "EsmCause",
    "IdentityType",
    "Lai",
    "Message",
    "MessageType",
    "MobileIdentity",
    "NasAlgorithms",
    "NetworkDetachType",
    "PdnAddress",
    "PdnType",
    "RequestType",
    "SecuredPdu",
    "SecurityHeaderType",
    "ServiceType",
    "UeNetworkCapability",
    "UeSecurityCapability",
    "UpdateResult",
    "UpdateType",
    "cause_text",
    "decode",
    "dissect",
    "encode",
    "header_type",
    "may_process",
    "split",
]

__getattr__ = offer(__name__, __all__, "elements", "enums", "message", "protection", "security_header", "reading")
