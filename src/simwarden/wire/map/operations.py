"""The operations of MAP that calls need, and their contexts (TS 29.002 17.2, 17.3, 17.5), all of version 3."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from simwarden.wire.map import arguments as a
from simwarden.wire.map.enums import ErrorCode
from simwarden.wire.tcap.components import Invoke, ReturnResult
from simwarden.wire.tcap.user import MEDIUM, SHORT, Operation, OperationClass, TcUser, operations_in, types_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.asn1 import Record
    from simwarden.wire.tcap.dialogue import Context

_BOTH: Final = OperationClass.SUCCESS_OR_FAILURE

UPDATE_LOCATION: Final = Operation("updateLocation", 2, _BOTH, MEDIUM, a.UpdateLocation, a.UpdateLocationResult)
CANCEL_LOCATION: Final = Operation("cancelLocation", 3, _BOTH, MEDIUM, a.CancelLocation, a.Nothing)
PROVIDE_ROAMING_NUMBER: Final = Operation(
    "provideRoamingNumber", 4, _BOTH, MEDIUM, a.ProvideRoamingNumber, a.ProvideRoamingNumberResult
)
INSERT_SUBSCRIBER_DATA: Final = Operation(
    "insertSubscriberData", 7, _BOTH, MEDIUM, a.InsertSubscriberData, a.InsertSubscriberDataResult
)
DELETE_SUBSCRIBER_DATA: Final = Operation("deleteSubscriberData", 8, _BOTH, MEDIUM, a.DeleteSubscriberData, a.Nothing)
SEND_ROUTING_INFO: Final = Operation("sendRoutingInfo", 22, _BOTH, MEDIUM, a.SendRoutingInfo, a.SendRoutingInfoResult)
CHECK_IMEI: Final = Operation("checkIMEI", 43, _BOTH, SHORT, a.CheckImei, a.CheckImeiResult)

_MAP_AC: Final = (0, 4, 0, 0, 1, 0)
NETWORK_LOC_UP: Final[Context] = (*_MAP_AC, 1, 3)
LOCATION_CANCELLATION: Final[Context] = (*_MAP_AC, 2, 3)
ROAMING_NUMBER_ENQUIRY: Final[Context] = (*_MAP_AC, 3, 3)
LOCATION_INFO_RETRIEVAL: Final[Context] = (*_MAP_AC, 5, 3)
EQUIPMENT_MNGT: Final[Context] = (*_MAP_AC, 13, 3)
SUBSCRIBER_DATA_MNGT: Final[Context] = (*_MAP_AC, 16, 3)

CONTEXTS: Final[Mapping[Context, tuple[Operation, ...]]] = {
    NETWORK_LOC_UP: (UPDATE_LOCATION, INSERT_SUBSCRIBER_DATA),
    LOCATION_CANCELLATION: (CANCEL_LOCATION,),
    ROAMING_NUMBER_ENQUIRY: (PROVIDE_ROAMING_NUMBER,),
    LOCATION_INFO_RETRIEVAL: (SEND_ROUTING_INFO,),
    EQUIPMENT_MNGT: (CHECK_IMEI,),
    SUBSCRIBER_DATA_MNGT: (INSERT_SUBSCRIBER_DATA, DELETE_SUBSCRIBER_DATA),
}
"""Which operations a context has."""


@cache
def _types() -> Mapping[int, tuple[Any, Any]]:
    """Return pycrate's types of arguments and results by operation; loading them takes a while."""
    from pycrate_asn1dir.TCAP_MAP import TCAP_MAP_Messages  # noqa: PLC0415 - heavy

    return types_of(TCAP_MAP_Messages.TCAP_MAP_Message)


MAP_USER: Final = TcUser("map", "MAP", operations_in(globals()), ErrorCode, _types)


def invoke(operation: Operation, argument: Record, *, invoke_id: int) -> Invoke:
    """Make the component that asks for an operation. Raises ValueError."""
    return Invoke(invoke_id, operation.opcode, MAP_USER.encode_argument(operation, argument))


def result(operation: Operation, told: Record | None = None, *, invoke_id: int) -> ReturnResult:
    """Make the component that answers; one without parameters has no code either (Q.773 3.3). Raises ValueError."""
    if told is None:
        return ReturnResult(invoke_id)
    return ReturnResult(invoke_id, operation.opcode, MAP_USER.encode_result(operation, told))


def decode_invoke(component: Invoke) -> tuple[Operation, Any]:
    """Return the operation that a component asks for, and its argument. Raises PeerError."""
    operation = MAP_USER.operation(component.opcode)
    return operation, MAP_USER.decode_argument(operation, component.argument)


def decode_result(operation: Operation, component: ReturnResult) -> Any:
    """Return what answers an operation, None where it says nothing. Raises PeerError."""
    return MAP_USER.decode_result(operation, component.result)
