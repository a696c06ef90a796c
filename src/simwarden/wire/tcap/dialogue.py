"""The dialogue portion: which application context both ends speak, and who gives a dialogue up (Q.773 3.2, 4.2.3)."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from simwarden.errors import PeerError
from simwarden.wire import ber
from simwarden.wire.tcap.enums import AbortSource, Diagnostic

Context: TypeAlias = tuple[int, ...]
"""The name of an application context: an object identifier."""

_AS_ID: Final = ber.put_oid((0, 0, 17, 773, 1, 1, 1))
"""dialogue-as-id: what is inside is a structured dialogue."""
_SINGLE_TYPE: Final = 0xA0
_AARQ, _AARE, _ABRT = 0x60, 0x61, 0x64
_VERSION, _CONTEXT, _RESULT, _DIAGNOSTIC, _USER_INFORMATION = 0x80, 0xA1, 0xA2, 0xA3, 0xBE
_VERSION_1: Final = bytes((_VERSION, 2, 7, 0x80))
_USER, _PROVIDER = 0xA1, 0xA2
_OF_PROVIDER: Final = 16


class Aarq(NamedTuple):
    """A dialogue is asked for by its context. `user_information` is a row of EXTERNALs."""

    context: Context
    user_information: bytes = b""


class Aare(NamedTuple):
    """The answer: the context that is accepted or, where it is not, the one that would be."""

    context: Context
    accepted: bool = True
    diagnostic: int = Diagnostic.USER_NULL
    user_information: bytes = b""


class Abrt(NamedTuple):
    """A dialogue is given up."""

    source: int = AbortSource.USER
    user_information: bytes = b""


Dialogue: TypeAlias = Aarq | Aare | Abrt


class BadDialogue(NamedTuple):
    """A dialogue portion that came and cannot be read."""

    reason: str
    octets: bytes


def encode_dialogue(dialogue: Dialogue | BadDialogue) -> bytes:
    """Return the contents of a dialogue portion."""
    if isinstance(dialogue, BadDialogue):
        return dialogue.octets
    return ber.put(ber.EXTERNAL, _AS_ID + ber.put(_SINGLE_TYPE, _encode_pdu(dialogue)))


def _encode_pdu(dialogue: Dialogue) -> bytes:
    more = ber.put(_USER_INFORMATION, dialogue.user_information) if dialogue.user_information else b""
    match dialogue:
        case Aarq(context):
            return ber.put(_AARQ, _VERSION_1 + _encode_context(context) + more)
        case Aare(context, accepted, diagnostic):
            tag = _PROVIDER if diagnostic >= _OF_PROVIDER else _USER
            told = ber.put(tag, ber.put_integer(diagnostic % _OF_PROVIDER))
            result = ber.put(_RESULT, ber.put_integer(not accepted)) + ber.put(_DIAGNOSTIC, told)
            return ber.put(_AARE, _VERSION_1 + _encode_context(context) + result + more)
        case Abrt(source):
            return ber.put(_ABRT, ber.put_integer(source, 0x80) + more)


def _encode_context(context: Context) -> bytes:
    return ber.put(_CONTEXT, ber.put_oid(context))


def decode_dialogue(value: bytes) -> Dialogue | BadDialogue:
    """Read the contents of a dialogue portion; one that cannot be read is told, so that it is answered."""
    try:
        return _decode(value)
    except PeerError as error:
        return BadDialogue(error.reason, value)


def _decode(value: bytes) -> Dialogue:
    external = ber.only(value)
    parts = ber.elements(external.value)
    if external.tag != ber.EXTERNAL or len(parts) != 2 or parts[0].octets != _AS_ID or parts[1].tag != _SINGLE_TYPE:
        raise PeerError("no structured dialogue")
    pdu = ber.only(parts[1].value)
    fields = {each.tag: each.value for each in ber.elements(pdu.value)}
    more = fields.get(_USER_INFORMATION, b"")
    if pdu.tag == _ABRT:
        return Abrt(ber.take_integer(fields.get(0x80, b"")), more)
    _check_version(fields)
    context = ber.only(fields.get(_CONTEXT, b""))
    if context.tag != ber.OBJECT_IDENTIFIER:
        raise PeerError("an application context without a name")
    name = ber.take_oid(context.value)
    if pdu.tag == _AARQ:
        return Aarq(name, more)
    if pdu.tag != _AARE:
        raise PeerError(f"no dialogue PDU has tag {pdu.tag:#04x}")
    result = ber.take_integer(ber.only(fields.get(_RESULT, b"")).value)
    if result not in (0, 1):
        raise PeerError(f"result {result}")
    return Aare(name, not result, _diagnostic(fields.get(_DIAGNOSTIC, b"")), more)


def _check_version(fields: dict[int, bytes]) -> None:
    """Check that version 1, which is also what stands for nothing, is among those of the peer."""
    bits = fields.get(_VERSION, b"\x07\x80")
    if len(bits) < 2 or not bits[1] & 0x80:
        raise PeerError("no common version of the dialogue portion")


def _diagnostic(value: bytes) -> int:
    source = ber.only(value)
    number = ber.take_integer(ber.only(source.value).value)
    if source.tag not in (_USER, _PROVIDER) or not 0 <= number < _OF_PROVIDER:
        raise PeerError("a diagnostic of nobody")
    return number + (_OF_PROVIDER if source.tag == _PROVIDER else 0)
