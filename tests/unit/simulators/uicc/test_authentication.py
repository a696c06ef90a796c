"""AUTHENTICATE against TS 35.208 4.3 (test set 1), and the sequence numbers of TS 33.102 annex C."""

from __future__ import annotations

import pytest

from simulators.uicc.authentication import DELTA, SequenceNumbers
from simulators.uicc.card import Card, Issue
from simwarden.machine import milenage
from simwarden.model.identity import Plmn
from simwarden.wire.apdu import CommandApdu, ResponseApdu, again_with, efs
from simwarden.wire.apdu.authenticate import AuthenticateResponse, authenticate_command
from simwarden.wire.apdu.command import Ins
from simwarden.wire.apdu.control import Control

# TS 35.208 4.3.1 to 4.3.8, test set 1
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
SQN = 0xFF9BB4D0B607
AMF = bytes.fromhex("b9b9")
MAC_A = bytes.fromhex("4a9ffac354dfafb3")
RES = bytes.fromhex("a54211d5e3ba50bf")
CK = bytes.fromhex("b40ba9a3c58b2a05bbf0d987b21bf8cb")
IK = bytes.fromhex("f769bcd751044604127672711c6d3441")
AK = 0xAA689C648370
AK_STAR = 0x451E8BECA43B

USIM = bytes.fromhex("00a4040c07a0000000871002")


def card_with_keys() -> Card:
    card = Card(Issue(Plmn("001", "01"), "8986000000000000001", "87654321"))
    card.files.put(efs.EF_AKA, b"\x01" + K + OPC)
    card.contact(Control.POWER_ON)
    card.transmit(USIM)
    return card


def challenge(sqn: int, *, amf: bytes = AMF, rand: bytes = RAND) -> CommandApdu:
    octets = sqn.to_bytes(6, "big")
    mac, _ = milenage.f1(K, OPC, rand, octets, amf)
    _, _, _, ak = milenage.f2345(K, OPC, rand)
    return authenticate_command(rand, bytes(a ^ b for a, b in zip(octets, ak, strict=True)) + amf + mac)


def exchange(card: Card, command: CommandApdu) -> ResponseApdu:
    """Send as a terminal does, with GET RESPONSE."""
    response = ResponseApdu.parse(card.transmit(command.to_bytes()))
    following = again_with(command, response.sw)
    return ResponseApdu.parse(card.transmit(following.to_bytes())) if following else response


def test_set_1_of_35_208() -> None:
    autn = (SQN ^ AK).to_bytes(6, "big") + AMF + MAC_A
    card = card_with_keys()
    # SQN FF9BB4D0B607 is far ahead of a new card: the jump limit is what C.2.1 wants, so walk there first
    card.numbers._highest = SQN - 0x10000
    response = exchange(card, authenticate_command(RAND, autn))
    assert response.sw == 0x9000
    assert response.data == b"\xdb\x08" + RES + b"\x10" + CK + b"\x10" + IK


def test_resynchronisation_of_set_1() -> None:
    """AUTS holds SQN_MS under f5* of test set 1, and MAC-S over AMF 0000."""
    card = card_with_keys()
    card.numbers._highest = SQN
    card.numbers._array[SQN & 31] = SQN >> 5
    autn = (SQN ^ AK).to_bytes(6, "big") + AMF + MAC_A
    response = exchange(card, authenticate_command(RAND, autn))
    auts = AuthenticateResponse.parse(response.data).auts
    assert int.from_bytes(auts[:6], "big") == SQN ^ AK_STAR
    assert auts[6:] == milenage.f1(K, OPC, RAND, SQN.to_bytes(6, "big"), bytes(2))[1]


def test_a_wrong_mac_is_not_a_resynchronisation() -> None:
    card = card_with_keys()
    good = challenge(32)
    bad = good._replace(data=good.data[:-1] + bytes((good.data[-1] ^ 1,)))
    assert exchange(card, bad).sw == 0x9862
    assert card.numbers.highest == 0
    assert exchange(card, good).sw == 0x9000


def test_a_vector_is_good_once() -> None:
    card = card_with_keys()
    assert exchange(card, challenge(32)).data[0] == 0xDB
    replay = exchange(card, challenge(32))
    assert replay.sw == 0x9000
    auts = AuthenticateResponse.parse(replay.data).auts
    ak = int.from_bytes(milenage.f5_star(K, OPC, RAND), "big")
    assert int.from_bytes(auts[:6], "big") ^ ak == 32


def test_sequence_numbers_survive_power_off() -> None:
    card = card_with_keys()
    exchange(card, challenge(64))
    card.contact(Control.POWER_OFF)
    card.contact(Control.POWER_ON)
    card.transmit(USIM)
    assert exchange(card, challenge(64)).data[0] == 0xDC
    assert exchange(card, challenge(96)).data[0] == 0xDB


def test_vectors_of_two_nodes_may_cross() -> None:
    numbers = SequenceNumbers()
    assert numbers.accept(10 << 5 | 1)
    assert numbers.accept(9 << 5 | 2)  # older, but of another index
    assert not numbers.accept(10 << 5 | 1)
    assert not numbers.accept(9 << 5 | 1)
    assert numbers.accept(11 << 5 | 2)
    assert numbers.highest == 11 << 5 | 2


def test_a_jump_too_far_is_refused() -> None:
    numbers = SequenceNumbers()
    assert not numbers.accept(DELTA + 1 << 5)
    assert numbers.accept(DELTA << 5)
    assert numbers.accept(2 * DELTA << 5)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x10" + RAND, 0x6700),
        (b"\x0f" + RAND + b"\x11" + RAND, 0x6A80),
        (b"", 0x6700),
    ],
)
def test_malformed_challenges(data: bytes, expected: int) -> None:
    command = CommandApdu(0, Ins.AUTHENTICATE, 0, 0x81, data)
    assert ResponseApdu.parse(card_with_keys().transmit(command.to_bytes())).sw == expected


def test_a_card_without_keys_or_pin() -> None:
    blank = Card(Issue(Plmn("001", "01"), "8986000000000000001", "87654321", pin1_enabled=True))
    blank.contact(Control.POWER_ON)
    blank.transmit(USIM)
    assert exchange(blank, challenge(32)).sw == 0x6982
    blank.transmit(bytes.fromhex("0020000108") + b"1234\xff\xff\xff\xff")
    assert exchange(blank, challenge(32)).sw == 0x6984
