"""From the result of a Diameter answer to the cause that a device is told, as data (TS 29.272 Annex A, TS 23.401)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.codes import ErrorDiagnostic
from simwarden.wire.gtpv2.enums import Cause
from simwarden.wire.nas.enums import EmmCause, EsmCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.diameter import Message

_E, _R, _D, _C = ExperimentalResult, ResultCode, ErrorDiagnostic, EmmCause

#: by Experimental-Result-Code, and by it with an Error-Diagnostic (TS 29.272 Annex A.1)
EXPERIMENTAL_RESULTS: Final[Mapping[str, EmmCause]] = MappingProxyType(
    {
        f"{_E.DIAMETER_ERROR_USER_UNKNOWN}": _C.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED,
        f"{_E.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION}": _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA,
        f"{_E.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION}/{_D.NO_GPRS_DATA_SUBSCRIBED.name}": _C.EPS_SERVICES_NOT_ALLOWED,
        f"{_E.DIAMETER_ERROR_RAT_NOT_ALLOWED}": _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA,
        f"{_E.DIAMETER_ERROR_ROAMING_NOT_ALLOWED}": _C.PLMN_NOT_ALLOWED,
        f"{_E.DIAMETER_ERROR_ROAMING_NOT_ALLOWED}/{_D.ODB_HPLMN_APN.name}": _C.EPS_SERVICES_NOT_ALLOWED_IN_THIS_PLMN,
        f"{_E.DIAMETER_ERROR_ROAMING_NOT_ALLOWED}/{_D.ODB_VPLMN_APN.name}": _C.EPS_SERVICES_NOT_ALLOWED_IN_THIS_PLMN,
        f"{_E.DIAMETER_ERROR_ROAMING_NOT_ALLOWED}/{_D.ODB_ALL_APN.name}": _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA,
        f"{_E.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE}": _C.NETWORK_FAILURE,
    }
)

#: by Result-Code (TS 29.272 Annex A.1). Annex A has 3002 and 3003 as #15, which bars the tracking area in the device
#: though only an agent lost its way to the HSS; they are not here, so that they count as "cannot be reached".
RESULT_CODES: Final[Mapping[str, EmmCause]] = MappingProxyType(
    {
        f"{_R.DIAMETER_AUTHORIZATION_REJECTED}": _C.NO_SUITABLE_CELLS_IN_TRACKING_AREA,
        f"{_R.DIAMETER_UNABLE_TO_COMPLY}": _C.NETWORK_FAILURE,
        f"{_R.DIAMETER_INVALID_AVP_VALUE}": _C.NETWORK_FAILURE,
        f"{_R.DIAMETER_AVP_UNSUPPORTED}": _C.NETWORK_FAILURE,
        f"{_R.DIAMETER_MISSING_AVP}": _C.NETWORK_FAILURE,
        f"{_R.DIAMETER_RESOURCES_EXCEEDED}": _C.NETWORK_FAILURE,
        f"{_R.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES}": _C.NETWORK_FAILURE,
    }
)


#: by the cause of a gateway that refuses a session, as both specifications say what theirs means (TS 29.274 8.4,
#: TS 24.301 Annex B.1); any other is #30
GTP_CAUSES: Final[Mapping[Cause | int, EsmCause]] = MappingProxyType(
    {
        Cause.SYSTEM_FAILURE: EsmCause.NETWORK_FAILURE,
        Cause.REMOTE_PEER_NOT_RESPONDING: EsmCause.NETWORK_FAILURE,
        Cause.INVALID_REPLY_FROM_REMOTE_PEER: EsmCause.NETWORK_FAILURE,
        Cause.NO_RESOURCES_AVAILABLE: EsmCause.INSUFFICIENT_RESOURCES,
        Cause.NO_MEMORY_AVAILABLE: EsmCause.INSUFFICIENT_RESOURCES,
        Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED: EsmCause.INSUFFICIENT_RESOURCES,
        Cause.APN_CONGESTION: EsmCause.INSUFFICIENT_RESOURCES,
        Cause.GTP_C_ENTITY_CONGESTION: EsmCause.INSUFFICIENT_RESOURCES,
        Cause.MISSING_OR_UNKNOWN_APN: EsmCause.MISSING_OR_UNKNOWN_APN,
        Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED: EsmCause.UNKNOWN_PDN_TYPE,
        Cause.USER_AUTHENTICATION_FAILED: EsmCause.USER_AUTHENTICATION_FAILED,
        Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER: EsmCause.USER_AUTHENTICATION_FAILED,
        Cause.SERVICE_NOT_SUPPORTED: EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
        Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION: EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED,
        Cause.CONTEXT_NOT_FOUND: EsmCause.INVALID_EPS_BEARER_IDENTITY,
        Cause.SEMANTIC_ERROR_IN_THE_TAD_OPERATION: EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION,
        Cause.SYNTACTIC_ERROR_IN_THE_TAD_OPERATION: EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION,
        Cause.SEMANTIC_ERRORS_IN_PACKET_FILTERS: EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
        Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS: EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS,
        Cause.DENIED_IN_RAT: EsmCause.REQUESTED_APN_NOT_SUPPORTED_IN_CURRENT_RAT_AND_PLMN_COMBINATION,
    }
)
#: causes by which a rule of a gateway of ours refuses; the others are demanded by the protocol, or say that it failed
DECIDED: Final = frozenset({
    Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION,
    Cause.INVALID_PEER,
    Cause.USER_AUTHENTICATION_FAILED,
    Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rejection:
    """How a procedure of a device is refused: its EMM cause, and what else the message carries.

    `t3346` are seconds for which the device must not try again. `told` means that the device knows already (an
    AUTHENTICATION REJECT went out), so that only the connection is left to end. `temporary` means that a decider was
    silent: a device that is registered stays so, as it believes itself (TS 24.301 5.5.3.2.6, 5.6.1.6), and tries again.
    `clause` is that of the protocol where it demands the rejection (`demands`); else a control decided. `by` is who
    decided or failed (empty: the MME itself). `subject` is the device that was decided about, where it has no context
    yet: an IMSI, or an IMEI.
    """

    emm_cause: EmmCause
    reason: str
    esm_cause: EsmCause | None = None
    t3346: float | None = None
    told: bool = False
    temporary: bool = False
    clause: str = ""
    by: str = ""
    subject: str = ""


#: Result-Codes by which an HSS says that it cannot answer, which is no word on the card
_FAILURES: Final = RESULT_CODES.keys() - {f"{_R.DIAMETER_AUTHORIZATION_REJECTED}"}


def demanded_by(answer: Message) -> str:
    """Return the clause by which a device is rejected where an HSS failed; empty where it judged the card."""
    code = answer.experimental_result
    failed = (
        str(answer.result_code) in _FAILURES if code is None else code == _E.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE
    )
    return "TS 29.272 A.1" if failed else ""


def describe_result(answer: Message) -> str:
    """Name the result of an answer as the specifications do: `Experimental-Result 5001 DIAMETER_ERROR_USER_UNKNOWN`."""
    code = answer.experimental_result
    if code is not None:
        return f"Experimental-Result {code}{_name(ExperimentalResult, code)}"
    return f"Result-Code {answer.result_code}{_name(ResultCode, answer.result_code)}"


def _name(kind: type[ExperimentalResult | ResultCode], code: int | None) -> str:
    return next((f" {member.name}" for member in kind if member == code), "")


class CauseTable:
    """The tables of the specification with what a deployment changes in them."""

    def __init__(self, experimental: Mapping[str, EmmCause], results: Mapping[str, EmmCause]) -> None:
        self._experimental = {**EXPERIMENTAL_RESULTS, **experimental}
        self._results = {**RESULT_CODES, **results}

    def cause_of(self, answer: Message) -> EmmCause | None:
        """Return the cause for an answer that is no success; None if it says nothing about the subscription.

        None is for results that no table has: they count as an HSS that cannot be reached (a temporary cause).
        """
        code = answer.experimental_result
        if code is not None:
            diagnostic = answer.get("Error-Diagnostic")
            named = (
                f"{code}/{ErrorDiagnostic(diagnostic).name}"
                if diagnostic in ErrorDiagnostic.__members__.values()
                else ""
            )
            return self._experimental.get(named) or self._experimental.get(str(code))
        return self._results.get(str(answer.result_code))
