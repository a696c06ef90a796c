"""One table of refusals: what a platform is told by SMPP and by CMPP, and the SMSC of a card's message."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from simulators.sms_gateway import controls
from simwarden.wire.cmpp import Result
from simwarden.wire.smpp import Status


class Cause(NamedTuple):
    """How one refusal reads in each protocol; `centre` is the answer to a deliver_sm."""

    status: Status
    result: Result
    centre: Status


class Limit(enum.Enum):
    """What is refused for no rule's sake: there is no room, it does not fit, or the database does not take it."""

    QUEUE = "queue"
    LENGTH = "length"
    TWICE = "twice"
    STORE = "store"
    PARAMETER = "parameter"
    DESTINATIONS = "destinations"
    SOURCE = "source"


CAUSES: Final[dict[str | Limit, Cause]] = {
    controls.LIST_AGE.id: Cause(Status.ESME_RSYSERR, Result.FLOW_CONTROL_ERROR, Status.ESME_RX_T_APPN),
    controls.CODE.id: Cause(Status.ESME_RINVSRCADR, Result.SOURCE_ID_ERROR, Status.ESME_RINVDSTADR),
    controls.OWNER.id: Cause(Status.ESME_RINVDSTADR, Result.DESTINATION_TERMINAL_ERROR, Status.ESME_RINVSRCADR),
    controls.LISTED.id: Cause(Status.ESME_RINVDSTADR, Result.DESTINATION_TERMINAL_ERROR, Status.ESME_RINVDSTADR),
    controls.CONTENT.id: Cause(Status.ESME_RSUBMITFAIL, Result.SERVICE_CODE_ERROR, Status.ESME_RX_P_APPN),
    controls.RATE.id: Cause(Status.ESME_RTHROTTLED, Result.FLOW_CONTROL_ERROR, Status.ESME_RX_T_APPN),
    Limit.QUEUE: Cause(Status.ESME_RMSGQFUL, Result.FLOW_CONTROL_ERROR, Status.ESME_RX_T_APPN),
    Limit.LENGTH: Cause(Status.ESME_RINVMSGLEN, Result.MESSAGE_TOO_LONG, Status.ESME_RX_P_APPN),
    Limit.TWICE: Cause(Status.ESME_RSUBMITFAIL, Result.SEQUENCE_REPEATED, Status.ESME_RX_P_APPN),
    Limit.STORE: Cause(Status.ESME_RSYSERR, Result.FLOW_CONTROL_ERROR, Status.ESME_RX_T_APPN),
    Limit.PARAMETER: Cause(Status.ESME_ROPTPARNOTALLWD, Result.MESSAGE_STRUCTURE_ERROR, Status.ESME_RX_P_APPN),
    Limit.SOURCE: Cause(Status.ESME_RSUBMITFAIL, Result.MESSAGE_SOURCE_ERROR, Status.ESME_RX_P_APPN),
    Limit.DESTINATIONS: Cause(Status.ESME_RINVNUMDESTS, Result.DESTINATION_TERMINAL_ERROR, Status.ESME_RX_P_APPN),
}
"""By the id of the control that refuses, or the limit."""
Why = str | Limit
