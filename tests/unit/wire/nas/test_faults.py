"""What faulty octets become (TS 24.301 clause 7): a message, or a PeerError with the spec's cause."""

from __future__ import annotations

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.wire.nas import (
    EmmCause,
    Message,
    MessageType,
    decode,
    dissect,
    encode,
    ue_may_process,
)
from simwarden.wire.nas.message import DECLARATIONS

ATTACH_REJECT = bytes.fromhex("074406")


def cause_of(octets: str) -> int | None:
    with pytest.raises(PeerError) as raised:
        decode(bytes.fromhex(octets))
    return raised.value.code


@pytest.mark.parametrize("octets", ["", "07", "02", "0201", "0000", "0944", "1700000000000744", "570000"])
def test_ignored_without_a_cause(octets: str) -> None:
    assert cause_of(octets) is None


def test_unknown_message_type() -> None:
    assert cause_of("074706") == cause_of("0201ff") == 97


@pytest.mark.parametrize(
    "octets",
    [
        "0744",  # the cause is missing
        "0741",
        "0741710809101000000000",  # the identity is cut off
        "07417100",  # its length is below the shortest
        "07417108091010f0000000f100",  # a digit above 9
        "0756ff",
        "0752070000",
        "c7",
        "c70011",
        "0744060f0100",  # an unknown element that must be understood
    ],
)
def test_invalid_mandatory_information(octets: str) -> None:
    assert cause_of(octets) == 96


def test_unknown_optional_elements_are_kept_and_skipped() -> None:
    message = decode(ATTACH_REJECT + bytes.fromhex("3302abcd b1 7d0003010203 5f013f"))
    assert message["emm_cause"] is EmmCause.ILLEGAL_ME
    assert message["t3346"] == 1860
    assert message.unknown == [(0x33, b"\xab\xcd"), (0xB1, b""), (0x7D, b"\x01\x02\x03")]
    assert not message.ignored
    shown = dissect(ATTACH_REJECT + bytes.fromhex("3302abcd"))
    assert shown.fields["unknown_elements"] == [{"iei": 0x33, "value": b"\xab\xcd"}]


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("5f013f5f0100", "repeated"),  # 7.6.3: the first counts
        ("16015f5f013f", "out of sequence"),  # 7.6.2: T3402 came before T3346
        ("5f013f1602ffff", "t3402 is wrong"),  # 7.7.1
        ("5f013f1605ff", "cut off"),
        ("5f013f33", "cut off"),
    ],
)
def test_faulty_optional_elements_count_as_absent(octets: str, why: str) -> None:
    message = decode(ATTACH_REJECT + bytes.fromhex(octets))
    assert len(message.ignored) == 1
    assert why in message.ignored[0]
    assert len({"t3346", "t3402"} & message.fields.keys()) == 1


def test_a_cause_without_a_name_is_kept() -> None:
    message = decode(bytes.fromhex("0744f0"))
    assert message["emm_cause"] == 0xF0
    assert dissect(bytes.fromhex("0744f0")).cause == "EMM cause 240"


def test_detach_request_directions() -> None:
    assert decode(bytes.fromhex("0745025308")).get("emm_cause") == 8
    assert "eps_mobile_identity" in decode(bytes.fromhex("074579080910100000000010"))
    with pytest.raises(PeerError):
        decode(bytes.fromhex("0745025308"), uplink=True)
    assert decode(bytes.fromhex("074579"), uplink=False)["detach_type"] == 9


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Message(MessageType.ATTACH_REJECT), "lacks emm_cause"),
        (Message(MessageType.ATTACH_REJECT, emm_cause=6, t3364=1), "has no t3364"),
        (Message(MessageType.ATTACH_REJECT, emm_cause=6, t3346=1e9), "too long"),
        (Message(MessageType.AUTHENTICATION_RESPONSE, res=b"x"), "1 octets"),
        (Message(MessageType.SERVICE_REQUEST, sequence_number=1), "SERVICE_REQUEST has"),
    ],
)
def test_our_own_mistakes_are_value_errors(message: Message, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        encode(message)


def test_dissection_of_protected_messages() -> None:
    integrity = b"\x17\x01\x02\x03\x04\x09" + ATTACH_REJECT
    assert dissect(integrity).summary == "Attach reject, EMM cause 6 Illegal ME"
    assert dissect(integrity).fields["sequence_number"] == 9
    ciphered = b"\x27" + integrity[1:]
    assert (dissect(ciphered).name, dissect(ciphered).cause) == ("ciphered-nas", "")
    assert dissect(ciphered, ATTACH_REJECT).name == "attach-reject"


def test_dissection_of_inner_messages() -> None:
    shown = dissect(bytes.fromhex("074413780004 0201d11b"))
    assert shown.inner[0].name == "pdn-connectivity-reject"
    assert shown.cause == "EMM cause 19 ESM failure, ESM cause 27 Missing or unknown APN"
    assert dissect(bytes.fromhex("074413780003 0201ff")).inner[0].name == "malformed-nas"
    assert dissect(bytes.fromhex("075503")).summary == "Identity request, IMEISV"


def test_every_message_has_a_dissection() -> None:
    for kind in DECLARATIONS:
        head = b"\x52\x01" if kind.is_esm else b"\x07"
        try:
            shown = dissect(head + bytes([kind]) + bytes(40))
        except PeerError:
            continue
        assert shown.name == kind.name.lower().replace("_", "-")


def test_what_may_be_processed_unprotected() -> None:
    reject = Message(MessageType.ATTACH_REJECT, emm_cause=EmmCause.ILLEGAL_UE)
    assert ue_may_process(reject)
    reject.fields["emm_cause"] = EmmCause.NOT_AUTHORIZED_FOR_THIS_CSG
    assert not ue_may_process(reject)
    assert ue_may_process(Message(MessageType.IDENTITY_REQUEST, identity_type=1))
    assert not ue_may_process(Message(MessageType.IDENTITY_REQUEST, identity_type=3))
    assert not ue_may_process(Message(MessageType.ATTACH_ACCEPT))


TYPES = st.sampled_from(sorted(MessageType)[:-1])


@settings(max_examples=budget.examples(400))
@given(kind=TYPES, body=st.binary(max_size=60))
def test_any_octets_are_a_message_or_a_peer_error(kind: MessageType, body: bytes) -> None:
    data = (b"\x52\x01" if kind.is_esm else b"\x07") + bytes([kind]) + body
    try:
        message = decode(data)
    except PeerError:
        return
    dissect(data)
    again = decode(encode(message))
    assert again == message


@settings(max_examples=budget.examples(200))
@given(data=st.binary(max_size=40))
def test_any_octets_at_all(data: bytes) -> None:
    try:
        dissect(data)
    except PeerError:
        return
