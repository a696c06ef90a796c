from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simwarden.errors import InternalError, PeerError
from simwarden.wire.diameter import (
    Avps,
    DiameterError,
    Message,
    RawAvp,
    ResultCode,
    Splitter,
    application_id,
    decode,
    decode_header,
    dissect,
    encode,
    mask_keys,
    request,
)
from simwarden.wire.diameter.dictionary import AVPS, AvpType, Kind
from simwarden.wire.diameter.message import Undecoded

ULR = request(
    "Update-Location-Request",
    [
        ("Session-Id", "mme.example;1;1"),
        application_id(16777251),
        ("Auth-Session-State", 1),
        ("Origin-Host", "mme.example"),
        ("Origin-Realm", "example"),
        ("Destination-Realm", "example"),
        ("User-Name", "001010000000017"),
        ("Terminal-Information", [("IMEI", "35000100000001"), ("Software-Version", "01")]),
        ("RAT-Type", 1004),
        ("ULR-Flags", 34),
        ("Visited-PLMN-Id", b"\x00\xf1\x10"),
    ],
    hop_by_hop=7,
    end_to_end=9,
)
WIRE = encode(ULR)


def build(*avps: bytes, command: int = 316, flags: int = 0xC0) -> bytes:
    body = b"".join(avps)
    head = (1 << 24 | 20 + len(body)).to_bytes(4, "big") + (flags << 24 | command).to_bytes(4, "big")
    return head + (16777251).to_bytes(4, "big") + bytes(8) + body


def avp(code: int, data: bytes, *, flags: int = 0x40, vendor: int | None = None, length: int | None = None) -> bytes:
    head = 12 if vendor is not None else 8
    flags |= 0x80 if vendor is not None else 0
    n = head + len(data) if length is None else length
    raw = code.to_bytes(4, "big") + (flags << 24 | n).to_bytes(4, "big")
    raw += vendor.to_bytes(4, "big") if vendor is not None else b""
    return raw + data + bytes(-len(data) % 4)


def fault(data: bytes) -> DiameterError:
    with pytest.raises(DiameterError) as caught:
        decode(data)
    return caught.value


def test_a_request_survives_the_wire() -> None:
    assert decode(WIRE) == ULR
    assert decode(WIRE).find("Terminal-Information", "IMEI") == "35000100000001"
    assert ULR.request
    assert ULR.name == "update-location-request"
    assert ULR.find("Terminal-Information", "3GPP2-MEID") is None
    assert ULR.find("Subscription-Data", "MSISDN") is None


def test_known_bytes_of_a_watchdog_request() -> None:
    message = request("Device-Watchdog-Request", [("Origin-Host", "a.b"), ("Origin-Realm", "b")], hop_by_hop=1)
    expected = "0100002c 80000118 00000000 00000001 00000000 000001084000000b612e6200 000001284000000962000000"
    assert encode(message).hex() == expected.replace(" ", "")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (WIRE[:12], ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH),
        (WIRE[:-4], ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH),
        (b"\x02" + WIRE[1:], ResultCode.DIAMETER_UNSUPPORTED_VERSION),
        (build(b"\0\0\0\1"), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(1, b"0010", length=7)), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(1, b"0010", length=13)), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(1402, b"", vendor=10415, length=8)), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(277, b"\0\1")), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(1407, b"\0\xf1\x10\0", vendor=10415)), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
        (build(avp(1, b"0010", flags=0x41)), ResultCode.DIAMETER_INVALID_AVP_BITS),
        (build(avp(1, b"\xff\xfe")), ResultCode.DIAMETER_INVALID_AVP_VALUE),
        (build(avp(701, b"\xab\xcd", vendor=10415)), ResultCode.DIAMETER_INVALID_AVP_VALUE),
        (build(avp(257, b"\0\1\x7f\0")), ResultCode.DIAMETER_INVALID_AVP_VALUE),
        (build(avp(1401, avp(1402, b"1", vendor=10415)[:-8], vendor=10415)), ResultCode.DIAMETER_INVALID_AVP_LENGTH),
    ],
)
def test_what_is_wrong_has_its_result_code(data: bytes, code: ResultCode) -> None:
    assert fault(data).code == code


def test_failed_avp_holds_the_offender_or_its_least_form() -> None:
    assert fault(build(avp(277, b"\0\1"))).failed == (("AVP-277", RawAvp(277, 0, 0x40, b"\0\1")),)
    assert fault(build(avp(277, b"", length=400))).failed == (("AVP-277", RawAvp(277, 0, 0x40, bytes(4))),)


@pytest.mark.parametrize(
    ("inner", "held"),
    [
        (b"", []),
        (avp(277, b"\0\1"), [("AVP-277", RawAvp(277, 0, 0x40, b"\0\1"))]),
        (avp(1, b"\xff"), [("AVP-1", RawAvp(1, 0, 0x40, b"\xff"))]),
        (avp(1407, b"\0", vendor=10415), [("AVP-10415-1407", RawAvp(1407, 10415, 0xC0, b"\0"))]),
        (avp(1, b"0010", flags=0x61), [("AVP-1", RawAvp(1, 0, 0x61, b"0010"))]),
        (avp(1, b"0010", flags=0), [("AVP-1", RawAvp(1, 0, 0, b"0010"))]),
        (avp(9999, b"?"), [("AVP-9999", RawAvp(9999, 0, 0x40, b"?"))]),
        (avp(277, b"", length=400), [("undecoded", Undecoded(avp(277, b"", length=400)))]),
        (avp(1402, b"", vendor=10415, length=8), [("undecoded", Undecoded(avp(1402, b"", vendor=10415, length=8)))]),
        (b"\0\0\1", [("undecoded", Undecoded(b"\0\0\1"))]),
        (
            avp(1, b"0010") + avp(1401, avp(1402, b"1", vendor=10415)[:-8], vendor=10415) + b"mme.exam",
            [
                ("User-Name", "0010"),
                ("AVP-10415-1401", RawAvp(1401, 10415, 0xC0, avp(1402, b"1", vendor=10415)[:-8])),
                ("undecoded", Undecoded(b"mme.exam")),
            ],
        ),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_failed_avp_holds_what_is_wrong_as_it_came(inner: bytes, held: Avps, *, nested: bool) -> None:
    wire = build(avp(268, b"\0\0\x13\x96"), avp(279, avp(284, avp(279, inner)) if nested else inner), flags=0x40)
    message = decode(wire)
    assert message.result_code == 5014
    assert message.unsupported == []
    assert message.find(*["Failed-AVP", "Proxy-Info", "Failed-AVP"][: 3 if nested else 1]) == held
    assert encode(message) == wire


def test_an_unknown_avp_in_a_failed_avp_is_not_unsupported() -> None:
    assert decode(build(avp(279, avp(9999, b"?")), flags=0x40)).unsupported == []


def test_groups_nested_without_end_are_refused() -> None:
    data = b""
    for _ in range(40):
        data = avp(1401, data, vendor=10415)
    assert fault(build(data)).code == ResultCode.DIAMETER_INVALID_AVP_VALUE


def test_unknown_avps_are_kept_and_those_with_the_m_bit_noticed() -> None:
    optional, mandatory = avp(9999, b"abc", flags=0), avp(9998, b"xy", vendor=10415)
    message = decode(build(optional, avp(1401, mandatory, vendor=10415)))
    assert message.get("AVP-9999") == RawAvp(9999, 0, 0, b"abc")
    assert message.unsupported == [RawAvp(9998, 10415, 0xC0, b"xy")]
    assert encode(message) == build(optional, avp(1401, mandatory, vendor=10415))


def test_the_last_avp_of_a_group_may_lack_its_padding() -> None:
    inner = avp(1402, b"35000100000001", vendor=10415)[:-2]
    assert decode(build(avp(1401, inner, vendor=10415))).find("Terminal-Information", "IMEI") == "35000100000001"


@pytest.mark.parametrize(
    ("name", "value"),
    [("No-Such-AVP", 1), ("Result-Code", "x"), ("User-Name", 7), ("Visited-PLMN-Id", b"\0"), ("MSISDN", "12a")],
)
def test_a_value_that_does_not_fit_is_our_own_fault(name: str, value: object) -> None:
    with pytest.raises(InternalError, match=name):
        encode(Message(1, 0, 0, avps=[(name, value)]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MSISDN", "1234567"),
        ("MSISDN", ""),
        ("Host-IP-Address", "2001:db8::1"),
        ("Host-IP-Address", "8613800000000"),
        ("Event-Timestamp", 1_700_000_000),
        ("Event-Timestamp", 2_500_000_000),
        ("OC-Sequence-Number", 2**64 - 1),
        ("RAT-Type", -1),
    ],
)
def test_values_survive(name: str, value: object) -> None:
    assert decode(encode(Message(1, 0, 0, avps=[(name, value)]))).get(name) == value


# -- the stream --------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3 * len(WIRE)), max_size=8))
def test_any_segmentation_gives_the_same_messages(cuts: list[int]) -> None:
    stream = WIRE * 3
    edges = [0, *sorted(cuts), len(stream)]
    splitter = Splitter()
    got = [m for a, b in pairwise(edges) for m in splitter.feed(stream[a:b])[0]]
    assert got == [WIRE] * 3
    assert splitter.feed(WIRE) == ([WIRE], None)


@pytest.mark.parametrize("head", ["01000000", "01000010", "01000015", "01ffffff", "02000014", "47455420"])
def test_an_absurd_length_or_version_ends_the_stream(head: str) -> None:
    messages, wrong = Splitter().feed(bytes.fromhex(head))
    assert not messages
    assert wrong is not None


def test_messages_before_a_fault_are_not_lost() -> None:
    messages, wrong = Splitter().feed(WIRE + b"GET / HTTP/1.1\r\n")
    assert messages == [WIRE]
    assert wrong is not None
    assert wrong.code == ResultCode.DIAMETER_UNSUPPORTED_VERSION


# -- any bytes ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_a_peer_error(data: bytes) -> None:
    for candidate in (data, build(data + bytes(-len(data) % 4))):
        with contextlib.suppress(PeerError):
            assert encode(decode(candidate))


@given(st.integers(20, len(WIRE) - 1), st.integers(0, 255))
@example(23, 23)  # Failed-AVP in place of Session-Id
def test_one_changed_octet_gives_a_message_or_a_peer_error(where: int, octet: int) -> None:
    data = bytearray(WIRE)
    data[where] = octet
    survives(bytes(data))


_NAMES = st.sampled_from([*AVPS.values(), *[AVPS["Failed-AVP"], AVPS["Terminal-Information"]] * len(AVPS)])
_LENGTHS = st.none() | st.integers(0, 60)
_FLAGS = st.sampled_from([0x40, 0x40, 0x40, 0, 0x20, 0x60, 0x41])


def _avps_of(inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """AVPs of the dictionary and of no dictionary, some with flags, data or a length that cannot be."""

    def one(known: AvpType, data: bytes, flags: int, length: int | None, other: int) -> bytes:
        return avp(known.code + other, data, flags=flags, vendor=known.vendor or None, length=length)

    other = st.sampled_from([0, 0, 0, 5000])
    whole = st.builds(one, _NAMES, inside, _FLAGS, st.none(), other)
    return st.lists(whole | st.builds(one, _NAMES, inside, _FLAGS, _LENGTHS, other), max_size=4).map(b"".join)


@given(st.recursive(st.binary(max_size=20), _avps_of, max_leaves=12), st.booleans())
def test_avps_survive_wherever_they_stand(inside: bytes, failed: bool) -> None:  # noqa: FBT001 - a strategy's value
    body = avp(279, inside) if failed else inside
    survives(build(body + bytes(-len(body) % 4)))


def survives(data: bytes) -> None:
    """What is read is written so that the same is read; what cannot be is answered with the offender as it came."""
    try:
        message = decode(data)
    except DiameterError as wrong:
        message = Message(1, 0, 0, avps=[("Failed-AVP", list(wrong.failed))])
        again = encode(message)
        assert encode(decode(again)) == again
    else:
        assert decode(encode(message)) == message
    assert dissect(encode(message)).name


def test_a_header_can_be_read_when_the_avps_cannot() -> None:
    header = decode_header(build(avp(277, b"\0\1")))
    assert (header.command, header.application, header.request) == (316, 16777251, True)


# -- masking -----------------------------------------------------------------------------------------------------------


def test_masking_zeroes_keys_and_nothing_else() -> None:
    vector = [("RAND", b"r" * 16), ("XRES", b"x" * 8), ("AUTN", b"a" * 16), ("KASME", b"k" * 32)]
    message = Message(318, 16777251, 0x40, avps=[("Authentication-Info", [("E-UTRAN-Vector", vector)])])
    wire = encode(message)
    masked = mask_keys(wire)
    assert masked == wire.replace(b"k" * 32, bytes(32))
    assert "***" in repr(message)
    assert "kkkk" not in repr(message)
    assert mask_keys(wire[:31]) == wire[:31]


def test_a_key_that_came_wrong_is_not_shown_either() -> None:
    wrong = avp(1450, b"k" * 31, vendor=10415) + avp(1450, b"k" * 32, vendor=10415)[:-8]
    message = decode(build(avp(279, wrong), flags=0x40))
    assert [name for name, _ in message.get("Failed-AVP")] == ["AVP-10415-1450", "undecoded"]
    assert "kkkk" not in repr(message)
    assert "kkkk" not in str(dissect(encode(message)))


@given(st.binary(max_size=80))
def test_masking_takes_anything(data: bytes) -> None:
    assert len(mask_keys(data)) == len(data)


def test_every_fixed_size_is_a_type_that_has_one() -> None:
    assert all(avp.size for avp in AVPS.values() if avp.kind in (Kind.UNSIGNED32, Kind.INTEGER32, Kind.UNSIGNED64))
