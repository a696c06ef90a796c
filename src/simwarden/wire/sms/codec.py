"""Octets to TPDUs and back (TS 23.040 9.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.wire.sms.address import decode_address, encode_address
from simwarden.wire.sms.coding import UserData, decode_user_data, encode_user_data
from simwarden.wire.sms.enums import ValidityFormat
from simwarden.wire.sms.times import Validity, decode_time, encode_time
from simwarden.wire.sms.tpdu import Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport, Tpdu

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from simwarden.wire.sms.address import Address

#: bits of the first octet: TP-MMS (of a SUBMIT TP-RD), TP-LP, TP-SRI (TP-SRR, TP-SRQ), TP-UDHI, TP-RP
_MORE, _LOOP, _STATUS_REPORT, _HEADER, _REPLY_PATH = 0x04, 0x08, 0x20, 0x40, 0x80
_REJECT_DUPLICATES: Final = 0x04
#: bits of TP-PI (9.2.3.27)
_PI_PROTOCOL, _PI_CODING, _PI_DATA, _PI_EXTENDED = 1, 2, 4, 0x80
_MOST_COMMAND_DATA: Final = 156


# -- encoding


def encode(tpdu: Tpdu) -> bytes:
    """Return the octets of a TPDU. Raises ValueError for what does not fit into one."""
    return _ENCODERS[type(tpdu)](tpdu)


def _submit(tpdu: Submit) -> bytes:
    first = 0x01 | (tpdu.validity.format << 3 if tpdu.validity is not None else 0)
    first |= _REJECT_DUPLICATES if tpdu.reject_duplicates else 0
    first |= _STATUS_REPORT if tpdu.status_report_request else 0
    first |= (_HEADER if tpdu.user_data.header else 0) | (_REPLY_PATH if tpdu.reply_path else 0)
    head = bytes((first, tpdu.reference)) + encode_address(tpdu.destination)
    validity = tpdu.validity.octets if tpdu.validity is not None else b""
    coding = bytes((tpdu.protocol_identifier, tpdu.data_coding_scheme))
    return head + coding + validity + encode_user_data(tpdu.user_data, tpdu.data_coding_scheme)


def _deliver(tpdu: Deliver) -> bytes:
    first = 0 if tpdu.more_messages else _MORE  # the bit says that there are none
    first |= (_LOOP if tpdu.loop_prevention else 0) | (_STATUS_REPORT if tpdu.status_report_indication else 0)
    first |= (_HEADER if tpdu.user_data.header else 0) | (_REPLY_PATH if tpdu.reply_path else 0)
    coding = bytes((tpdu.protocol_identifier, tpdu.data_coding_scheme))
    head = bytes((first,)) + encode_address(tpdu.originator) + coding + encode_time(tpdu.time_stamp)
    return head + encode_user_data(tpdu.user_data, tpdu.data_coding_scheme)


def _status_report(tpdu: StatusReport) -> bytes:
    first = 0x02 | (0 if tpdu.more_messages else _MORE) | (_LOOP if tpdu.loop_prevention else 0)
    first |= _STATUS_REPORT if tpdu.of_command else 0
    first |= _HEADER if tpdu.user_data is not None and tpdu.user_data.header else 0
    head = bytes((first, tpdu.reference)) + encode_address(tpdu.recipient)
    times = encode_time(tpdu.time_stamp) + encode_time(tpdu.discharge_time)
    optional = _optional(tpdu)
    return head + times + bytes((tpdu.status,)) + (optional if optional != b"\0" else b"")


def _command(tpdu: Command) -> bytes:
    if len(tpdu.command_data) > _MOST_COMMAND_DATA:
        raise ValueError(f"{len(tpdu.command_data)} octets of command data, and a TPDU holds {_MOST_COMMAND_DATA}")
    first = 0x02 | (_STATUS_REPORT if tpdu.status_report_request else 0)
    head = bytes((first, tpdu.reference, tpdu.protocol_identifier, tpdu.command_type, tpdu.message_number))
    return head + encode_address(tpdu.destination) + bytes((len(tpdu.command_data),)) + tpdu.command_data


def _report(first: int, tpdu: DeliverReport | SubmitReport, time_stamp: bytes = b"") -> bytes:
    first |= _HEADER if tpdu.user_data is not None and tpdu.user_data.header else 0
    cause = b"" if tpdu.failure_cause is None else bytes((tpdu.failure_cause,))
    optional = _optional(tpdu)
    return bytes((first,)) + cause + optional[:1] + time_stamp + optional[1:]


def _optional(tpdu: StatusReport | DeliverReport | SubmitReport) -> bytes:
    """Return TP-PI and what it announces."""
    indicator, body = 0, b""
    if tpdu.protocol_identifier is not None:
        indicator, body = indicator | _PI_PROTOCOL, body + bytes((tpdu.protocol_identifier,))
    if tpdu.data_coding_scheme is not None:
        indicator, body = indicator | _PI_CODING, body + bytes((tpdu.data_coding_scheme,))
    if tpdu.user_data is not None:
        indicator, body = indicator | _PI_DATA, body + encode_user_data(tpdu.user_data, tpdu.data_coding_scheme or 0)
    return bytes((indicator,)) + body


_ENCODERS: Final[Mapping[type, Callable[[Any], bytes]]] = {
    Submit: _submit,
    Deliver: _deliver,
    StatusReport: _status_report,
    Command: _command,
    DeliverReport: lambda tpdu: _report(0, tpdu),
    SubmitReport: lambda tpdu: _report(1, tpdu, encode_time(tpdu.time_stamp)),
}


# -- decoding


def decode(data: bytes, *, from_mobile: bool) -> Tpdu:
    """Read a TPDU that a mobile sent, or one that it gets. Raises PeerError."""
    if not data:
        raise PeerError("a TPDU without octets")
    decoder = _DECODERS.get((data[0] & 3, from_mobile))
    if decoder is None:
        raise PeerError(f"no TPDU has TP-MTI {data[0] & 3}")
    return decoder(_Reader(data))


class _Reader:
    """Takes values from a TPDU. Raises PeerError where they are not there."""

    __slots__ = ("at", "data", "first")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.first = data, 1, data[0]

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise PeerError(f"a TPDU that ends after {len(self.data)} octets")
        found, self.at = self.data[self.at : end], end
        return found

    def octet(self) -> int:
        return self.take(1)[0]

    def address(self) -> Address:
        found, self.at = decode_address(self.data, self.at)
        return found

    def time(self) -> dt.datetime:
        return decode_time(self.take(7))

    def user_data(self, scheme: int) -> UserData:
        octets, self.at = self.data[self.at :], len(self.data)
        return decode_user_data(octets, scheme, with_header=bool(self.first & _HEADER))

    def optional(self, *, indicator: int) -> dict[str, Any]:
        """Take what TP-PI announces; what follows it in an unknown order is left."""
        found: dict[str, Any] = {}
        if indicator & _PI_PROTOCOL:
            found["protocol_identifier"] = self.octet()
        if indicator & _PI_CODING:
            found["data_coding_scheme"] = self.octet()
        if indicator & _PI_DATA:
            found["user_data"] = self.user_data(found.get("data_coding_scheme", 0))
        return found

    def indicator(self) -> int:
        """Take TP-PI; the last of its octets is without the extension bit (9.2.3.27)."""
        found = more = self.octet()
        while more & _PI_EXTENDED:
            more = self.octet()
        return found

    def has(self, bit: int) -> bool:
        return bool(self.first & bit)


def _read_submit(reader: _Reader) -> Submit:
    reference, destination = reader.octet(), reader.address()
    protocol, scheme = reader.octet(), reader.octet()
    form = reader.first >> 3 & 3
    validity = (
        Validity(ValidityFormat(form), reader.take(1 if form == ValidityFormat.RELATIVE else 7)) if form else None
    )
    return Submit(
        reference=reference,
        destination=destination,
        protocol_identifier=protocol,
        data_coding_scheme=scheme,
        validity=validity,
        user_data=reader.user_data(scheme),
        reject_duplicates=reader.has(_REJECT_DUPLICATES),
        status_report_request=reader.has(_STATUS_REPORT),
        reply_path=reader.has(_REPLY_PATH),
    )


def _read_deliver(reader: _Reader) -> Deliver:
    originator, protocol, scheme, when = reader.address(), reader.octet(), reader.octet(), reader.time()
    return Deliver(
        originator=originator,
        time_stamp=when,
        protocol_identifier=protocol,
        data_coding_scheme=scheme,
        user_data=reader.user_data(scheme),
        more_messages=not reader.has(_MORE),
        loop_prevention=reader.has(_LOOP),
        status_report_indication=reader.has(_STATUS_REPORT),
        reply_path=reader.has(_REPLY_PATH),
    )


def _read_status_report(reader: _Reader) -> StatusReport:
    reference, recipient, sent, discharged = reader.octet(), reader.address(), reader.time(), reader.time()
    status = reader.octet()
    optional = reader.optional(indicator=reader.indicator()) if reader.at < len(reader.data) else {}
    return StatusReport(
        reference=reference,
        recipient=recipient,
        time_stamp=sent,
        discharge_time=discharged,
        status=status,
        more_messages=not reader.has(_MORE),
        loop_prevention=reader.has(_LOOP),
        of_command=reader.has(_STATUS_REPORT),
        **optional,
    )


def _read_command(reader: _Reader) -> Command:
    reference, protocol, kind, number = reader.take(4)
    destination = reader.address()
    length = reader.octet()
    if length > _MOST_COMMAND_DATA:
        raise PeerError(f"{length} octets of command data, and a TPDU holds {_MOST_COMMAND_DATA}")
    return Command(
        reference=reference,
        command_type=kind,
        message_number=number,
        destination=destination,
        protocol_identifier=protocol,
        command_data=reader.take(length),
        status_report_request=reader.has(_STATUS_REPORT),
    )


def _cause(reader: _Reader) -> int | None:
    """Take TP-FCS, which only a report in RP-ERROR has: its values have the bit that an extended TP-PI would have."""
    return reader.octet() if reader.data[1:2] >= b"\x80" else None


def _read_deliver_report(reader: _Reader) -> DeliverReport:
    cause = _cause(reader)
    return DeliverReport(failure_cause=cause, **reader.optional(indicator=reader.indicator()))


def _read_submit_report(reader: _Reader) -> SubmitReport:
    cause, indicator = _cause(reader), reader.indicator()
    return SubmitReport(time_stamp=reader.time(), failure_cause=cause, **reader.optional(indicator=indicator))


_DECODERS: Final[Mapping[tuple[int, bool], Callable[[_Reader], Tpdu]]] = {
    (0, False): _read_deliver,
    (0, True): _read_deliver_report,
    (1, True): _read_submit,
    (1, False): _read_submit_report,
    (2, False): _read_status_report,
    (2, True): _read_command,
}
