"""GTPv2-C messages to octets and back, and what an erroneous message calls for (TS 29.274 5, 7.7, 8.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final

from simwarden.errors import PeerError
from simwarden.wire.gtpv2.enums import ACCEPTED, Cause, Indication
from simwarden.wire.gtpv2.messages import BY_TYPE, SPECS, Grammar, Role, Rule, Spec
from simwarden.wire.gtpv2.values import CauseIe, IeType, Unknown

VERSION: Final = 2
_PIGGYBACKED, _TEID, _PRIORITY = 0x10, 0x08, 0x04
_SHORT, _LONG = struct.Struct(">BBH"), struct.Struct(">BBHI")
_HEAD = struct.Struct(">BHB")


class GtpError(PeerError):
    """A message that breaks the protocol, with what the answer to it needs (7.7).

    `cause` is for the response; None where the message must be discarded without one. `offending` is the element that
    is missing or wrong; `message` has the header and those elements that could be read, None if there is no header.
    """

    def __init__(
        self, reason: str, cause: Cause | None, offending: IeType | None = None, message: Message | None = None
    ) -> None:
        super().__init__(reason, code=cause)
        self.cause, self.offending, self.message = cause, offending, message

    @property
    def ie(self) -> CauseIe:
        """The Cause IE of the response. A message that gets none has none."""
        return CauseIe(self.cause or Cause.INVALID_MESSAGE_FORMAT, offending=self.offending)


class UnsupportedVersionError(GtpError):
    """A message of another version of GTP, which is answered by a Version Not Supported Indication (7.7.2)."""


@dataclass(slots=True)
class Message:
    """A message: its name (`create-session-request`), its elements by name, TEID and sequence number.

    Elements that may be there several times are tuples; grouped ones are mappings of their elements by name.
    `others` are the elements that its grammar does not know.
    """

    name: str
    ies: dict[str, Any]
    teid: int = 0
    sequence: int = 0
    priority: int | None = None
    others: tuple[Unknown, ...] = field(default=(), compare=False)

    def __getitem__(self, name: str) -> Any:
        try:
            return self.ies[name]
        except KeyError:
            raise self.missing(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return an element, or what stands for one that is not there."""
        return self.ies.get(name, default)

    def missing(self, name: str) -> GtpError:
        """Return the error of a message in which an element is not there that its condition demands (7.7.6)."""
        rule = self.spec.grammar.by_name[name]
        cause = Cause.MANDATORY_IE_MISSING if rule.mandatory else Cause.CONDITIONAL_IE_MISSING
        return GtpError(f"{self.name} without {name}", cause, IeType(rule.ie.number, rule.instance), self)

    def incorrect(self, name: str, reason: str) -> GtpError:
        """Return the error of a message in which an element cannot be what it says (7.7.8)."""
        rule = self.spec.grammar.by_name[name]
        offending = IeType(rule.ie.number, rule.instance)
        return GtpError(f"{self.name}: {reason}", Cause.MANDATORY_IE_INCORRECT, offending, self)

    @property
    def spec(self) -> Spec:
        """What its specification says of it."""
        return SPECS[self.name]

    @property
    def cause(self) -> Cause | int:
        """The value of its cause; 0 where it has none."""
        found = self.ies.get("cause")
        return found.value if found is not None else 0

    @property
    def accepted(self) -> bool:
        """Whether it is the answer to a request that was carried out, in whole or in part."""
        return self.cause in ACCEPTED


def encode(message: Message, *, followed: bool = False) -> bytes:
    """Return the message's octets. Raises ValueError on a missing, unknown or impossible element.

    A response that rejects may be without all but its cause (7.7.1). `followed`: an initial message comes behind it in
    the same datagram (5.5.1).
    """
    spec = message.spec
    content = _encode_ies(message.name, spec.grammar, message.ies, whole=not _rejects(message))
    last = 0 if message.priority is None else message.priority << 4
    flags = VERSION << 5 | (0 if message.priority is None else _PRIORITY) | (_PIGGYBACKED if followed else 0)
    tail = (message.sequence << 8 | last).to_bytes(4)
    if spec.addressed:
        return _LONG.pack(flags | _TEID, spec.type, len(content) + 8, message.teid) + tail + content
    return _SHORT.pack(flags, spec.type, len(content) + 4) + tail + content


def _rejects(message: Message) -> bool:
    return message.spec.role is Role.RESPONSE and bool(message.cause) and not message.accepted


def _encode_ies(name: str, grammar: Grammar, ies: dict[str, Any], *, whole: bool) -> bytes:
    parts: list[bytes] = []
    used = 0
    for field_name, presence, ie, instance, many, group in grammar.rules:
        value = ies.get(field_name)
        if value is None or (many and not value):
            if presence == "M" and whole:
                raise ValueError(f"{name} lacks {field_name}")
            used += field_name in ies
            continue
        used += 1
        for each in value if many else (value,):
            if group is not None:
                octets = _encode_ies(field_name, group, each, whole=whole)
            else:
                assert ie.write is not None  # noqa: S101 - only groups have none
                octets = ie.write(each)
            parts.append(_HEAD.pack(ie.number, len(octets), instance))
            parts.append(octets)
    if used != len(ies):
        raise ValueError(f"{name} has no element {', '.join(sorted(ies.keys() - grammar.by_name.keys()))}")
    return b"".join(parts)


def split(data: bytes) -> list[bytes]:
    """Return the messages of a datagram: one, or a response with the initial message that it carries (5.5.1)."""
    if len(data) >= 4 and data[0] & _PIGGYBACKED and data[0] >> 5 == VERSION:
        end = 4 + int.from_bytes(data[2:4])
        if 8 <= end < len(data):
            return [data[:end], data[end:]]
    return [data]


def decode(data: bytes) -> Message:
    """Return the message of exactly these octets. Raises GtpError, which is a PeerError."""
    message, start = _header(data)
    spec = message.spec
    if int.from_bytes(data[2:4]) + 4 != len(data):
        raise GtpError(f"{message.name} of {len(data)} octets is longer or shorter than it says", *_length(message))
    elements = _Elements(message)
    message.ies = elements.read(spec.grammar, data[start:])
    message.others, faults = tuple(elements.others), elements.faults
    # 7.7.1: a response that rejects is taken although something else in it is missing or wrong
    if faults and not _rejects(message):
        raise faults[0]
    return message


def _length(message: Message) -> tuple[Cause, None, Message]:
    return Cause.INVALID_LENGTH, None, message


def _header(data: bytes) -> tuple[Message, int]:
    """Return a message without elements, and where these begin."""
    if len(data) < 8:
        raise GtpError(f"{len(data)} octets are no GTPv2 header", None)
    flags, number = data[0], data[1]
    if flags >> 5 != VERSION:
        raise UnsupportedVersionError(f"GTP of version {flags >> 5}", None)
    spec = BY_TYPE.get(number)
    if spec is None:
        raise GtpError(f"unknown GTPv2 message {number}", None)
    start = 12 if flags & _TEID else 8
    if spec.addressed is not bool(flags & _TEID) or len(data) < start:
        raise GtpError(f"{spec.name} {'without' if spec.addressed else 'with'} a TEID", None)
    teid = int.from_bytes(data[4:8]) if spec.addressed else 0
    priority = data[start - 1] >> 4 if flags & _PRIORITY else None
    return Message(spec.name, {}, teid, int.from_bytes(data[start - 4 : start - 1]), priority), start


class _Elements:
    """Reads the elements of a message and of its groups, and keeps what is wrong with those that count."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.faults: list[GtpError] = []
        self.others: list[Unknown] = []

    def read(self, grammar: Grammar, content: bytes) -> dict[str, Any]:
        """Read elements in whatever order they come (8.2)."""
        ies: dict[str, Any] = {}
        at, end = 0, len(content)
        by_key = grammar.by_key
        while at < end:
            if at + 4 > end:
                self.faults.append(GtpError(f"{self.message.name} ends within an element", *_length(self.message)))
                break
            number, length, instance = _HEAD.unpack_from(content, at)
            octets = content[at + 4 : at + 4 + length]
            at += 4 + length
            rule = by_key.get(number << 4 | instance & 0x0F)
            if rule is None:
                self.others.append(Unknown(number, instance & 0x0F, octets))
            elif len(octets) < length:
                self._blame(rule, "is longer than the message", Cause.INVALID_LENGTH)
            elif rule.many or rule.name not in ies:  # a second one that may not be is ignored (7.7.10)
                self._take(rule, octets, ies)
        for rule in grammar.mandatory:
            if rule.name not in ies:
                self._blame(rule, "is missing", Cause.MANDATORY_IE_MISSING)
        return ies

    def _take(self, rule: Rule, octets: bytes, ies: dict[str, Any]) -> None:
        """Read one element; what is wrong in one that is optional is as if it were not there (7.7.7, 7.7.8)."""
        name, _, ie, _, many, group = rule
        _, _, _, shortest, read, _, exact = ie
        try:
            if group is not None:
                value: Any = self.read(group, octets)
            elif read is None or len(octets) < shortest or (exact and len(octets) != shortest):
                self._blame(rule, f"has {len(octets)} octets", Cause.INVALID_LENGTH)
                return
            else:
                value = read(octets)
        except (ValueError, IndexError) as error:
            self._blame(rule, f"is wrong: {error}", Cause.MANDATORY_IE_INCORRECT)
            return
        ies[name] = (*ies.get(name, ()), value) if many else value

    def _blame(self, rule: Rule, what: str, cause: Cause) -> None:
        if rule.verified:
            offending = IeType(rule.ie.number, rule.instance)
            self.faults.append(GtpError(f"{self.message.name}: {rule.name} {what}", cause, offending, self.message))


def subject_of(request: Message) -> str:
    """Return whose session a Create Session Request is about: an IMSI, or `imei-` and the terminal's IMEI.

    That is so of an emergency call without a card, or whose card is not proven (UIMSI): what it claims to be takes
    nothing from the card that it names (TS 29.274 7.2.1, TS 23.401 5.7.2). Raises GtpError where neither is there.
    """
    if request.get("imsi") and not Indication.UIMSI & (request.get("indication_flags") or 0):
        return str(request["imsi"])
    if not request.get("mei"):
        raise request.missing("imsi")
    return f"imei-{request['mei'][:14]}"


def answer_to(error: GtpError) -> Message | None:
    """Return the response that an erroneous request calls for; None where none may be sent.

    Its TEID is the sender's, where the request says that; it lacks all elements but the cause that a response needs, as
    a rejection may (7.7.1).
    """
    message = error.message
    if message is None or error.cause is None or message.spec.role is not Role.REQUEST or not message.spec.answer:
        return None
    if message.name == "echo-request":  # its response has no cause
        return None
    sender = message.get("sender_f_teid")
    return Message(message.spec.answer, {"cause": error.ie}, sender.teid if sender else 0, message.sequence)


def refusal(message: Message, cause: Cause | CauseIe, teid: int = 0) -> Message:
    """Return the response that refuses a request; `teid` is the sender's, where it is known."""
    return Message(message.spec.answer, {"cause": cause if isinstance(cause, CauseIe) else CauseIe(cause)}, teid)


def failure_of(command: Message, cause: Cause | CauseIe, teid: int = 0) -> Message:
    """Return the indication that a command is not carried out (7.2.6, 7.2.14.2, 7.2.17.2), with what it repeats of it.

    It goes under the command's sequence number; `teid` is the sender's, where it is known.
    """
    why = cause if isinstance(cause, CauseIe) else CauseIe(cause)
    name = command.name.replace("command", "failure-indication")
    known = SPECS[name].grammar.by_name
    ies: dict[str, Any] = {"cause": why}
    ies |= {each: command[each] for each in ("linked_ebi", "pti") if each in known}
    if "bearer_contexts" in known:
        ies["bearer_contexts"] = tuple({"ebi": each["ebi"], "cause": why} for each in command["bearer_contexts"])
    return Message(name, ies, teid)


def version_not_supported(data: bytes) -> bytes:
    """Return the indication that answers a message of another version (7.1.3), with the sequence number of GTPv1."""
    sequence = int.from_bytes(data[8:10]) if data[0] >> 5 == 1 and data[0] & 0x02 else 0
    return encode(Message("version-not-supported-indication", {}, sequence=sequence))
