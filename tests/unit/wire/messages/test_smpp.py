"""What platforms and gateways say to each other: SMPP and CMPP, with what is secret, and receipts."""

from __future__ import annotations

import datetime as dt

import pytest
from smpp_messages import BIND, CMPP, PART, PDUS, RECEIPT_TEXT

from simwarden.errors import PeerError
from simwarden.wire import cmpp, smpp, sms
from simwarden.wire.family import Known, family_of
from simwarden.wire.smpp import Address, Command, Parameter, Pdu, ShortMessage, Status, Tag
from simwarden.wire.stream import FramingError, Splitter

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


def header(command: int, body: bytes = b"", length: int = 0) -> bytes:
    return b"".join(each.to_bytes(4, "big") for each in (length or 16 + len(body), command, 0, 7)) + body


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"\0" * 8, Status.ESME_RINVCMDLEN),
        (header(0x15, length=20), Status.ESME_RINVCMDLEN),
        (header(0x99), Status.ESME_RINVCMDID),
        (header(0x9, b"a" * 20), Status.ESME_RINVSYSID),
        (header(0x9, b"a\0" + b"p" * 10 + b"\0"), Status.ESME_RINVPASWD),
        (header(0x4, b"toolong\0"), Status.ESME_RINVSERTYP),
        (header(0x4, b"\0\1\1" + b"1" * 30), Status.ESME_RINVSRCADR),
        (header(0x4, b"\0\1\1\0\1\1" + b"1" * 30), Status.ESME_RINVDSTADR),
        (header(0x4, b"\0\1\1\0\1\1\0"), Status.ESME_RINVCMDLEN),
        (header(0x4, b"\0\1\1\0\1\1\0\0\0\0" + b"1" * 20), Status.ESME_RINVSCHED),
        (header(0x4, b"\0\1\1\0\1\1\0\0\0\0\0" + b"1" * 20), Status.ESME_RINVEXPIRY),
        (header(0x4, b"\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\xff" + b"1" * 255), Status.ESME_RINVMSGLEN),
        (header(0x15, b"\0\1\0"), Status.ESME_RINVOPTPARSTREAM),
        (header(0x15, b"\0\1\0\x09abc"), Status.ESME_RINVPARLEN),
        (header(0x3, b"1" * 70), Status.ESME_RINVMSGID),
    ],
)
def test_what_is_wrong_has_its_status(octets: bytes, status: Status) -> None:
    with pytest.raises(PeerError) as raised:
        smpp.decode(octets)
    assert raised.value.code == status


def test_a_stream_is_cut() -> None:
    splitter = Splitter(smpp.LENGTHS)
    octets = b"".join(map(smpp.encode, PDUS.values()))
    found = [each for at in range(0, len(octets), 7) for each in splitter.feed(octets[at : at + 7])]
    assert [smpp.decode(each) for each in found] == list(PDUS.values())
    with pytest.raises(FramingError):
        splitter.feed(b"\xff\xff\xff\xff")
    assert splitter.feed(smpp.encode(PDUS["unbind"])) == [smpp.encode(PDUS["unbind"])]


@pytest.mark.parametrize("family", ["smpp", "cmpp"])
def test_a_capture_is_cut_as_the_stream_is(family: str) -> None:
    messages = map(smpp.encode, PDUS.values()) if family == "smpp" else map(cmpp.encode, CMPP.values())
    octets = list(messages)
    reading = family_of(family).read()
    assert reading.cut(b"".join(octets) + octets[0][:9]) == (octets, octets[0][:9])
    assert reading.cut(b"\xff" * 9) == ([b"\xff" * 9], b"")


def test_passwords_are_seen_by_nobody() -> None:
    for name in ("bind_transceiver", "outbind"):
        octets = smpp.encode(PDUS[name])
        shown = smpp.dissect(octets)
        assert shown.fields["password"] == "***"
        assert BIND.password not in repr(smpp.decode(octets))
        masked = smpp.mask(octets)
        assert len(masked) == len(octets)
        assert smpp.decode(masked).body.system_id == PDUS[name].body.system_id  # type: ignore[union-attr]
        assert b"s3cret" not in masked
        assert b"other" not in masked
    assert smpp.mask(b"what") == b"what"
    connect = cmpp.encode(CMPP["connect"])
    assert cmpp.mask(connect)[18:34] == bytes(16)
    assert cmpp.dissect(connect).fields["authenticator_source"] == "***"


def test_a_part_of_a_long_message_is_shown() -> None:
    shown = smpp.dissect(smpp.encode(PDUS["submit_sm"]))
    assert shown.fields["text"] == "电表"
    assert shown.fields["concatenation"] == {"reference": 7, "total": 2, "number": 1}
    assert shown.summary == "submit_sm, 10658000123 > 8614400000017"
    content = cmpp.dissect(cmpp.encode(CMPP["submit"])).fields
    assert (content["text"], content["concatenation"]) == ("电表", {"reference": 7, "total": 2, "number": 1})
    report = cmpp.dissect(cmpp.encode(CMPP["deliver, report"])).fields["report"]
    assert report["stat"] == "DELIVRD"


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, b"@\x1be", "¡€"),
        (1, b"caf\xe9", "café"),
        (3, b"\xe9", "é"),
        (4, b"\x01", ""),
        (8, b"\x75\x35", "电"),
        (0xF5, b"\x01", ""),
        (0xF0, b"A", "A"),
    ],
)
def test_text_by_its_coding(coding: int, octets: bytes, text: str) -> None:
    body = ShortMessage(source=Address("1"), destination=Address("2"), data_coding=coding, short_message=octets)
    shown = smpp.dissect(smpp.encode(Pdu(Command.SUBMIT_SM, 1, body=body))).fields
    assert shown.get("text", "") == text
    assert ("user_data" in shown) == (not text)


def test_what_is_not_in_its_place_is_said() -> None:
    body = ShortMessage(esm_class=smpp.UDHI, short_message=b"\xff")
    shown = smpp.dissect(smpp.encode(Pdu(Command.SUBMIT_SM, 1, body=body)))
    assert "malformed_header" in shown.fields
    odd = Pdu(Command.ENQUIRE_LINK, 1, parameters=(Parameter(0x1400, b"x"), Parameter(Tag.MESSAGE_STATE, b"\x02")))
    shown = smpp.dissect(smpp.encode(odd))
    assert shown.fields["unknown_parameters"] == [{"tag": 0x1400, "value": b"x"}]
    assert shown.fields["message_state"] is smpp.MessageState.DELIVERED


def test_receipts_are_read_as_others_write_them() -> None:
    receipt = smpp.parse_receipt(RECEIPT_TEXT.decode())
    assert (receipt.message_id, receipt.state, receipt.text) == ("0000000001", smpp.MessageState.DELIVERED, "hello")
    assert str(receipt) == RECEIPT_TEXT.decode()
    kannel = "id:5 sub:001 dlvrd:000 submit date:260302083059 done date:260302083101 stat:UNDELIV err:001 Text:"
    assert smpp.parse_receipt(kannel).state is smpp.MessageState.UNDELIVERABLE
    for wrong in ("", "id: stat:DELIVRD", "id:1 stat:WHAT", kannel.replace("260302083059", "99")):
        with pytest.raises(PeerError):
            smpp.parse_receipt(wrong)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("", None),
        ("000001020304000R", NOW + dt.timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("260302083059732+", dt.datetime(2026, 3, 2, 0, 30, 59, 700_000, dt.UTC)),
        ("260302083059004-", dt.datetime(2026, 3, 2, 9, 30, 59, tzinfo=dt.UTC)),
    ],
)
def test_times_of_smpp(text: str, when: dt.datetime | None) -> None:
    assert smpp.parse_time(text, NOW) == when
    assert smpp.parse_time(smpp.format_time(NOW), NOW) == NOW


@pytest.mark.parametrize("text", ["2603", "261302083059000+", "260302083059000x", "2603020830590000"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        smpp.parse_time(text, NOW)


def test_what_does_not_fit_is_not_written() -> None:
    for body in (ShortMessage(short_message=bytes(255)), ShortMessage(source=Address("1" * 21)), smpp.Bind("a\0b")):
        with pytest.raises(ValueError, match=r"."):
            smpp.encode(Pdu(Command.SUBMIT_SM, 1, body=body))
    many = cmpp.Submit(dest_terminal_id=("1",) * 100)
    for message in (many, cmpp.Submit(msg_content=bytes(161)), cmpp.Submit(src_id="1" * 22)):
        with pytest.raises(ValueError, match=r"."):
            cmpp.encode(cmpp.Message(cmpp.Command.SUBMIT, 1, message))


def test_every_message_says_what_it_has() -> None:
    for family, messages in (("smpp", map(smpp.encode, PDUS.values())), ("cmpp", map(cmpp.encode, CMPP.values()))):
        reading = family_of(family).read()
        for octets in messages:
            shown = reading.dissect(octets, Known())
            info = reading.info(shown.name)
            assert info is not None
            named = {each.name: each.may_be for each in (*info.fields, *info.others)}
            assert shown.fields.keys() <= named.keys(), shown.name
    assert sms.split_header(PART)[1].decode("utf-16-be") == "电表"
