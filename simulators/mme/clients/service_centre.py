"""The MME's questions to service centres: SGd (TS 29.338 6.2.1), on the connections of its one Diameter node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause
from simwarden.wire.ppsms import RpCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.mme.clients.home import Home
    from simulators.mme.config import MmeConfig
    from simulators.mme.contexts import UeContext
    from simwarden.wire.diameter import Avps, Message
    from simwarden.wire.sms import Address

#: what a device is told of a centre's refusal (TS 29.338 6.3.3.6 to TS 24.011 Annex E-2); of any other that its message
#: was rejected, as of an invalid SME address
_FAILURES: Final[Mapping[int, RpCause]] = {
    DeliveryFailureCause.UNKNOWN_SERVICE_CENTRE: RpCause.UNASSIGNED_NUMBER,
    DeliveryFailureCause.SC_CONGESTION: RpCause.CONGESTION,
    DeliveryFailureCause.USER_NOT_SC_USER: RpCause.UNIDENTIFIED_SUBSCRIBER,
}
_RESULTS: Final[Mapping[int | None, RpCause]] = {
    ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN: RpCause.UNIDENTIFIED_SUBSCRIBER,
    ExperimentalResult.DIAMETER_ERROR_FACILITY_NOT_SUPPORTED: RpCause.REQUESTED_FACILITY_NOT_IMPLEMENTED,
    ExperimentalResult.DIAMETER_ERROR_SERVICE_NOT_SUBSCRIBED: RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED,
    ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED: RpCause.OPERATOR_DETERMINED_BARRING,
}


class Outcome(NamedTuple):
    """What a centre says of a message: the RP cause of a refusal, None for none, and its report."""

    cause: RpCause | None
    report: bytes | None = None
    reason: str = ""


async def forward(home: Home, config: MmeConfig, ue: UeContext, centre: Address, tpdu: bytes) -> Outcome:
    """MO forward short message to the centre that has the address, which the MME has found to be a dedicated one."""
    name = config.sms.centre_at(str(centre))
    address = config.sms.centres[name].removeprefix("+")
    assert ue.subscription is not None  # noqa: S101 - the device is registered
    msisdn = ue.subscription.msisdn
    user: Avps = [("MSISDN", msisdn)] if msisdn else [("User-Name", ue.imsi)]
    avps: Avps = [("SC-Address", address), ("User-Identifier", user), ("SM-RP-UI", tpdu)]
    request = home.node.make("MO-Forward-Short-Message-Request", avps, realm=home.realm, host=home.identity(name))
    try:
        answer = await home.node.ask(name, request)
    except Unreachable as reason:
        # closed, and temporary: the device may try again when the centre is back
        return Outcome(RpCause.NETWORK_OUT_OF_ORDER, None, str(reason))
    return _outcome(answer)


def _outcome(answer: Message) -> Outcome:
    report = answer.get("SM-RP-UI")
    if answer.success:
        return Outcome(None, report)
    failure = answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause")
    if answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE:
        cause = _FAILURES.get(failure, RpCause.SHORT_MESSAGE_TRANSFER_REJECTED)
        return Outcome(cause, report, f"failure cause {failure}")
    result = answer.experimental_result or answer.result_code
    if answer.result_code in (ResultCode.DIAMETER_TOO_BUSY, ResultCode.DIAMETER_UNABLE_TO_DELIVER):
        return Outcome(RpCause.CONGESTION, report, f"result {result}")
    cause = _RESULTS.get(answer.experimental_result, RpCause.NETWORK_OUT_OF_ORDER)
    return Outcome(cause, report, f"result {result}")
