"""An S1AP message in the field's words, for expectations, ladders and reports."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, get_type_hints

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.dissection import Dissection, dissect_carried
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.fields import SECRET, SECRETS, values_of
from simwarden.wire.nas.reading import any_fields
from simwarden.wire.nas.reading import dissect as dissect_nas
from simwarden.wire.s1ap import aper
from simwarden.wire.s1ap.codec import decode
from simwarden.wire.s1ap.enums import S1apEnum
from simwarden.wire.s1ap.ies import PLMN
from simwarden.wire.s1ap.messages import SPECS, Procedure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import IntEnum

    from simwarden.wire.s1ap.codec import Message
    from simwarden.wire.s1ap.ies import Ie
    from simwarden.wire.s1ap.messages import Spec

_WORDS = {"nas": "NAS", "ue": "UE", "enb": "eNB", "mme": "MME", "sn": "SN"}


@cache
def title_of(name: str) -> str:
    """Return a message's name as a person writes it: `Initial UE message`."""
    title = " ".join(_WORDS.get(word.lower(), word) for word in name.capitalize().split("-"))
    return title.replace("E rab", "E-RAB")


def plain_fields(message: Message) -> dict[str, Any]:
    """Return a message's elements as plain values, keys masked."""
    return {name: _plain(name, value) for name, value in message.ies.items()}


def _plain(name: str, value: Any) -> Any:
    if name in SECRETS and value is not None:
        shown: Any = "***"
    elif isinstance(value, S1apEnum):
        shown = value.text
    elif isinstance(value, (Plmn, Tai, Ecgi)):
        shown = str(value)
    elif hasattr(value, "_asdict"):
        shown = {part: _plain(part, content) for part, content in value._asdict().items() if content is not None}
    elif isinstance(value, tuple):
        shown = [_plain(name, item) for item in value]
    else:
        shown = value
    return shown


def _nas_pdus(message: Message) -> list[bytes]:
    """Return the NAS messages that it carries: its own and those of bearers."""
    found = [message.ies["nas_pdu"]] if "nas_pdu" in message.ies else []
    for name in (
        "e_rab_to_be_setup_list_ctxt_su_req",
        "e_rab_to_be_setup_list_bearer_su_req",
        "e_rab_to_be_modified_list_bearer_mod_req",
    ):
        found += [item.nas_pdu for item in message.ies.get(name, ()) if item.nas_pdu is not None]
    return found


def _about(message: Message) -> str:
    """Return what a ladder should say beside the name."""
    about = ""
    match message.ies:
        case {"eutran_cgi": cell}:
            about = f"cell {cell}"
        case {"global_enb_id": enb}:
            about = f"eNB {enb.enb_id.value:05x}"
        case {"target_id": target}:
            about = f"to eNB {target.global_enb_id.enb_id.value:05x}"
        case {"mme_name": name}:
            about = name
    return about


def dissect(data: bytes, nas: Callable[[bytes], Dissection] | None = None) -> Dissection:
    """Show a message by the specification's names.

    `nas` dissects the NAS messages inside; without it `simwarden.wire.nas.dissect` does. Keys read `***`. Raises
    PeerError if the S1AP message is bad; bad NAS is shown as such.
    """
    message = decode(data)
    fields = plain_fields(message)
    inner = [dissect_carried(nas or dissect_nas, pdu, "nas", "NAS") for pdu in _nas_pdus(message)]
    cause = fields.get("cause", "")
    title = title_of(message.name)
    about = [part for part in (_about(message), cause) if part]
    head = f"{title} ({', '.join(about)})" if about else title
    summary = ", ".join([head, *(part.summary for part in inner)])
    shown = next((part.cause for part in inner if part.cause), "") or cause
    return Dissection(message.name, summary, fields, shown, tuple(inner))


def field_values(ie: Ie) -> v.Values:
    """Return what an element of a message may be, as it is shown."""
    return SECRET if ie.name in SECRETS else _values_of(ie.type)


@cache
def _values_of(kind: aper.Type) -> v.Values:
    match kind:
        case aper.Enumerated():
            found = values_of(kind.kind)
        case aper.SequenceOf() | aper.ItemList():
            found = _values_of(kind.item)
        case aper.Choice():
            taken = [each for each in kind.alternatives if each is not None]
            each_of = [_values_of(each) if cls is tuple else values_of(cls) for cls, each in taken]
            found = functools.reduce(operator.or_, each_of)
        case aper.Struct():
            made = kind.make if isinstance(kind.make, type) else get_type_hints(kind.make).get("return")
            found = values_of(made) if made is not None else _values_of(kind.fields[0][0])
        case aper.OctetString() | aper.BitOctets():
            found = v.OCTETS
        case aper.PrintableString():
            found = v.NAME
        case _:
            found = v.PLMN if kind is PLMN else v.NUMBER
    return found


class S1ap(Reading):
    """How S1AP is read."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, partial(known.inner, "nas") if known.inner is not None else None)

    def mask(self, data: bytes) -> bytes:
        """See Reading."""
        try:
            ies = decode(data).ies
        except PeerError:
            return data
        # Both elements are octet-aligned bit strings of 256 bits: their octets stand in the message as they are.
        for name, part in (("security_key", ""), ("security_context", "next_hop_parameter")):
            value = ies.get(name)
            key = getattr(value, part) if part and value is not None else value
            if key:
                data = data.replace(bytes(key), bytes(len(key)))
        return data

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return SPECS

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        spec = SPECS.get(name)
        return None if spec is None else info_of(spec, "S1AP", Procedure(spec.procedure), "TS 36.413")


def info_of(spec: Spec, protocol: str, procedure: IntEnum, document: str) -> MessageInfo:
    """Return what the tables say of a message; what a NAS message in it may have is NAS's to say."""
    fields = []
    for rule in spec.rules:
        values = field_values(rule.ie)
        opened = replace(values, inside=any_fields) if rule.ie.name == "nas_pdu" else values
        fields.append(MessageField(rule.ie.name, rule.mandatory, opened))
    words = procedure.name.lower().replace("_", " ")
    return MessageInfo(f"{protocol} message of the procedure {words} ({document} 9.1)", tuple(fields))
