"""CMPP 2.0 as gocmpp writes it: octets and values of its own tests (github.com/bigwhite/gocmpp, Apache-2.0).

It says version 2.1, whose messages are those of 2.0. What it has no octets for (queries, cancelling) has the same
layout in 3.0, which Wireshark reads: tests/interop/test_tshark_sms.py.
"""

from __future__ import annotations

import pytest

from simwarden.wire import cmpp
from simwarden.wire.cmpp import Command, Message

SECRET, SOURCE, STAMP = "888888", "900001", 1021080510
PROOF = bytes.fromhex("90d00c1d517abd0b4f65f6bcf8535d16")
VECTORS: list[tuple[str, Message]] = [
    (
        "000000270000000100000017393030303031 90d00c1d517abd0b4f65f6bcf8535d16 21 3cdc73be",
        Message(Command.CONNECT, 0x17, cmpp.Connect(SOURCE, PROOF, 0x21, STAMP)),
    ),
    (
        "0000001e800000010000001700 6c0b846e25bab6daa4ed1c466e0f4bd8 21",
        Message(
            Command.CONNECT_RESP,
            0x17,
            cmpp.Connected(0, bytes.fromhex("6c0b846e25bab6daa4ed1c466e0f4bd8"), 0x21),
        ),
    ),
    (
        (
            "000000bd0000000400000017 0000000000000000 01010101 74657374000000000000 02"
            "313335303030303236393600000000000000000000 000008 393030303031 3032 313000000000"
            "3135313130353133313535353130312b00 0000000000000000000000000000000000"
            "393030303031000000000000000000000000000000 01 313335303030303236393600000000000000000000"
            "1e 6d4b8bd50067006f0063006d007000700020007300750062006d00690074 0000000000000000"
        ),
        Message(
            Command.SUBMIT,
            0x17,
            cmpp.Submit(
                registered_delivery=1,
                msg_level=1,
                service_id="test",
                fee_user_type=2,
                fee_terminal_id="13500002696",
                msg_fmt=8,
                msg_src="900001",
                fee_type="02",
                fee_code="10",
                valid_time="151105131555101+",
                src_id="900001",
                dest_terminal_id=("13500002696",),
                msg_content="测试gocmpp submit".encode("utf-16-be"),
            ),
        ),
    ),
    (
        "000000158000000400000017 b2b9da8000010000 00",
        Message(Command.SUBMIT_RESP, 0x17, cmpp.Submitted(12878564852733378560)),
    ),
    (
        (
            "000000670000000500000005 b525628000010000 393030303031000000000000000000000000000000"
            "00000000000000000000 000000 313334313233343030303000000000000000000000 00"
            "12 546869732069732061207465737420 4d4f2e 0000000000000000"
        ),
        Message(
            Command.DELIVER,
            5,
            cmpp.Deliver(
                13052947396898652160,
                "900001",
                src_terminal_id="13412340000",
                msg_content=b"This is a test MO.",
            ),
        ),
    ),
    (
        "000000158000000500000005 b525628000010000 00",
        Message(Command.DELIVER_RESP, 5, cmpp.Delivered(13052947396898652160)),
    ),
]


@pytest.mark.parametrize(("octets", "message"), VECTORS, ids=[each.command.name for _, each in VECTORS])
def test_octets_are_those_of_gocmpp(octets: str, message: Message) -> None:
    assert cmpp.encode(message).hex() == octets.replace(" ", "")
    assert cmpp.decode(bytes.fromhex(octets)) == message


def test_who_knows_the_secret_proves_it_alike() -> None:
    assert cmpp.authenticator(SOURCE, SECRET, STAMP) == PROOF
    assert cmpp.authenticator_of_gateway(0, PROOF, SECRET).hex() == "6c0b846e25bab6daa4ed1c466e0f4bd8"


def test_parts_of_a_message_id() -> None:
    parts = cmpp.MessageId(11, 5, 13, 15, 54, 1, 2)
    assert cmpp.MessageId.of(int(parts)) == parts
    assert cmpp.MessageId.of(12878564852733378560) == cmpp.MessageId(11, 5, 14, 29, 42, 1, 0)
