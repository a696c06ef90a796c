"""Values of our types, drawn by hypothesis and turned into pycrate's by walking both descriptions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from pycrate_asn1dir import S1AP, X2AP

from simwarden.model.identity import Plmn
from simwarden.wire import x2
from simwarden.wire.s1ap import Message, aper, ies

if TYPE_CHECKING:
    from collections.abc import Callable

DESCRIPTIONS = {Message: S1AP.S1AP_PDU_Descriptions, x2.Message: X2AP.X2AP_PDU_Descriptions}
PDUS = {Message: DESCRIPTIONS[Message].S1AP_PDU, x2.Message: DESCRIPTIONS[x2.Message].X2AP_PDU}
PROCEDURES = {
    Message: DESCRIPTIONS[Message].S1AP_ELEMENTARY_PROCEDURES,
    x2.Message: DESCRIPTIONS[x2.Message].X2AP_ELEMENTARY_PROCEDURES,
}
OUTCOMES = ("initiatingMessage", "successfulOutcome", "unsuccessfulOutcome")
CRITICALITIES = ("reject", "ignore", "notify")

digits = st.text("0123456789", min_size=3, max_size=3)
plmns = st.builds(Plmn, digits, st.text("0123456789", min_size=2, max_size=3))
imsis = st.text("0123456789", min_size=6, max_size=15)


def octets(least: int, most: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=least, max_size=most)


def strategy(kind: aper.Type) -> st.SearchStrategy[Any]:
    """All values of a type (lists kept short)."""
    return DRAWN[type(kind).__mro__[-3]](kind)


def _number(kind: Any) -> st.SearchStrategy[int]:
    return st.sampled_from([kind.low, kind.high]) | st.integers(kind.low, kind.high)


def _list(kind: Any) -> st.SearchStrategy[Any]:
    most = 4 if isinstance(kind, aper.ItemList) else min(4, kind.length.high)
    return st.lists(strategy(kind.item), min_size=1, max_size=most).map(tuple)


def _struct(kind: Any) -> st.SearchStrategy[Any]:
    parts = [st.none() | strategy(field) if optional else strategy(field) for field, optional in kind.fields]
    return st.tuples(*parts).map(lambda values: kind.make(*values))


def _mapped(kind: Any) -> st.SearchStrategy[Any]:
    if kind is ies.PLMN:
        return plmns
    return imsis if _is_imsi(kind) else strategy(kind.kind).map(kind.from_wire)


DRAWN: dict[type, Any] = {
    aper.Integer: _number,
    aper.Enumerated: lambda kind: st.sampled_from(kind.members),
    aper.OctetString: lambda kind: octets(kind.low, 40 if kind.high is None else kind.high),
    aper.OctetNumber: lambda kind: st.integers(0, (1 << 8 * kind.size) - 1),
    aper.Bits: lambda kind: st.integers(0, (1 << kind.size) - 1),
    aper.BitOctets: lambda kind: octets((kind.low + 7) // 8, kind.high // 8),
    aper.PrintableString: lambda kind: st.text("eNB-1 (a)", min_size=1, max_size=kind.length.high),
    aper.SequenceOf: _list,
    aper.ItemList: _list,
    aper.Struct: _struct,
    aper.Choice: lambda kind: st.one_of([strategy(entry[1]) for entry in kind.alternatives if entry]),
    aper.Mapped: _mapped,
}


def _is_imsi(kind: aper.Mapped) -> bool:
    return isinstance(kind.kind, aper.OctetString) and kind is not ies.PLMN


def theirs(kind: aper.Type, asn1: Any, value: Any) -> Any:
    """Our value as pycrate wants it, `asn1` being its description of the type."""
    found: Any
    match kind:
        case aper.Enumerated():
            found = [*asn1._root, *(asn1._ext or [])][value]
        case aper.OctetNumber():
            found = value.to_bytes(kind.size, "big")
        case aper.Bits():
            found = (value, kind.size)
        case aper.BitOctets():
            found = (int.from_bytes(value, "big"), 8 * len(value))
        case aper.SequenceOf():
            found = [theirs(kind.item, asn1._cont, item) for item in value]
        case aper.ItemList():
            found = [_item(kind, asn1, item) for item in value]
        case aper.Struct():
            names = [name for name in asn1._cont if name != "iE-Extensions"]
            pairs = zip(kind.fields, names, kind.parts(value), strict=True)
            found = {n: theirs(k, asn1._cont[n], part) for (k, _), n, part in pairs if part is not None}
        case aper.Choice():
            index, alternative = kind.by_class[type(value)]
            name = list(asn1._cont)[index]
            found = (name, theirs(alternative, asn1._cont[name], value))
        case aper.Mapped():
            found = theirs(kind.kind, asn1, kind.to_wire(value))
        case _:
            found = value
    return found


def _objects(table: Any) -> list[dict[str, Any]]:
    return [*table.root, *(table.ext or [])]


def _item(kind: aper.ItemList, asn1: Any, item: Any) -> dict[str, Any]:
    (row,) = _objects(asn1._cont._cont["id"]._const_tab._val)
    value = (_name(row["Value"]), theirs(kind.item, row["Value"], item))
    return {"id": row["id"], "criticality": row["criticality"], "value": value}


def _name(asn1: Any) -> str:
    name: str = asn1._typeref.called[1]
    return name


def description(kind: type[Message], name: str) -> tuple[dict[str, Any], Any, list[dict[str, Any]]]:
    """pycrate's procedure, message type and elements of a message."""
    spec = kind.specs[name]
    (row,) = [row for row in _objects(PROCEDURES[kind]._val) if row["procedureCode"] == spec.procedure]
    asn1 = row[("InitiatingMessage", "SuccessfulOutcome", "UnsuccessfulOutcome")[spec.type]]
    return row, asn1, _objects(asn1._cont["protocolIEs"]._cont._cont["id"]._const_tab._val)


def their_value(message: Message) -> Any:
    """The message as a value of pycrate's PDU."""
    spec = message.specs[message.name]
    row, asn1, table = description(type(message), message.name)
    by_id = {entry["id"]: entry for entry in table}
    elements = []
    for rule in spec.rules:
        value = message.ies.get(rule.ie.name)
        if value is not None:
            entry = by_id[rule.ie.identity]
            content = (_name(entry["Value"]), theirs(rule.ie.type, entry["Value"], value))
            elements.append({"id": rule.ie.identity, "criticality": entry["criticality"], "value": content})
    body = (asn1._typeref.called[1], {"protocolIEs": elements})
    head = {"procedureCode": row["procedureCode"], "criticality": row.get("criticality", "ignore")}
    return (OUTCOMES[spec.type], {**head, "value": body})


def their_octets(message: Message) -> bytes:
    """The message as pycrate encodes it."""
    pdu = PDUS[type(message)]
    pdu.set_val(their_value(message))
    octets: bytes = pdu.to_aper()
    return octets


def re_encoded(kind: type[Message], data: bytes) -> bytes:
    """What pycrate makes of octets that it decodes first."""
    PDUS[kind].from_aper(data)
    octets: bytes = PDUS[kind].to_aper()
    return octets


def messages(kind: type[Message], name: str, decide: Callable[[str], bool] | None = None) -> st.SearchStrategy[Message]:
    """All messages of a name: mandatory elements always, others by chance (or as `decide` says)."""
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for rule in kind.specs[name].rules:
        value = strategy(rule.ie.type)
        if rule.mandatory or (decide and decide(rule.ie.name)):
            parts[rule.ie.name] = value
        elif decide is None:
            parts[rule.ie.name] = st.none() | value
    return st.fixed_dictionaries(parts).map(lambda ies: kind(name, {k: v for k, v in ies.items() if v is not None}))
