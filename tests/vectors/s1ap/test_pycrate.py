"""Every S1AP message against pycrate: its table, its octets both ways; and nothing but PeerError for bad octets."""

from __future__ import annotations

from typing import Any

import budget
import pytest
import s1ap_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import x2
from simwarden.wire.s1ap import (
    SPECS,
    CauseProtocol,
    CauseRadioNetwork,
    Criticality,
    Message,
    S1apError,
    TypeOfError,
    decode,
    encode,
    enums,
)
from simwarden.wire.s1ap.codec import decode_as
from simwarden.wire.s1ap.ies import IES
from simwarden.wire.s1ap.values import IeCriticalityDiagnostics
from simwarden.wire.x2.ies import IES as X2_IES

quick = settings(max_examples=budget.examples(12))
MESSAGES = [(kind, name) for kind in (Message, x2.Message) for name in kind.specs]
PLMN = Plmn("001", "01")
UPLINK = Message(
    "uplink-nas-transport",
    {
        "mme_ue_s1ap_id": 1,
        "enb_ue_s1ap_id": 2,
        "nas_pdu": b"\x07\x45",
        "eutran_cgi": Ecgi(PLMN, 0x12301),
        "tai": Tai(PLMN, 7),
    },
)


@pytest.mark.parametrize(("kind", "name"), MESSAGES)
@quick
@given(data=st.data())
def test_octets_are_pycrates(kind: type[Message], name: str, data: st.DataObject) -> None:
    message = data.draw(oracle.messages(kind, name))
    octets = oracle.their_octets(message)
    assert encode(message).hex() == octets.hex()
    assert decode_as(kind, octets) == message
    assert oracle.re_encoded(kind, octets) == octets


@pytest.mark.parametrize(("kind", "name"), MESSAGES)
@settings(max_examples=budget.examples(4))
@given(data=st.data())
def test_octets_with_all_elements_and_with_the_least(kind: type[Message], name: str, data: st.DataObject) -> None:
    for every in (True, False):
        message = data.draw(oracle.messages(kind, name, lambda _: every))  # noqa: B023 - drawn at once
        assert len(message.ies) == len(kind.specs[name].rules if every else kind.specs[name].mandatory)
        assert encode(message) == oracle.their_octets(message)
        assert decode_as(kind, encode(message)) == message


@pytest.mark.parametrize(("kind", "name"), MESSAGES)
def test_table_is_pycrates(kind: type[Message], name: str) -> None:
    row, _, table = oracle.description(kind, name)
    spec = kind.specs[name]
    assert oracle.CRITICALITIES[spec.criticality] == row.get("criticality", "ignore")
    theirs = {entry["id"]: entry for entry in table}
    order = [entry["id"] for entry in table]
    ours = [rule.ie.identity for rule in spec.rules]
    assert ours == sorted(ours, key=order.index)
    for rule in spec.rules:
        entry = theirs[rule.ie.identity]
        assert oracle.CRITICALITIES[rule.criticality] == entry["criticality"], rule.ie.name
        assert rule.mandatory == (entry["presence"] == "mandatory"), rule.ie.name
    assert {i for i, entry in theirs.items() if entry["presence"] == "mandatory"} <= set(ours)


@pytest.mark.parametrize(
    "kind", [k for k in vars(enums).values() if isinstance(k, type) and k.__module__ == enums.__name__]
)
def test_enumerations_have_the_specs_names(kind: type[enums.S1apEnum]) -> None:
    from pycrate_asn1dir import S1AP

    wanted = kind.__name__.lower()
    modules = (S1AP.S1AP_IEs, S1AP.S1AP_CommonDataTypes, S1AP.S1AP_PDU_Contents)
    found = [getattr(m, n) for m in modules for n in dir(m) if n.replace("_", "").lower() == wanted]
    if kind is not enums.S1apEnum:
        assert [member.spec_name for member in kind] == [*found[0]._root, *(found[0]._ext or [])]


@pytest.mark.parametrize(("specs", "elements"), [(SPECS, IES), (x2.SPECS, X2_IES)])
def test_all_elements_are_used(specs: dict[str, Any], elements: dict[str, Any]) -> None:
    assert {rule.ie.name for spec in specs.values() for rule in spec.rules} == set(elements)


@pytest.mark.parametrize("kind", [x2.CauseRadioNetwork, x2.CauseTransport, x2.CauseProtocol, x2.CauseMisc])
def test_causes_of_x2_are_in_their_order(kind: type[enums.S1apEnum]) -> None:
    from pycrate_asn1dir import X2AP

    theirs = getattr(X2AP.X2AP_IEs, kind.__name__)._root
    assert [member.spec_name.lower() for member in kind] == [name.lower() for name in theirs]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 16385, 32768, 65536, 65537, 150000])
def test_long_contents_are_fragmented_as_pycrate_does(length: int) -> None:
    pdu = bytes(range(256)) * (length // 256 + 1)
    message = Message("downlink-nas-transport", {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 2, "nas_pdu": pdu[:length]})
    octets = encode(message)
    assert octets == oracle.their_octets(message)
    assert decode(octets) == message


@pytest.mark.parametrize(("kind", "name"), MESSAGES)
@settings(max_examples=budget.examples(15))
@given(data=st.data())
def test_damaged_octets_give_a_message_or_a_peer_error(kind: type[Message], name: str, data: st.DataObject) -> None:
    octets = bytearray(encode(data.draw(oracle.messages(kind, name))))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(octets[: data.draw(st.integers(0, len(octets)))]) if data.draw(st.booleans()) else bytes(octets)
    try:
        message = decode_as(kind, damaged)
    except S1apError as error:
        assert error.cause in CauseProtocol  # noqa: PT017 - both outcomes are right
        return
    assert message.name in kind.specs


@given(st.binary(max_size=60))
def test_noise_is_a_peer_error(noise: bytes) -> None:
    try:
        decode(noise)
    except PeerError:
        return


def _with_element(identity: int, criticality: int, octets: bytes) -> bytes:
    data = encode(UPLINK)
    content = data[4:]
    content = content[:2] + bytes((content[2] + 1,)) + content[3:]
    content += identity.to_bytes(2, "big") + bytes((criticality << 6, len(octets))) + octets
    return data[:3] + bytes((len(content),)) + content


def test_unknown_elements_by_criticality() -> None:
    assert decode(_with_element(999, Criticality.IGNORE, b"\x01")) == UPLINK
    noted = decode(_with_element(999, Criticality.NOTIFY, b"\x01"))
    entry = IeCriticalityDiagnostics(Criticality.NOTIFY, 999, TypeOfError.NOT_UNDERSTOOD)
    assert noted.notify == (entry,)
    with pytest.raises(S1apError) as caught:
        decode(_with_element(999, Criticality.REJECT, b"\x01"))
    assert caught.value.cause == CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT
    assert caught.value.diagnostics
    assert caught.value.diagnostics.procedure_code == 13
    assert caught.value.diagnostics.ies == (entry._replace(ie_criticality=Criticality.REJECT),)
    assert caught.value.message
    assert caught.value.message.ies["enb_ue_s1ap_id"] == 2


def test_element_twice_is_falsely_constructed() -> None:
    with pytest.raises(S1apError) as caught:
        decode(_with_element(8, Criticality.REJECT, b"\x00\x02"))
    assert caught.value.cause == CauseProtocol.ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE


def _without(name: str) -> bytes:
    full = encode(UPLINK)
    part = next(r.head for r in SPECS[UPLINK.name].rules if r.ie.name == name)
    at = full.index(part)
    end = at + 4 + full[at + 3]
    content = full[4:at] + full[end:]
    content = content[:2] + bytes((content[2] - 1,)) + content[3:]
    return full[:3] + bytes((len(content),)) + content


def test_missing_elements_by_criticality() -> None:
    with pytest.raises(S1apError) as caught:
        decode(_without("nas_pdu"))
    assert caught.value.diagnostics
    assert caught.value.diagnostics.ies == (IeCriticalityDiagnostics(Criticality.REJECT, 26, TypeOfError.MISSING),)
    message = decode(_without("tai"))
    assert message.get("tai") is None
    with pytest.raises(S1apError):
        message["tai"]


def test_value_of_a_newer_release_is_handled_by_criticality() -> None:
    newer = encode(Message("reset", {"cause": CauseRadioNetwork.UNSPECIFIED, "reset_type": enums.ResetAll.RESET_ALL}))
    at = newer.index(b"\x00\x02\x40\x02") + 4  # cause: choice 0, then extension value 63
    newer = newer[:at] + bytes((0b00001011, 0b11110000)) + newer[at + 2 :]
    message = decode(newer)
    assert message.get("cause") is None
    assert message["reset_type"] == enums.ResetAll.RESET_ALL


def test_number_of_a_newer_release_is_not_comprehended() -> None:
    from simwarden.wire.s1ap import aper

    with pytest.raises(aper.NotComprehendedError):
        aper.Integer(0, 15, extensible=True).from_octets(b"\x80\x02\x01\x2c")


def test_unknown_procedure() -> None:
    with pytest.raises(S1apError) as caught:
        decode(bytes.fromhex("00c80003000000"))
    assert caught.value.cause == CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT
    assert caught.value.diagnostics
    assert caught.value.diagnostics.procedure_code == 200


def test_encode_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="lacks nas_pdu"):
        encode(Message("uplink-nas-transport", {k: v for k, v in UPLINK.ies.items() if k != "nas_pdu"}))
    with pytest.raises(ValueError, match="has no element cause"):
        encode(Message("uplink-nas-transport", UPLINK.ies | {"cause": CauseRadioNetwork.UNSPECIFIED}))
    for name, value in (
        ("mme_ue_s1ap_id", 1 << 32),
        ("enb_ue_s1ap_id", -1),
        ("tai", Tai(PLMN, 1 << 16)),
        ("eutran_cgi", Ecgi(PLMN, 1 << 28)),
    ):
        with pytest.raises(ValueError, match="not"):
            encode(Message("uplink-nas-transport", UPLINK.ies | {name: value}))
