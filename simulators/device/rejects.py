"""What a UE does on each reject cause, as data: TS 24.301 5.5.1.2.5, 5.5.3.2.5, 5.6.1.5 and 5.5.2.3.2.

`REACTIONS[procedure][cause]` is the table; what is not in it is an abnormal case of the procedure (5.5.1.2.6,
5.5.3.2.6, 5.6.1.6).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from simulators.device.state import EmmState, Procedure, UpdateStatus
from simwarden.wire.nas import EmmCause


class Usim(Enum):
    """For which services a reject makes the card invalid."""

    KEEP = "valid"
    INVALID_FOR_EPS = "invalid-for-eps"
    INVALID = "invalid"


class Forbid(Enum):
    """Which list a reject puts the network or the tracking area on."""

    NOTHING = ""
    PLMN = "forbidden PLMNs"
    PLMN_FOR_GPRS = "forbidden PLMNs for GPRS service"
    AREA_REGIONAL = "forbidden tracking areas for regional provision of service"
    AREA_ROAMING = "forbidden tracking areas for roaming"
    PLMN_FOR_A_WHILE = "PLMN and RAT left alone for a while"


class Next(Enum):
    """What the UE does then."""

    STAY = "stay"
    OTHER_CELL = "search a suitable cell in another tracking area"
    OTHER_PLMN = "select another PLMN"
    ATTACH = "attach again"
    WAIT_T3346 = "wait for T3346"


class Reaction(NamedTuple):
    """What a cause demands. `delete`: GUTI, last visited TAI, TAI list and key set identifier go."""

    status: UpdateStatus | None
    state: EmmState
    delete: bool = True
    usim: Usim = Usim.KEEP
    forbid: Forbid = Forbid.NOTHING
    then: Next = Next.STAY


_EU2, _EU3 = UpdateStatus.EU2_NOT_UPDATED, UpdateStatus.EU3_ROAMING_NOT_ALLOWED
_S = EmmState
_C = EmmCause

_CARD = Reaction(_EU3, _S.DEREGISTERED, usim=Usim.INVALID)
_CARD_EPS = Reaction(_EU3, _S.DEREGISTERED, usim=Usim.INVALID_FOR_EPS)
_PLMN = Reaction(_EU3, _S.PLMN_SEARCH, forbid=Forbid.PLMN, then=Next.OTHER_PLMN)
_PLMN_GPRS = Reaction(_EU3, _S.PLMN_SEARCH, forbid=Forbid.PLMN_FOR_GPRS, then=Next.OTHER_PLMN)
_REGIONAL = Reaction(_EU3, _S.LIMITED_SERVICE, forbid=Forbid.AREA_REGIONAL, then=Next.OTHER_CELL)
_ROAMING = Reaction(_EU3, _S.PLMN_SEARCH, forbid=Forbid.AREA_ROAMING, then=Next.OTHER_PLMN)
_NO_CELLS = Reaction(_EU3, _S.LIMITED_SERVICE, forbid=Forbid.AREA_ROAMING, then=Next.OTHER_CELL)
_CSG = Reaction(_EU3, _S.LIMITED_SERVICE, delete=False, then=Next.OTHER_CELL)
_SEVERE = Reaction(_EU2, _S.PLMN_SEARCH, forbid=Forbid.PLMN_FOR_A_WHILE, then=Next.OTHER_PLMN)

_COMMON: dict[int, Reaction] = {
    _C.ILLEGAL_UE: _CARD,
    _C.ILLEGAL_ME: _CARD,
    _C.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED: _CARD,
    _C.EPS_SERVICES_NOT_ALLOWED: _CARD_EPS,
    _C.PLMN_NOT_ALLOWED: _PLMN,
    _C.REQUESTED_SERVICE_OPTION_NOT_AUTHORIZED_IN_THIS_PLMN: _PLMN,
    _C.TRACKING_AREA_NOT_ALLOWED: _REGIONAL,
    _C.ROAMING_NOT_ALLOWED_IN_THIS_TRACKING_AREA: _ROAMING,
    _C.EPS_SERVICES_NOT_ALLOWED_IN_THIS_PLMN: _PLMN_GPRS,
    _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA: _NO_CELLS,
    _C.NOT_AUTHORIZED_FOR_THIS_CSG: _CSG,
}

# A registered UE keeps its GUTI on #13 and #15, and may go on elsewhere by tracking area update.
_REGISTERED: dict[int, Reaction] = {
    _C.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK: Reaction(_EU2, _S.DEREGISTERED, then=Next.ATTACH),
    _C.IMPLICITLY_DETACHED: Reaction(None, _S.DEREGISTERED, delete=False, then=Next.ATTACH),
    _C.NO_EPS_BEARER_CONTEXT_ACTIVATED: Reaction(None, _S.DEREGISTERED, delete=False, then=Next.ATTACH),
    _C.ROAMING_NOT_ALLOWED_IN_THIS_TRACKING_AREA: Reaction(
        _EU3, _S.REGISTERED_PLMN_SEARCH, delete=False, forbid=Forbid.AREA_ROAMING, then=Next.OTHER_PLMN
    ),
    _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA: Reaction(
        _EU3, _S.REGISTERED_LIMITED_SERVICE, delete=False, forbid=Forbid.AREA_ROAMING, then=Next.OTHER_CELL
    ),
    _C.NOT_AUTHORIZED_FOR_THIS_CSG: _CSG._replace(state=_S.REGISTERED_LIMITED_SERVICE),
    _C.SEVERE_NETWORK_FAILURE: _SEVERE,
}

REACTIONS: dict[Procedure, dict[int, Reaction]] = {
    # 5.5.1.2.5
    Procedure.ATTACH: _COMMON
    | {
        _C.CONGESTION: Reaction(_EU2, _S.ATTEMPTING_TO_ATTACH, delete=False, then=Next.WAIT_T3346),
        _C.SEVERE_NETWORK_FAILURE: _SEVERE,
    },
    # 5.5.3.2.5
    Procedure.TRACKING_AREA_UPDATE: _COMMON
    | _REGISTERED
    | {_C.CONGESTION: Reaction(_EU2, _S.ATTEMPTING_TO_UPDATE, delete=False, then=Next.WAIT_T3346)},
    # 5.6.1.5
    Procedure.SERVICE_REQUEST: _COMMON
    | _REGISTERED
    | {_C.CONGESTION: Reaction(None, _S.REGISTERED, delete=False, then=Next.WAIT_T3346)},
    # 5.5.2.3.2, the network's DETACH REQUEST with "re-attach not required"
    Procedure.DETACH: dict(_COMMON),
}

_HARMLESS = Usim.KEEP, Forbid.NOTHING
UNPROTECTED = frozenset(cause for cause, each in _COMMON.items() if (each.usim, each.forbid) != _HARMLESS)
"""Causes that lock a UE out, and so start T3247 when they come without integrity protection (5.3.7b)."""

AT_ONCE = frozenset({95, 96, 97, 99, 111})
"""Causes on which the attempt counter is set to 5 (5.5.1.2.6 d, 5.5.3.2.6 d)."""
