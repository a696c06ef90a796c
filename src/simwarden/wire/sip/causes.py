"""What Q.850 and SIP say of one another (RFC 3398 7.2.4.1, 8.2.6.1), and the Reason header (RFC 3326, RFC 6432)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simwarden.wire.q850 import CauseValue as C
from simwarden.wire.sip.enums import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.sip.message import Message

_STATUSES: Final[Mapping[int, Status]] = {
    C.UNALLOCATED_NUMBER: Status.NOT_FOUND,
    C.NO_ROUTE_TO_TRANSIT_NETWORK: Status.NOT_FOUND,
    C.NO_ROUTE_TO_DESTINATION: Status.NOT_FOUND,
    C.USER_BUSY: Status.BUSY_HERE,
    C.NO_USER_RESPONDING: Status.REQUEST_TIMEOUT,
    C.NO_ANSWER_FROM_USER: Status.TEMPORARILY_UNAVAILABLE,
    C.SUBSCRIBER_ABSENT: Status.TEMPORARILY_UNAVAILABLE,
    C.CALL_REJECTED: Status.FORBIDDEN,
    C.NUMBER_CHANGED: Status.GONE,
    C.REDIRECTION_TO_NEW_DESTINATION: Status.GONE,
    C.NON_SELECTED_USER_CLEARING: Status.NOT_FOUND,
    C.DESTINATION_OUT_OF_ORDER: Status.BAD_GATEWAY,
    C.INVALID_NUMBER_FORMAT: Status.ADDRESS_INCOMPLETE,
    C.FACILITY_REJECTED: Status.NOT_IMPLEMENTED,
    C.NORMAL_UNSPECIFIED: Status.TEMPORARILY_UNAVAILABLE,
    C.NO_CIRCUIT_AVAILABLE: Status.SERVICE_UNAVAILABLE,
    C.NETWORK_OUT_OF_ORDER: Status.SERVICE_UNAVAILABLE,
    C.TEMPORARY_FAILURE: Status.SERVICE_UNAVAILABLE,
    C.SWITCHING_EQUIPMENT_CONGESTION: Status.SERVICE_UNAVAILABLE,
    C.RESOURCE_UNAVAILABLE: Status.SERVICE_UNAVAILABLE,
    C.INCOMING_CALLS_BARRED_WITHIN_CUG: Status.FORBIDDEN,
    C.BEARER_CAPABILITY_NOT_AUTHORIZED: Status.FORBIDDEN,
    C.BEARER_CAPABILITY_NOT_AVAILABLE: Status.SERVICE_UNAVAILABLE,
    C.BEARER_CAPABILITY_NOT_IMPLEMENTED: Status.NOT_ACCEPTABLE_HERE,
    C.ONLY_RESTRICTED_DIGITAL_AVAILABLE: Status.NOT_ACCEPTABLE_HERE,
    C.SERVICE_OR_OPTION_NOT_IMPLEMENTED: Status.NOT_IMPLEMENTED,
    C.USER_NOT_MEMBER_OF_CUG: Status.FORBIDDEN,
    C.INCOMPATIBLE_DESTINATION: Status.SERVICE_UNAVAILABLE,
    C.RECOVERY_ON_TIMER_EXPIRY: Status.SERVER_TIMEOUT,
    C.PROTOCOL_ERROR: Status.SERVER_INTERNAL_ERROR,
    C.INTERWORKING: Status.SERVER_INTERNAL_ERROR,
}
_CAUSES: Final[Mapping[int, C]] = {
    Status.BAD_REQUEST: C.TEMPORARY_FAILURE,
    Status.UNAUTHORIZED: C.CALL_REJECTED,
    Status.PAYMENT_REQUIRED: C.CALL_REJECTED,
    Status.FORBIDDEN: C.CALL_REJECTED,
    Status.NOT_FOUND: C.UNALLOCATED_NUMBER,
    Status.METHOD_NOT_ALLOWED: C.SERVICE_OR_OPTION_NOT_AVAILABLE,
    Status.NOT_ACCEPTABLE: C.SERVICE_OR_OPTION_NOT_IMPLEMENTED,
    Status.PROXY_AUTHENTICATION_REQUIRED: C.CALL_REJECTED,
    Status.REQUEST_TIMEOUT: C.RECOVERY_ON_TIMER_EXPIRY,
    Status.GONE: C.NUMBER_CHANGED,
    Status.UNSUPPORTED_MEDIA_TYPE: C.SERVICE_OR_OPTION_NOT_IMPLEMENTED,
    Status.TEMPORARILY_UNAVAILABLE: C.NO_USER_RESPONDING,
    Status.CALL_TRANSACTION_DOES_NOT_EXIST: C.TEMPORARY_FAILURE,
    Status.LOOP_DETECTED: C.EXCHANGE_ROUTING_ERROR,
    Status.TOO_MANY_HOPS: C.EXCHANGE_ROUTING_ERROR,
    Status.ADDRESS_INCOMPLETE: C.INVALID_NUMBER_FORMAT,
    Status.AMBIGUOUS: C.UNALLOCATED_NUMBER,
    Status.BUSY_HERE: C.USER_BUSY,
    Status.SERVER_INTERNAL_ERROR: C.TEMPORARY_FAILURE,
    Status.NOT_IMPLEMENTED: C.SERVICE_OR_OPTION_NOT_IMPLEMENTED,
    Status.BAD_GATEWAY: C.NETWORK_OUT_OF_ORDER,
    Status.SERVICE_UNAVAILABLE: C.TEMPORARY_FAILURE,
    Status.SERVER_TIMEOUT: C.RECOVERY_ON_TIMER_EXPIRY,
    Status.BUSY_EVERYWHERE: C.USER_BUSY,
    Status.DECLINE: C.CALL_REJECTED,
    Status.DOES_NOT_EXIST_ANYWHERE: C.UNALLOCATED_NUMBER,
}
_REASON: Final = re.compile(r"Q\.850\s*(?:;[^,;]*)*?;\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE | re.ASCII)


def status_of(cause: int) -> Status:
    """Return the status by which a call is refused for a cause; one that RFC 3398 does not name is 500."""
    return _STATUSES.get(cause, Status.SERVER_INTERNAL_ERROR)


def cause_of(message: Message | int) -> int:
    """Return the cause of a response or request: what its Reason says, else by its status; for others 127.

    A request without a Reason ends a call normally.
    """
    if not isinstance(message, int):
        for each in message.headers.all("Reason"):
            found = _REASON.match(each)
            if found is not None and int(found[1]) <= 127:
                return int(found[1])
    status = message if isinstance(message, int) else getattr(message, "status", None)
    return C.NORMAL_CALL_CLEARING if status is None else _CAUSES.get(status, C.INTERWORKING)


def reason_header(cause: int) -> tuple[str, str]:
    """Return the Reason header of a cause."""
    known = cause in {*C}
    text = f';text="{C(cause).name.replace("_", " ").capitalize()}"' if known else ""
    return "Reason", f"Q.850;cause={int(cause)}{text}"
