"""What messages of M3UA hold, and which holds what (RFC 4666 3.3 to 3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.m3ua.enums import MessageType as T

if TYPE_CHECKING:
    from collections.abc import Mapping


class ProtocolData(NamedTuple):
    """A message of a user of MTP3 with its routing label (3.3.1): point codes are plain numbers, 14 or 24 bits wide."""

    originating_point_code: int
    destination_point_code: int
    service_indicator: int
    network_indicator: int
    message_priority: int
    signalling_link_selection: int
    user_data: bytes


class Destination(NamedTuple):
    """A point code, or all that agree with it but in the last `mask` bits (3.4.1)."""

    point_code: int
    mask: int = 0


class UserCause(NamedTuple):
    """Which user part is not there, and why (3.4.5)."""

    unavailability_cause: int
    user: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its type, and the parameters that it has. None, or an empty tuple, is a parameter that it lacks.

    `status` holds status type and information as the wire has them, in 32 bits.
    """

    type: T
    network_appearance: int | None = None
    routing_context: tuple[int, ...] = ()
    protocol_data: ProtocolData | None = None
    correlation_id: int | None = None
    affected_point_code: tuple[Destination, ...] = ()
    concerned_destination: int | None = None
    congestion_level: int | None = None
    user_cause: UserCause | None = None
    asp_identifier: int | None = None
    heartbeat_data: bytes | None = None
    traffic_mode_type: int | None = None
    error_code: int | None = None
    status: int | None = None
    diagnostic_information: bytes | None = None
    info_string: str | None = None


_NETWORK: Final = ("network_appearance", "routing_context")


def _destinations(*optional: str, needs: tuple[str, ...] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ("affected_point_code", *needs), (*_NETWORK, *optional, "info_string")


_ACTIVE: Final = ((), ("traffic_mode_type", "routing_context", "info_string"))
_INACTIVE: Final = ((), ("routing_context", "info_string"))
_UP: Final = ((), ("asp_identifier", "info_string"))
_DOWN: Final = ((), ("info_string",))
_BEAT: Final = ((), ("heartbeat_data",))

CONTENTS: Final[Mapping[T, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    T.ERROR: (("error_code",), (*_NETWORK, "affected_point_code", "diagnostic_information")),
    T.NOTIFY: (("status",), ("asp_identifier", "routing_context", "info_string")),
    T.DATA: (("protocol_data",), (*_NETWORK, "correlation_id")),
    T.DESTINATION_UNAVAILABLE: _destinations(),
    T.DESTINATION_AVAILABLE: _destinations(),
    T.DESTINATION_STATE_AUDIT: _destinations(),
    T.SIGNALLING_CONGESTION: _destinations("concerned_destination", "congestion_level"),
    T.DESTINATION_USER_PART_UNAVAILABLE: _destinations(needs=("user_cause",)),
    T.DESTINATION_RESTRICTED: _destinations(),
    T.ASP_UP: _UP,
    T.ASP_UP_ACK: _UP,
    T.ASP_DOWN: _DOWN,
    T.ASP_DOWN_ACK: _DOWN,
    T.HEARTBEAT: _BEAT,
    T.HEARTBEAT_ACK: _BEAT,
    T.ASP_ACTIVE: _ACTIVE,
    T.ASP_ACTIVE_ACK: _ACTIVE,
    T.ASP_INACTIVE: _INACTIVE,
    T.ASP_INACTIVE_ACK: _INACTIVE,
}
"""Parameters that a message must have, and those that it may have."""
