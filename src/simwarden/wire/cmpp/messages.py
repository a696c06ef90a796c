"""The messages of CMPP 2.0 between a platform and a gateway (7.4): fields of fixed sizes behind a header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from simwarden.wire.cmpp.enums import Command, Format

#: version 2.0, the major one in the upper half (7.4.1.1)
VERSION = 0x20


class MessageId(NamedTuple):
    """A Msg_Id (7.4.3.2): month, day and time of day, the gateway's code, and a number."""

    month: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    gateway: int = 0
    sequence: int = 0

    def __int__(self) -> int:
        value = self.month
        for width, part in ((5, self.day), (5, self.hour), (6, self.minute), (6, self.second)):
            value = value << width | part
        return value << 38 | self.gateway << 16 | self.sequence

    @classmethod
    def of(cls, number: int) -> MessageId:
        """Return the parts of one."""
        return cls(
            number >> 60,
            number >> 55 & 31,
            number >> 50 & 31,
            number >> 44 & 63,
            number >> 38 & 63,
            number >> 16 & 0x3FFFFF,
            number & 0xFFFF,
        )


@dataclass(frozen=True, slots=True)
class Connect:
    """CMPP_CONNECT (7.4.1.1); `time_stamp` is MMDDHHMMSS as a number."""

    source_addr: str
    authenticator_source: bytes = field(repr=False)
    version: int = VERSION
    time_stamp: int = 0


@dataclass(frozen=True, slots=True)
class Connected:
    """CMPP_CONNECT_RESP (7.4.1.2)."""

    status: int
    authenticator_ismg: bytes = field(default=bytes(16), repr=False)
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Submit:
    """CMPP_SUBMIT (7.4.3.1)."""

    msg_id: int = 0
    pk_total: int = 1
    pk_number: int = 1
    registered_delivery: int = 0
    msg_level: int = 0
    service_id: str = ""
    fee_user_type: int = 0
    fee_terminal_id: str = ""
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = Format.ASCII
    msg_src: str = ""
    fee_type: str = "01"
    fee_code: str = "000000"
    valid_time: str = ""
    at_time: str = ""
    src_id: str = ""
    dest_terminal_id: tuple[str, ...] = ()
    msg_content: bytes = b""
    reserve: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """CMPP_SUBMIT_RESP (7.4.3.2)."""

    msg_id: int
    result: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """CMPP_QUERY (7.4.4.1)."""

    time: str
    query_type: int = 0
    query_code: str = ""
    reserve: str = ""


@dataclass(frozen=True, slots=True)
class Queried:
    """CMPP_QUERY_RESP (7.4.4.2): counts of a day."""

    time: str
    query_type: int = 0
    query_code: str = ""
    mt_tlmsg: int = 0
    mt_tlusr: int = 0
    mt_scs: int = 0
    mt_wt: int = 0
    mt_fl: int = 0
    mo_scs: int = 0
    mo_wt: int = 0
    mo_fl: int = 0


@dataclass(frozen=True, slots=True)
class Deliver:
    """CMPP_DELIVER (7.4.5.1): a message of a card, or with `registered_delivery` 1 a report."""

    msg_id: int = 0
    dest_id: str = ""
    service_id: str = ""
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = Format.ASCII
    src_terminal_id: str = ""
    registered_delivery: int = 0
    msg_content: bytes = b""
    reserve: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """CMPP_DELIVER_RESP (7.4.5.2)."""

    msg_id: int
    result: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """CMPP_CANCEL (7.4.6.1)."""

    msg_id: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """CMPP_CANCEL_RESP (7.4.6.2): 0 for done, 1 for not."""

    success_id: int = 0


@dataclass(frozen=True, slots=True)
class ActiveTested:
    """CMPP_ACTIVE_TEST_RESP (7.4.7.2)."""

    reserved: int = 0


Body: TypeAlias = (
    Connect | Connected | Submit | Submitted | Query | Queried | Deliver | Delivered | Cancel | Cancelled | ActiveTested
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `body` is None for TERMINATE, its answer, and ACTIVE_TEST."""

    command: Command
    sequence: int
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a CMPP_DELIVER that is a report (7.4.5.1); times are YYMMDDHHMM."""

    msg_id: int
    stat: str
    submit_time: str
    done_time: str
    dest_terminal_id: str
    smsc_sequence: int = 0


RESPONSE = 0x80000000


def answer(asked: Message, body: Body | None = None) -> Message:
    """Make the answer to a request."""
    return Message(Command(asked.command | RESPONSE), asked.sequence, body)


def authenticator(source: str, secret: str, time_stamp: int) -> bytes:
    """Return AuthenticatorSource (7.4.1.1): MD5 of the account, nine zeros, the shared secret and the time stamp."""
    data = source.encode() + bytes(9) + secret.encode() + f"{time_stamp:010}".encode()
    return hashlib.md5(data, usedforsecurity=False).digest()


def authenticator_of_gateway(status: int, source: bytes, secret: str) -> bytes:
    """Return AuthenticatorISMG (7.4.1.2): MD5 of the status, the platform's authenticator and the shared secret."""
    return hashlib.md5(bytes((status,)) + source + secret.encode(), usedforsecurity=False).digest()
