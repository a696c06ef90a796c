"""What each side is told of a refusal: one table for Diameter, the transfer layer and SMPP (TS 29.338, TS 23.040)."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulators.smsc.message import End
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause
from simwarden.wire.smpp import MessageState, Status
from simwarden.wire.sms import FailureCause
from simwarden.wire.sms import Status as TpStatus


class Refusal(NamedTuple):
    """The causes of one refusal: on SGd the result and, of a delivery failure, its cause; TP-FCS; command_status."""

    result: ExperimentalResult
    failure: DeliveryFailureCause | None
    tp_cause: FailureCause
    status: Status


_FAILURE: Final = ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE
#: SMS is off for the card
OFF: Final = Refusal(
    ExperimentalResult.DIAMETER_ERROR_SERVICE_NOT_SUBSCRIBED,
    None,
    FailureCause.NO_SC_SUBSCRIPTION,
    Status.ESME_RINVDSTADR,
)
#: the number is not listed for the card
NOT_LISTED: Final = Refusal(
    _FAILURE,
    DeliveryFailureCause.INVALID_SME_ADDRESS,
    FailureCause.DESTINATION_SME_BARRED,
    Status.ESME_RINVDSTADR,
)
#: the code is none of the gateway's
NOT_OWN: Final = Refusal(
    _FAILURE,
    DeliveryFailureCause.INVALID_SME_ADDRESS,
    FailureCause.DESTINATION_SME_BARRED,
    Status.ESME_RINVSRCADR,
)
#: it works on the card itself, and is none of the operator's own
NOT_A_TEXT: Final = Refusal(
    _FAILURE, DeliveryFailureCause.INVALID_SME_ADDRESS, FailureCause.TPDU_NOT_SUPPORTED, Status.ESME_RSUBMITFAIL
)
#: the number is none of a dedicated range, or nobody's
NO_CARD: Final = Refusal(
    _FAILURE, DeliveryFailureCause.USER_NOT_SC_USER, FailureCause.NO_SC_SUBSCRIPTION, Status.ESME_RINVDSTADR
)
#: TP-DA has no digits (TS 23.040 9.1.2.5)
NO_ADDRESS: Final = Refusal(
    _FAILURE, DeliveryFailureCause.INVALID_SME_ADDRESS, FailureCause.INVALID_SME_ADDRESS, Status.ESME_RINVDSTADR
)
#: TP-VP has no time (TS 23.040 9.2.3.12)
NO_VALIDITY: Final = Refusal(
    _FAILURE, DeliveryFailureCause.INVALID_SME_ADDRESS, FailureCause.TP_VP_NOT_SUPPORTED, Status.ESME_RINVEXPIRY
)
#: the quota is used up
USED_UP: Final = Refusal(
    _FAILURE, DeliveryFailureCause.USER_NOT_SC_USER, FailureCause.NO_SC_SUBSCRIPTION, Status.ESME_RSUBMITFAIL
)
#: the message is for another centre
OTHER_CENTRE: Final = Refusal(
    _FAILURE, DeliveryFailureCause.UNKNOWN_SERVICE_CENTRE, FailureCause.SC_SYSTEM_FAILURE, Status.ESME_RSUBMITFAIL
)
#: the centre cannot keep it now
BUSY: Final = Refusal(_FAILURE, DeliveryFailureCause.SC_CONGESTION, FailureCause.SC_BUSY, Status.ESME_RTHROTTLED)
#: the message cannot be read, or is of a kind that the centre does not take
UNREADABLE: Final = Refusal(
    _FAILURE, DeliveryFailureCause.INVALID_SME_ADDRESS, FailureCause.TPDU_NOT_SUPPORTED, Status.ESME_RSUBMITFAIL
)

STATES: Final = {
    End.DELIVERED: (MessageState.DELIVERED, TpStatus.RECEIVED_BY_THE_SME),
    End.EXPIRED: (MessageState.EXPIRED, TpStatus.SM_VALIDITY_PERIOD_EXPIRED),
    End.FORBIDDEN: (MessageState.REJECTED, TpStatus.CONNECTION_REJECTED_BY_SME),
    End.UNDELIVERABLE: (MessageState.UNDELIVERABLE, TpStatus.NOT_OBTAINABLE),
    End.DELETED: (MessageState.DELETED, TpStatus.SM_DELETED_BY_ORIGINATING_SME),
}
"""What a receipt (SMPP 3.4 Appendix B) and a STATUS REPORT say of a message's end."""
