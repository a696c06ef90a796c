"""S1AP messages to octets and back, and what an erroneous message calls for (TS 36.413 10).

The envelope is octet-aligned throughout: the alternative of S1AP-PDU, procedure code, criticality, and in an open
type the message: an empty preamble, the number of elements, and for each its identity, criticality and open type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from simwarden.errors import PeerError
from simwarden.wire.s1ap.aper import NotComprehendedError
from simwarden.wire.s1ap.bits import split_length, with_length
from simwarden.wire.s1ap.enums import CauseProtocol, Criticality, TriggeringMessage, TypeOfError
from simwarden.wire.s1ap.messages import BY_CODE, SPECS, MessageType, Spec
from simwarden.wire.s1ap.values import CriticalityDiagnostics, IeCriticalityDiagnostics

if TYPE_CHECKING:
    from collections.abc import Mapping


class S1apError(PeerError):
    """A message that breaks the protocol, with what the answer to it needs (TS 36.413 10).

    `cause` is for the Error Indication or the procedure's failure message, `diagnostics` likewise; `message` holds
    the elements that could be read, which is where the device's S1AP identities are found; None if there are none.
    """

    def __init__(
        self,
        reason: str,
        cause: CauseProtocol,
        diagnostics: CriticalityDiagnostics | None = None,
        message: Message | None = None,
    ) -> None:
        super().__init__(reason, code=int(cause))
        self.cause, self.diagnostics, self.message = cause, diagnostics, message


@dataclass(slots=True)
class Message:
    """A message: its name (`initial-ue-message`) and its elements by name in snake case (`nas_pdu`).

    `message["cause"]` raises PeerError where an element that is mandatory is not there, which happens for those with
    criticality ignore (10.3.5); `message.get("s_tmsi")` is for optional ones. `notify` lists the elements that were not
    understood and whose sender wants to be told by an Error Indication.
    """

    specs: ClassVar[Mapping[str, Spec]] = SPECS
    by_code: ClassVar[Mapping[tuple[int, int], Spec]] = BY_CODE

    name: str
    ies: dict[str, Any]
    notify: tuple[IeCriticalityDiagnostics, ...] = field(default=(), compare=False)

    def __getitem__(self, name: str) -> Any:
        try:
            return self.ies[name]
        except KeyError:
            cause = CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT
            raise S1apError(f"{self.name} without {name}", cause, self.diagnosis(), self) from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return an element, or what is given where it is not there."""
        return self.ies.get(name, default)

    @property
    def procedure(self) -> int:
        """The elementary procedure."""
        return self.specs[self.name].procedure

    @property
    def type(self) -> MessageType:
        """Whether it starts its procedure, or ends it with success or failure."""
        return self.specs[self.name].type

    def diagnosis(self, *ies: IeCriticalityDiagnostics) -> CriticalityDiagnostics:
        """Return the criticality diagnostics that say what is wrong with it."""
        return _diagnosis(self.specs[self.name], ies)


M = TypeVar("M", bound=Message)


def _diagnosis(spec: Spec, ies: tuple[IeCriticalityDiagnostics, ...]) -> CriticalityDiagnostics:
    return CriticalityDiagnostics(spec.procedure, TriggeringMessage(spec.type), spec.criticality, ies or None)


def encode(message: Message) -> bytes:
    """Return the message's octets. Raises ValueError on a missing, unknown or impossible element."""
    spec = message.specs[message.name]
    ies = message.ies
    parts = []
    for rule in spec.rules:
        value = ies.get(rule.ie.name)
        if value is not None:
            parts.append(rule.head)
            parts.append(with_length(rule.ie.type.to_octets(value)))
        elif rule.mandatory:
            raise ValueError(f"{message.name} lacks {rule.ie.name}")
    if len(parts) != 2 * (len(ies) - sum(value is None for value in ies.values())):
        unknown = ies.keys() - {rule.ie.name for rule in spec.rules}
        raise ValueError(f"{message.name} has no element {', '.join(sorted(unknown))}")
    content = b"\0" + (len(parts) // 2).to_bytes(2, "big") + b"".join(parts)
    return bytes((spec.type << 5, spec.procedure, spec.criticality << 6)) + with_length(content)


def _envelope(data: bytes, by_code: Mapping[tuple[int, int], Spec]) -> tuple[Spec, bytes]:
    if len(data) < 5 or data[0] & 0x1F or data[2] & 0x3F:
        raise S1apError("no S1AP-PDU", CauseProtocol.TRANSFER_SYNTAX_ERROR)
    content, end = split_length(data, 3)
    if end != len(data):
        raise S1apError(f"{len(data) - end} octets after an S1AP-PDU", CauseProtocol.TRANSFER_SYNTAX_ERROR)
    spec = by_code.get((data[0] >> 5, data[1]))
    if spec is not None:
        return spec, content
    # 10.3.4.1: a procedure code that is not understood is handled by the procedure's criticality
    kind, criticality = data[0] >> 5, data[2] >> 6
    if kind > 2 or criticality > 2:
        raise S1apError("no S1AP-PDU", CauseProtocol.TRANSFER_SYNTAX_ERROR)
    cause = {
        Criticality.REJECT: CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT,
        Criticality.NOTIFY: CauseProtocol.ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY,
        Criticality.IGNORE: CauseProtocol.UNSPECIFIED,
    }[Criticality(criticality)]
    diagnostics = CriticalityDiagnostics(data[1], TriggeringMessage(kind), Criticality(criticality))
    raise S1apError(f"unknown S1AP procedure {data[1]}", cause, diagnostics)


def _elements(content: bytes) -> list[tuple[int, int, bytes]]:
    """Split a message's content into (identity, criticality, octets) of each element. Raises PeerError."""
    if len(content) < 3 or content[0] & 0x7F:
        raise PeerError("no sequence of S1AP elements")
    end = len(content)
    offset = 3
    elements = []
    for _ in range(content[1] << 8 | content[2]):
        if offset + 4 > end:
            raise PeerError("S1AP elements end early")
        length = content[offset + 3]
        if length < 0x80:
            start = offset + 4
            stop = start + length
            if stop > end:
                raise PeerError("length beyond the end of a PER encoding")
            octets = content[start:stop]
        else:
            octets, stop = split_length(content, offset + 3)
        elements.append((content[offset] << 8 | content[offset + 1], content[offset + 2] >> 6, octets))
        offset = stop
    if offset != end and content[0] == 0:
        raise PeerError(f"{end - offset} octets after the S1AP elements")
    return elements


def decode(data: bytes) -> Message:
    """Return the message. Raises S1apError, which is a PeerError, as TS 36.413 10 asks."""
    return decode_as(Message, data)


def decode_as(kind: type[M], data: bytes) -> M:
    """Return a message of one of the protocols of this family (S1AP, X2AP). Raises S1apError.

    Elements in another order than the specification's are taken: order carries no meaning, and peers differ.
    """
    try:
        spec, content = _envelope(data, kind.by_code)
        elements = _elements(content)
    except S1apError:
        raise
    except PeerError as error:
        raise S1apError(error.reason, CauseProtocol.TRANSFER_SYNTAX_ERROR) from None
    ies: dict[str, Any] = {}
    message = kind(spec.name, ies)
    rejected: list[IeCriticalityDiagnostics] = []
    notified: list[IeCriticalityDiagnostics] = []
    for identity, criticality, octets in elements:
        rule = spec.by_identity.get(identity)
        if rule is None:
            _sort(identity, Criticality(min(criticality, 2)), rejected, notified)
            continue
        name = rule.ie.name
        if name in ies:
            _refuse(message, f"{name} twice", CauseProtocol.ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE)
        try:
            ies[name] = rule.ie.type.from_octets(octets)
        except NotComprehendedError:
            _sort(identity, rule.criticality, rejected, notified)
        except PeerError as error:
            _refuse(message, f"{name}: {error.reason}", CauseProtocol.TRANSFER_SYNTAX_ERROR)
    _judge(message, spec, rejected, notified)
    return message


def _refuse(message: Message, reason: str, cause: CauseProtocol) -> None:
    raise S1apError(f"{message.name}: {reason}", cause, message.diagnosis(), message)


def _sort(
    identity: int,
    criticality: Criticality,
    rejected: list[IeCriticalityDiagnostics],
    notified: list[IeCriticalityDiagnostics],
) -> None:
    """Note an element that is not understood, by its criticality (10.3.4.2)."""
    entry = IeCriticalityDiagnostics(criticality, identity, TypeOfError.NOT_UNDERSTOOD)
    if criticality == Criticality.REJECT:
        rejected.append(entry)
    elif criticality == Criticality.NOTIFY:
        notified.append(entry)


def _judge(
    message: Message,
    spec: Spec,
    rejected: list[IeCriticalityDiagnostics],
    notified: list[IeCriticalityDiagnostics],
) -> None:
    """Refuse a message with elements that are missing or not understood, by their criticality (10.3.4.2, 10.3.5)."""
    ies = message.ies
    for rule in spec.mandatory:
        if rule.ie.name not in ies and rule.criticality == Criticality.REJECT:
            entry = IeCriticalityDiagnostics(rule.criticality, rule.ie.identity, TypeOfError.MISSING)
            if entry._replace(type_of_error=TypeOfError.NOT_UNDERSTOOD) not in rejected:
                rejected.append(entry)
    if rejected:
        names = ", ".join(f"{entry.ie_id} {entry.type_of_error.spec_name}" for entry in rejected)
        cause = CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT
        reason = f"{message.name}: element {names}"
        raise S1apError(reason, cause, message.diagnosis(*rejected[:256]), message)
    message.notify = tuple(notified[:256])


def ue_ids(message: Message) -> dict[str, Any]:
    """Return those elements that say which device a message is about."""
    return {name: message.ies[name] for name in ("mme_ue_s1ap_id", "enb_ue_s1ap_id") if name in message.ies}


def answer_to(error: S1apError) -> Message | None:
    """Return what an erroneous message calls for: its procedure's failure message, else an Error Indication (10.3).

    None where nothing may be sent: an Error Indication is never answered by another (10.2), nor is what carries
    criticality ignore.
    """
    ies: dict[str, Any] = {"cause": error.cause}
    if error.diagnostics is not None:
        ies["criticality_diagnostics"] = error.diagnostics
    message = error.message
    if message is None:
        return Message("error-indication", ies) if error.cause != CauseProtocol.UNSPECIFIED else None
    if message.name == "error-indication":
        return None
    known = ue_ids(message)
    failure = message.by_code.get((MessageType.UNSUCCESSFUL, message.procedure))
    if message.type == MessageType.INITIATING and failure is not None:
        wanted = {rule.ie.name for rule in failure.mandatory} - {"cause"}
        if wanted <= known.keys():
            return Message(failure.name, ies | {name: known[name] for name in wanted})
    return Message("error-indication", ies | known)


def notification_of(message: Message) -> Message | None:
    """Return the Error Indication that tells of elements in an accepted message that were not understood (10.3.4.2)."""
    if not message.notify:
        return None
    known = ue_ids(message)
    cause = CauseProtocol.ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY
    diagnostics = message.diagnosis(*message.notify)
    return Message("error-indication", {**known, "cause": cause, "criticality_diagnostics": diagnostics})
