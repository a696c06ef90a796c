"""Alphabets, headers, long messages, validity and addresses of TPDUs, and what carries them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from short_messages import CARD, SENT, tpdu
from sms_diameter import S6C_MESSAGES, SGD, SGD_MESSAGES

from simwarden.errors import PeerError
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Frame
from simwarden.wire import nas, ppsms, sms
from simwarden.wire.diameter import Message, encode
from simwarden.wire.sms.alphabet import _SEPTETS
from simwarden.wire.sms.coding import parts_of

TEXTS = st.text(st.sampled_from(sorted(_SEPTETS)), max_size=160)
NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "octets"),
    [("hellohello", "e8329bfd4697d9ec37"), ("", ""), ("@", "00"), ("1234567", "31d98c56b3dd00"), ("€", "9b32")],
)
def test_septets_are_packed(text: str, octets: str) -> None:
    """The first is the example that all handbooks give."""
    septets = sms.to_septets(text)
    assert sms.pack(septets).hex() == octets
    assert sms.unpack(bytes.fromhex(octets), len(septets)) == septets


@given(text=TEXTS, fill=st.integers(0, 6))
def test_any_text_of_the_alphabet_comes_back(text: str, fill: int) -> None:
    septets = sms.to_septets(text)
    assert sms.from_septets(sms.unpack(sms.pack(septets, fill), len(septets), fill)) == text


def test_what_the_alphabet_has_not() -> None:
    assert not sms.in_alphabet("电")
    with pytest.raises(ValueError, match="'电' is not in the GSM 7 bit"):
        sms.to_septets("电")
    assert sms.from_septets(b"\x1b\x1b\x1b\x41\x1b") == " A "


@pytest.mark.parametrize(
    ("scheme", "alphabet", "message_class"),
    [
        (0x00, sms.Alphabet.GSM_7_BIT, None),
        (0x04, sms.Alphabet.OCTETS, None),
        (0x08, sms.Alphabet.UCS2, None),
        (0x10, sms.Alphabet.GSM_7_BIT, 0),
        (0x16, sms.Alphabet.OCTETS, 2),
        (0x20, sms.Alphabet.OCTETS, None),  # compressed
        (0x52, sms.Alphabet.GSM_7_BIT, 2),  # marked for automatic deletion
        (0x80, sms.Alphabet.GSM_7_BIT, None),  # reserved
        (0xC0, sms.Alphabet.GSM_7_BIT, None),
        (0xD0, sms.Alphabet.GSM_7_BIT, None),
        (0xE0, sms.Alphabet.UCS2, None),
        (0xF2, sms.Alphabet.GSM_7_BIT, 2),
        (0xF6, sms.Alphabet.OCTETS, 2),
    ],
)
def test_data_coding_schemes(scheme: int, alphabet: sms.Alphabet, message_class: int | None) -> None:
    found = sms.coding_of(scheme)
    assert (found.alphabet, found.message_class) == (alphabet, message_class)


@given(text=st.text(max_size=300), scheme=st.sampled_from([0, 8]))
def test_a_long_text_is_cut_and_whole_again(text: str, scheme: int) -> None:
    if scheme == 0 and not sms.in_alphabet(text):
        return
    octets = sms.octets_for(text, scheme)
    parts = parts_of(octets, scheme, 6)
    assert b"".join(parts) == octets
    for number, each in enumerate(parts, 1):
        data = sms.UserData(each, (sms.Concatenation(7, len(parts), number).element,))
        message = sms.Submit(reference=1, destination=CARD, data_coding_scheme=scheme, user_data=data)
        read = sms.decode(sms.encode(message), from_mobile=True)
        assert read == message
        if scheme == 8:
            each.decode("utf-16-be")  # no surrogate is cut
        else:
            assert not each.endswith(b"\x1b")


def test_of_several_elements_the_last_counts() -> None:
    header = (sms.Concatenation(1, 2, 1).element, sms.Concatenation(9, 3, 2, wide=True).element)
    assert sms.concatenation_of(header) == sms.Concatenation(9, 3, 2, wide=True)
    assert sms.concatenation_of((sms.Element(0, b"\x01\x02\x03"), sms.Element(0, b"\x01\x00\x00"))) is None
    assert sms.ports_of((sms.Ports(1, 2, wide=False).element,)) == sms.Ports(1, 2, wide=False)
    assert sms.ports_of(()) is None


@pytest.mark.parametrize(
    ("octet", "seconds"),
    [(0, 300), (143, 43_200), (144, 45_000), (167, 86_400), (168, 172_800), (196, 30 * 86_400), (197, 5 * 604_800),
     (255, 63 * 604_800)],
)  # fmt: skip
def test_relative_validity(octet: int, seconds: int) -> None:
    validity = sms.Validity(sms.ValidityFormat.RELATIVE, bytes((octet,)))
    assert validity.until(NOW) == NOW + dt.timedelta(seconds=seconds)
    assert sms.Validity.relative(seconds) == validity


@pytest.mark.parametrize(
    ("octets", "seconds"),
    [("00000000000000", None), ("01a80000000000", 2 * 86_400), ("02780000000000", 0x78), ("03214365000000", 45_296),
     ("82007800000000", 0x78)],
)  # fmt: skip
def test_enhanced_validity(octets: str, seconds: int | None) -> None:
    validity = sms.Validity(sms.ValidityFormat.ENHANCED, bytes.fromhex(octets))
    assert validity.until(NOW) == (None if seconds is None else NOW + dt.timedelta(seconds=seconds))


def test_validity_that_cannot_be() -> None:
    with pytest.raises(PeerError, match="of form 7"):
        sms.Validity(sms.ValidityFormat.ENHANCED, bytes.fromhex("07000000000000")).until(NOW)
    assert sms.Validity.absolute(SENT).until(NOW) == SENT
    assert sms.Validity.relative(1e9).octets == b"\xff"


@given(when=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2099, 12, 31)), quarters=st.integers(-79, 79))  # noqa: DTZ001 - the zone is the other value
def test_any_time_comes_back(when: dt.datetime, quarters: int) -> None:
    when = when.replace(microsecond=0, tzinfo=dt.timezone(dt.timedelta(minutes=15 * quarters)))
    assert sms.decode_time(sms.encode_time(when)) == when


@pytest.mark.parametrize("octets", ["ff000000000000", "62312080000023", "623020800000f3", "6230"])
def test_times_that_are_none(octets: str) -> None:
    with pytest.raises(PeerError):
        sms.decode_time(bytes.fromhex(octets))


def test_too_much_for_a_tpdu() -> None:
    submit = sms.Submit(reference=1, destination=CARD, data_coding_scheme=4, user_data=sms.UserData(bytes(141)))
    with pytest.raises(ValueError, match="141 octets"):
        sms.encode(submit)
    with pytest.raises(ValueError, match="longer than an address"):
        sms.encode(sms.Submit(reference=1, destination=sms.Address("1" * 21)))
    with pytest.raises(ValueError, match="transaction identifier"):
        ppsms.encode_cp(ppsms.Cp(ppsms.CpType.CP_ACK, 7))


# -- as others see them


def frame(interface: str, protocol: str, octets: bytes) -> Frame:
    return Frame(source="a", target="b", interface=interface, protocol=protocol, data=octets, link=1, from_client=True)


def test_sgd_shows_what_it_carries() -> None:
    message = Message(8388645, SGD, 0xC0, 1, 1, SGD_MESSAGES["mo-forward-short-message-request"][0])
    found = Dissector().dissect(frame("SGd", "diameter", encode(message)))
    (inner,) = found.inner
    assert inner.name == "sms-submit"
    assert inner.fields["text"] == "Zähler {17} kostet 5 €"
    assert inner.fields["destination"] == {"number": "10658000123", "ton": 3, "npi": 9}
    assert found.summary.endswith("SMS-SUBMIT, to 10658000123")


def test_an_answer_says_its_cause() -> None:
    avps = [*SGD_MESSAGES["mt-forward-short-message-answer"][0][:-1], ("SM-RP-UI", tpdu("deliver report, memory"))]
    found = Dissector().dissect(frame("SGd", "diameter", encode(Message(8388646, SGD, 0x40, 1, 1, avps))))
    assert found.cause == "TP-FCS 0xd3 memory capacity exceeded"
    avps = [*avps[:-1], ("SM-RP-UI", b"\x03")]
    found = Dissector().dissect(frame("SGd", "diameter", encode(Message(8388646, SGD, 0x40, 1, 1, avps))))
    assert found.inner[0].name == "malformed-tpdu"


def test_a_refused_routing_query_has_its_name() -> None:
    refused = Message(8388647, 16777312, 0x40, 1, 1, S6C_MESSAGES["send-routing-info-for-sm-answer"][2])
    found = Dissector().dissect(frame("S6c", "diameter", encode(refused)))
    assert found.fields["experimental_result"].name == "DIAMETER_ERROR_OPERATION_NOT_ALLOWED"
    assert "user_name" not in found.fields


def test_cp_shows_rp_and_tpdu() -> None:
    rp = ppsms.Rp(ppsms.RpType.RP_ERROR, 5, from_mobile=False, cause=21)
    octets = ppsms.encode_cp(ppsms.Cp(ppsms.CpType.CP_DATA, 0, user_data=ppsms.encode_rp(rp)))
    found = Dissector().dissect(frame("Uu", "ppsms", octets))
    assert (found.name, found.cause) == ("cp-data", "RP cause 21 short message transfer rejected")
    rp = ppsms.Rp(ppsms.RpType.RP_DATA, 5, True, destination=CARD, user_data=tpdu("submit"))
    octets = ppsms.encode_cp(ppsms.Cp(ppsms.CpType.CP_DATA, 0, user_data=ppsms.encode_rp(rp)))
    found = Dissector().dissect(frame("Uu", "ppsms", octets))
    assert found.inner[0].inner[0].name == "sms-submit"


def test_nas_shows_the_short_message_in_it() -> None:
    rp = ppsms.Rp(ppsms.RpType.RP_DATA, 5, True, destination=CARD, user_data=tpdu("submit"))
    octets = ppsms.encode_cp(ppsms.Cp(ppsms.CpType.CP_DATA, 0, user_data=ppsms.encode_rp(rp)))
    message = nas.Message(nas.MessageType.UPLINK_NAS_TRANSPORT, nas_message_container=octets)
    found = Dissector().dissect(frame("Uu", "nas", nas.encode(message)))
    assert found.name == "uplink-nas-transport"
    assert found.inner[0].name == "cp-data"
    assert found.summary.endswith("SMS-SUBMIT, to 10658000123")
    broken = nas.Message(nas.MessageType.UPLINK_NAS_TRANSPORT, nas_message_container=b"\x09\x99")
    found = Dissector().dissect(frame("Uu", "nas", nas.encode(broken)))
    assert found.inner[0].name == "malformed-cp"


@pytest.mark.parametrize(
    ("octets", "code"),
    [("", 111), ("7904", 81), ("0905", 97), ("090104", 96), ("0904ff", 96), ("0910", 96), ("090100", 96)],
)
def test_wrong_cp_messages_have_their_cause(octets: str, code: int) -> None:
    with pytest.raises(PeerError) as raised:
        ppsms.decode_cp(bytes.fromhex(octets))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("octets", "code"),
    [("00", 111), ("0805", 97), ("0705", 97), ("0005000100", 96), ("060500", 96), ("040500", 96), ("02054101", 96)],
)
def test_wrong_rp_messages_have_their_cause(octets: str, code: int) -> None:
    with pytest.raises(PeerError) as raised:
        ppsms.decode_rp(bytes.fromhex(octets))
    assert raised.value.code == code
