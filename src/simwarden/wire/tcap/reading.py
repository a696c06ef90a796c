"""Messages of TCAP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.sms.reading import named
from simwarden.wire.tcap.codec import decode
from simwarden.wire.tcap.components import Component, Malformed, Reject, encode_component
from simwarden.wire.tcap.dialogue import Aare, Aarq, Abrt, BadDialogue
from simwarden.wire.tcap.enums import PROBLEMS, AbortCause, AbortSource, Diagnostic, MessageType, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import IntEnum

    from simwarden.wire.tcap.message import Message

#: the subsystem by which CAP is spoken (TS 23.003 8.2), and contexts of it: all of CAP phase 3 and 4, three of phase 2
_CAP_SUBSYSTEM: Final = 146
_CAP_CONTEXTS: Final = ((0, 4, 0, 0, 1, 21), (0, 4, 0, 0, 1, 23))
_CAP_PHASE_2: Final = ((0, 4, 0, 0, 1, 0, 50), (0, 4, 0, 0, 1, 0, 51), (0, 4, 0, 0, 1, 0, 52))
_REJECT: Final = "tc-reject"


def name_of(kind: MessageType) -> str:
    """Return a message's name as in `tc-begin`."""
    return f"tc-{kind.name.lower()}"


def family_of(message: Message, via: int) -> str:
    """Return whose the components are: by the context where it is told, else by the subsystem."""
    context = getattr(message.dialogue, "context", None)
    if context is None:
        return "cap" if via == _CAP_SUBSYSTEM else "map"
    return "cap" if context[:6] in _CAP_CONTEXTS or context[:7] in _CAP_PHASE_2 else "map"


def dissect(data: bytes, known: Known) -> Dissection:
    """Show one message with the operations in it. Raises PeerError."""
    message = decode(data)
    fields: dict[str, Any] = {"otid": message.otid, "dtid": message.dtid}
    fields = {name: value for name, value in fields.items() if value} | _dialogue(message)
    cause = ""
    if message.type is MessageType.ABORT:
        cause = "TC U-ABORT"
        if message.cause is not None:
            fields["p_abort_cause"] = named(AbortCause, message.cause)
            cause = f"TC P-ABORT {_words(fields['p_abort_cause'])}"
    family = family_of(message, known.via)
    inner = tuple(_component(each, family, known) for each in message.components)
    cause = cause or next((each.cause for each in inner if each.cause), "")
    title = "TC-" + message.type.name
    refused = isinstance(message.dialogue, Aare) and not message.dialogue.accepted
    told = [each.summary for each in inner]
    told += ["context refused"] if refused else []
    summary = f"{title} {', '.join(told)}" if told else cause or title
    return Dissection(name_of(message.type), summary, fields, cause or ("context refused" if refused else ""), inner)


def _dialogue(message: Message) -> dict[str, Any]:
    dialogue = message.dialogue
    match dialogue:
        case Aarq(context):
            return {"dialogue": "request", "application_context": ".".join(map(str, context))}
        case Aare(context, accepted, diagnostic):
            answer = "accepted" if accepted else "refused"
            return {
                "dialogue": answer,
                "application_context": ".".join(map(str, context)),
                "diagnostic": named(Diagnostic, diagnostic),
            }
        case Abrt(source):
            return {"dialogue": "abort", "abort_source": named(AbortSource, source)}
        case BadDialogue(reason):
            return {"dialogue": "malformed", "malformed_dialogue": reason}
    return {}


def _component(component: Component, family: str, known: Known) -> Dissection:
    octets = encode_component(component)
    if isinstance(component, Reject):
        return _dissect_reject(component)
    if isinstance(component, Malformed):
        return Dissection("malformed-component", "malformed component", {"octets": octets})
    if known.inner is None:
        return Dissection("component", type(component).__name__, {"octets": octets})
    try:
        return known.inner(family, octets)
    except PeerError as error:
        return Dissection("malformed-component", f"malformed component: {error.reason}", {"octets": octets})


def _dissect_reject(component: Reject) -> Dissection:
    kind, code = component.problem
    problem = named(PROBLEMS[kind], code)
    fields = {"problem_kind": kind, "problem": getattr(problem, "name", problem)}
    if component.invoke_id is not None:
        fields["invoke_id"] = component.invoke_id
    cause = f"TC reject: {_words(problem)}"
    return Dissection(_REJECT, cause, fields, cause)


def _words(value: int) -> str:
    return str(getattr(value, "name", int(value))).lower().replace("_", " ")


_PROBLEM_NAMES: Final = tuple(dict.fromkeys(name for each in PROBLEMS.values() for name in each.__members__))
_DIALOGUES: Final = v.one_of("request", "accepted", "refused", "abort", "malformed")


def _field(name: str, values: type[IntEnum]) -> MessageField:
    return MessageField(name, False, v.members(values) | v.NUMBER, values)


def _fields(kind: MessageType) -> Iterable[MessageField]:
    if kind in (MessageType.BEGIN, MessageType.CONTINUE):
        yield MessageField("otid", True, v.OCTETS)
    if kind is not MessageType.BEGIN:
        yield MessageField("dtid", True, v.OCTETS)
    if kind is MessageType.ABORT:
        yield _field("p_abort_cause", AbortCause)
        yield _field("abort_source", AbortSource)
    yield MessageField("dialogue", False, _DIALOGUES)
    yield MessageField("malformed_dialogue", False, v.TEXT)
    yield MessageField("application_context", False, v.shaped("an object identifier", r"\d+(\.\d+)+"))
    yield _field("diagnostic", Diagnostic)


class Tcap(Reading):
    """How TCAP is read."""

    dissector = "tcap"

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, known)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (*map(name_of, MessageType), _REJECT)

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        if name == _REJECT:
            fields = (
                MessageField("problem_kind", True, v.members(ProblemKind), ProblemKind),
                MessageField("problem", True, v.one_of(*_PROBLEM_NAMES) | v.NUMBER),
                MessageField("invoke_id", False, v.NUMBER),
            )
            return MessageInfo("component of TCAP (Q.773 3.3)", fields)
        kind = next((each for each in MessageType if name_of(each) == name), None)
        if kind is None:
            return None
        return MessageInfo(f"message of TCAP, tag {kind:#04x} (Q.773 3.1)", tuple(_fields(kind)))
