"""What the SSP rejects because the protocol demands it: no control decides, since nobody could have it."""

from __future__ import annotations

from typing import Final

from simwarden.runtime.declare import Demand
from simwarden.wire.dtap import MmCause

_SERVICE: Final = "cm-service-reject"

HELD: Final = Demand(
    "hold-reject", None, "a call is to be held, and no supplementary service is provisioned", "TS 24.083 2.1.1"
)
DIGIT_REJECTED: Final = Demand(
    "start-dtmf-reject", None, "no connected party or digit collection takes a DTMF digit", "TS 24.008 5.5.7"
)
SUPPLEMENTARY: Final = Demand(
    _SERVICE,
    MmCause.SERVICE_OPTION_NOT_SUPPORTED,
    "a connection is asked for supplementary services, as to register a forwarding, or a second call",
    "TS 24.008 4.5.1.1",
)
NOT_REGISTERED: Final = Demand(
    _SERVICE, MmCause.IMSI_UNKNOWN_IN_VLR, "a card that is not registered here calls", "TS 24.008 4.5.1.1"
)
DEMANDS: Final = (HELD, DIGIT_REJECTED, SUPPLEMENTARY, NOT_REGISTERED)
