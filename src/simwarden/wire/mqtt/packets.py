"""The control packets (MQTT 3.1.1 chapter 3)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias


class PacketType(enum.IntEnum):
    """MQTT control packet type (2.2.1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class ConnectCode(enum.IntEnum):
    """Connect return code (3.2.2.3)."""

    ACCEPTED = 0
    UNACCEPTABLE_PROTOCOL_VERSION = 1
    IDENTIFIER_REJECTED = 2
    SERVER_UNAVAILABLE = 3
    BAD_USER_NAME_OR_PASSWORD = 4
    NOT_AUTHORIZED = 5


@dataclass(frozen=True, slots=True)
class Will:
    """What the server publishes when the connection ends without DISCONNECT (3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT (3.1). `level` is 4 for MQTT 3.1.1; `keep_alive` in seconds, 0 for none."""

    client: str
    clean: bool = True
    keep_alive: int = 0
    will: Will | None = None
    user: str | None = None
    password: bytes | None = field(default=None, repr=False)
    level: int = 4


@dataclass(frozen=True, slots=True)
class ConnAck:
    """CONNACK (3.2)."""

    code: int = ConnectCode.ACCEPTED
    session_present: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH (3.3). `identifier` is 0 with QoS 0, which has none."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    duplicate: bool = False
    identifier: int = 0


@dataclass(frozen=True, slots=True)
class Ack:
    """PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK: a packet identifier and nothing else."""

    type: PacketType
    identifier: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (3.8): filters with the QoS asked for."""

    identifier: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SubAck:
    """SUBACK (3.9): for each filter the QoS granted, or 0x80 for a refusal."""

    identifier: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE (3.10)."""

    identifier: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bare:
    """PINGREQ, PINGRESP or DISCONNECT: a fixed header and nothing else."""

    type: PacketType


Packet: TypeAlias = Connect | ConnAck | Publish | Ack | Subscribe | SubAck | Unsubscribe | Bare
