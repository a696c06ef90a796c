"""What SMPP says as a TPDU says it: data coding, headers, numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulators.smsc.procedures.coding import Content, content_of, number_of
from simwarden.errors import PeerError
from simwarden.wire import smpp
from simwarden.wire.sms import Concatenation, encode_header


def read(message: smpp.ShortMessage, *parameters: smpp.Parameter) -> Content:
    return content_of(smpp.Pdu(smpp.Command.SUBMIT_SM, 1, 0, message, parameters), message.data_coding)


@pytest.mark.parametrize(
    ("coding", "octets", "scheme", "text"),
    [
        (0, b"read", 0, "read"),
        (1, b"read", 0, "read"),
        (3, "Gr\u00fc\u00dfe".encode("latin-1"), 0, "Gr\u00fc\u00dfe"),
        (3, b"\xa9", 8, "\u00a9"),
        (8, "\u6c34".encode("utf-16-be"), 8, "\u6c34"),
        (0xF0, b"flash", 0xF0, "flash"),
        (0x10, b"flash", 0x10, "flash"),
        (0x18, "\u6c34".encode("utf-16-be"), 0x18, "\u6c34"),
    ],
)
def test_text_says_the_same(coding: int, octets: bytes, scheme: int, text: str) -> None:
    found = read(smpp.ShortMessage(data_coding=coding, short_message=octets))
    assert found.data_coding == scheme
    assert found.user_data.text(scheme) == text


def test_binary_and_header_are_kept() -> None:
    header = encode_header([Concatenation(3, 2, 1).element])
    message = smpp.ShortMessage(data_coding=2, esm_class=smpp.UDHI, short_message=header + b"\x00\xff")
    found = read(message)
    assert (found.data_coding, found.user_data.octets) == (4, b"\x00\xff")
    assert found.user_data.header == (Concatenation(3, 2, 1).element,)
    payload = smpp.Parameter(smpp.Tag.MESSAGE_PAYLOAD, b"\x00payload")
    assert read(replace(message, short_message=b""), payload).user_data.octets == b"payload"


def test_what_no_tpdu_can_say_is_told() -> None:
    with pytest.raises(ValueError, match="data_coding 0x0d"):
        read(smpp.ShortMessage(data_coding=0x0D))
    with pytest.raises(PeerError):
        read(smpp.ShortMessage(esm_class=smpp.UDHI, short_message=b"\xff"))


def test_number_of_a_card_is_international() -> None:
    assert number_of("1440000000001") == smpp.Address("861440000000001", 1, 1)
    assert number_of("+861440000000001") == smpp.Address("861440000000001", 1, 1)
    assert number_of("+447785016005") == smpp.Address("447785016005", 1, 1)
