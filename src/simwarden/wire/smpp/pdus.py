"""The PDUs of SMPP 3.4, chapter 4: a header, a body by its command, and optional parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from simwarden.wire.smpp.enums import Command

#: interface_version of SMPP 3.4 (5.2.4)
VERSION = 0x34
#: bits of esm_class (5.2.12): what kind of message it is, and its features
MESSAGE_TYPE, RECEIPT, UDHI, REPLY_PATH = 0x3C, 0x04, 0x40, 0x80
#: bits of registered_delivery (5.2.17): a receipt of the SMSC's, and whether only of failures
RECEIPT_ALWAYS, RECEIPT_ON_FAILURE = 1, 2


class Address(NamedTuple):
    """An address, with its type of number and numbering plan."""

    number: str = ""
    ton: int = 0
    npi: int = 0


_NONE = Address()


class Parameter(NamedTuple):
    """An optional parameter (5.3)."""

    tag: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Bind:
    """bind_transmitter, bind_receiver and bind_transceiver (4.1)."""

    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """The answers to binds (4.1)."""

    system_id: str = ""


@dataclass(frozen=True, slots=True)
class Outbind:
    """outbind (4.1.7)."""

    system_id: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """submit_sm and deliver_sm (4.4.1, 4.6.1)."""

    service_type: str = ""
    source: Address = _NONE
    destination: Address = _NONE
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True)
class SubmitMulti:
    """submit_multi (4.5.1); a destination that is a text is the name of a distribution list."""

    service_type: str = ""
    source: Address = _NONE
    destinations: tuple[Address | str, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True)
class DataSm:
    """data_sm (4.7.1); the message is in message_payload."""

    service_type: str = ""
    source: Address = _NONE
    destination: Address = _NONE
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


@dataclass(frozen=True, slots=True)
class MessageId:
    """The answers to submit_sm, deliver_sm and data_sm (4.4.2, 4.6.2, 4.7.2)."""

    message_id: str = ""


class Unsuccessful(NamedTuple):
    """An address to which submit_multi did not submit, with the reason."""

    address: Address
    status: int


@dataclass(frozen=True, slots=True)
class SubmittedMulti:
    """The answer to submit_multi (4.5.3)."""

    message_id: str = ""
    unsuccessful: tuple[Unsuccessful, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """query_sm (4.8.1)."""

    message_id: str
    source: Address = _NONE


@dataclass(frozen=True, slots=True)
class Queried:
    """The answer to query_sm (4.8.2)."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """cancel_sm (4.9.1)."""

    service_type: str = ""
    message_id: str = ""
    source: Address = _NONE
    destination: Address = _NONE


@dataclass(frozen=True, slots=True)
class Replace:
    """replace_sm (4.10.1)."""

    message_id: str
    source: Address = _NONE
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True)
class Alert:
    """alert_notification (4.12.1): a destination that was away is back."""

    source: Address = _NONE
    esme: Address = _NONE


Body: TypeAlias = (
    Bind
    | Bound
    | Outbind
    | ShortMessage
    | SubmitMulti
    | SubmittedMulti
    | DataSm
    | MessageId
    | Query
    | Queried
    | Cancel
    | Replace
    | Alert
)


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU. `body` is None where the command has none, and in an answer with an error that leaves it out."""

    command: Command
    sequence: int
    status: int = 0
    body: Body | None = None
    parameters: tuple[Parameter, ...] = ()

    def parameter(self, tag: int) -> bytes | None:
        """Return the value of an optional parameter, None where it is not there."""
        return next((each.value for each in self.parameters if each.tag == tag), None)


RESPONSE = 0x80000000
BODIES: dict[Command, type[Body]] = {
    **dict.fromkeys((Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER), Bind),
    **dict.fromkeys((Command.BIND_RECEIVER_RESP, Command.BIND_TRANSMITTER_RESP, Command.BIND_TRANSCEIVER_RESP), Bound),
    Command.OUTBIND: Outbind,
    **dict.fromkeys((Command.SUBMIT_SM, Command.DELIVER_SM), ShortMessage),
    **dict.fromkeys((Command.SUBMIT_SM_RESP, Command.DELIVER_SM_RESP, Command.DATA_SM_RESP), MessageId),
    Command.SUBMIT_MULTI: SubmitMulti,
    Command.SUBMIT_MULTI_RESP: SubmittedMulti,
    Command.DATA_SM: DataSm,
    Command.QUERY_SM: Query,
    Command.QUERY_SM_RESP: Queried,
    Command.CANCEL_SM: Cancel,
    Command.REPLACE_SM: Replace,
    Command.ALERT_NOTIFICATION: Alert,
}
"""The body of each command that has one."""
BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})


def answer(asked: Pdu, status: int = 0, body: Body | None = None, *parameters: Parameter) -> Pdu:
    """Make the answer to a request."""
    return Pdu(Command(asked.command | RESPONSE), asked.sequence, status, body, parameters)
