"""A platform that speaks CMPP 2.0: what goes to the SMSC and comes back, and the results of what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from business import CODE, MSISDN, OTHER_CODE, OTHER_MSISDN, Business

from simwarden.trace.events import Frame
from simwarden.wire import cmpp
from simwarden.wire.cmpp import Command, Format, Result, Submit
from simwarden.wire.smpp import Address, message_text
from simwarden.wire.sms import octets_for

CMPP: dict[str, Any] = {"protocol": "cmpp", "source_addr": "901234", "secret": "shared"}


def messages(bench: Business, command: Command) -> list[Any]:
    """Return the bodies of messages of a command, in order."""
    found = [cmpp.decode(each.data) for each in bench.of(Frame) if each.interface == "CMPP"]
    return [each.body for each in found if each.command is command]


async def test_a_message_and_its_report() -> None:
    async with Business(platform=CMPP) as bench:
        assert await bench.submit() == "accepted"
        (got,) = bench.smsc.got
        assert (got.source, got.destination) == (Address(CODE, 0, 1), Address(MSISDN, 1, 1))
        assert (got.short_message, got.data_coding, got.registered_delivery) == (b"read your meter", 0, 1)
        bench.smsc.report(1)
        await bench.settle()
        (answered,) = messages(bench, Command.SUBMIT_RESP)
        (delivered,) = messages(bench, Command.DELIVER)
        report = cmpp.decode_report(delivered.msg_content)
        assert delivered.registered_delivery == 1
        # a report is a message of its own, with the next number
        own, about = cmpp.MessageId.of(delivered.msg_id), cmpp.MessageId.of(answered.msg_id)
        assert own == about._replace(sequence=about.sequence + 1)
        assert (report.msg_id, report.stat, report.dest_terminal_id) == (answered.msg_id, "DELIVRD", MSISDN)
        assert (report.submit_time, report.done_time) == ("2603021600", "2603021600")  # 08:00 UTC in China
        assert cmpp.MessageId.of(answered.msg_id)[:4] == (3, 2, 16, 0)
        assert bench.receipts() == ["DELIVRD"]


async def test_a_cards_message() -> None:
    async with Business(platform=CMPP) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, "用水量".encode("utf-16-be"), data_coding=8)
        await bench.settle()
        (delivered,) = messages(bench, Command.DELIVER)
        assert (delivered.dest_id, delivered.src_terminal_id, delivered.msg_fmt) == (CODE, MSISDN, Format.UCS2)
        assert bench.texts() == ["用水量"]
        assert bench.smsc.answered == [0]


async def test_a_long_message_in_both_directions() -> None:
    text = "一二三四五六七八九十" * 15
    async with Business(platform=CMPP) as bench:
        assert await bench.submit(text=text) == "accepted"
        for each in bench.smsc.got:
            bench.smsc.deliver(f"+{MSISDN}", CODE, each.short_message, data_coding=8, esm_class=0x40)
        await bench.settle()
        assert bench.texts() == [text]


@pytest.mark.parametrize(
    ("given", "result", "control"),
    [
        ({"code": OTHER_CODE}, Result.SOURCE_ID_ERROR, "sms.code"),
        ({"to": OTHER_MSISDN}, Result.DESTINATION_TERMINAL_ERROR, "sms.owner"),
        ({"octets": "41", "data_coding": "4"}, Result.SERVICE_CODE_ERROR, "sms.content"),
        ({"octets": "41", "data_coding": "246"}, Result.SERVICE_CODE_ERROR, "sms.content"),
        ({"octets": "41", "protocol_id": "127"}, Result.SERVICE_CODE_ERROR, "sms.content"),
    ],
)
async def test_what_is_refused(given: dict[str, Any], result: Result, control: str) -> None:
    async with Business(platform=CMPP) as bench:
        assert await bench.submit(**given) == "refused"
        (answered,) = messages(bench, Command.SUBMIT_RESP)
        assert (answered.msg_id, answered.result) == (0, result)
        assert bench.verdicts(control)[-1] is False
        assert bench.smsc.got == []


async def ask(bench: Business, command: Command, body: Any) -> Any:
    """Have the platform send something that it does not by itself; return the body of the answer."""
    gateway: Any = bench.platform._gateway
    session = gateway._session
    session._request(cmpp.Message(command, session._next_sequence(), body), bench.clock.now())
    gateway._answered = lambda _sequence, answer: found.append(answer.body)
    found: list[Any] = []
    gateway._driven.settle()
    await bench.settle()
    return found[0]


def submit(**more: Any) -> Submit:
    """Return a CMPP_SUBMIT that is taken, with changes."""
    given = {"src_id": CODE, "dest_terminal_id": (MSISDN,), "msg_content": b"x", **more}
    return Submit(**given)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (submit(dest_terminal_id=(MSISDN, OTHER_MSISDN)), Result.DESTINATION_TERMINAL_ERROR),
        (submit(dest_terminal_id=()), Result.DESTINATION_TERMINAL_ERROR),
        (submit(at_time="tomorrow"), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(at_time="000008000000000R"), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(msg_src="905678"), Result.MESSAGE_SOURCE_ERROR),
        (submit(pk_total=2, pk_number=3), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(pk_total=2, pk_number=0), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(tp_udhi=2), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(registered_delivery=2), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(pk_total=0, pk_number=0), Result.CORRECT),
        (submit(msg_src="901234", pk_total=2, pk_number=2), Result.CORRECT),
        (submit(valid_time="tomorrow"), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(msg_fmt=Format.GB, msg_content=b"\xff\xff\xff"), Result.MESSAGE_STRUCTURE_ERROR),
        (submit(msg_fmt=Format.GB, msg_content="水".encode("gb18030") * 75), Result.MESSAGE_TOO_LONG),
        (submit(msg_fmt=21), Result.SERVICE_CODE_ERROR),
        (submit(msg_fmt=Format.GB, msg_content=b"", tp_udhi=1), Result.SERVICE_CODE_ERROR),
        (submit(valid_time="000001000000000R"), Result.CORRECT),
        (submit(src_id=f"86{CODE}"), Result.CORRECT),
        (submit(src_id=""), Result.CORRECT),
    ],
)
async def test_odd_messages(body: Submit, result: Result) -> None:
    async with Business(platform=CMPP) as bench:
        assert (await ask(bench, Command.SUBMIT, body)).result == result
        assert len(bench.smsc.got) == (result is Result.CORRECT)


@pytest.mark.parametrize(("at_time", "seen"), [("260302180000032+", "260302100000000+"), ("", "")])
async def test_scheduled_message_goes_on_with_its_time(at_time: str, seen: str) -> None:
    async with Business(platform=CMPP) as bench:
        assert (await ask(bench, Command.SUBMIT, submit(at_time=at_time))).result == Result.CORRECT
        assert [each.schedule_delivery_time for each in bench.smsc.got] == [seen]


@pytest.mark.parametrize(
    ("msg_fmt", "octets", "coding"),
    [
        (Format.ASCII, b"x", 0),
        (Format.WRITE_CARD, b"\1", 0xF6),
        (Format.BINARY, b"\1", 4),
        (Format.UCS2, b"\0x", 8),
        (Format.GB, b"x", 8),
        (21, b"\1", 4),
    ],
)
async def test_how_a_message_is_coded_goes_on(msg_fmt: int, octets: bytes, coding: int) -> None:
    codes = {CODE: {"account": "waterworks", "ota": "true"}}
    async with Business(platform=CMPP, codes=codes) as bench:
        await ask(bench, Command.SUBMIT, submit(msg_fmt=msg_fmt, msg_content=octets))
        assert [each.data_coding for each in bench.smsc.got] == [coding]


async def test_chinese_in_gb_18030_goes_on_as_ucs2() -> None:
    async with Business(platform=CMPP) as bench:
        await ask(bench, Command.SUBMIT, submit(msg_fmt=Format.GB, msg_content="用水量".encode("gb18030")))
        (got,) = bench.smsc.got
        assert (got.data_coding, got.short_message.decode("utf-16-be")) == (8, "用水量")


async def test_the_header_of_a_part_in_gb_18030_stays() -> None:
    async with Business(platform=CMPP) as bench:
        for number in (1, 2):
            header = bytes((5, 0, 3, 0xB0, 2, number))
            part = submit(msg_fmt=Format.GB, msg_content=header + "用水".encode("gb18030"), tp_udhi=1)
            assert (await ask(bench, Command.SUBMIT, part)).result == Result.CORRECT
        assert [each.short_message for each in bench.smsc.got] == [
            bytes((5, 0, 3, 0xB0, 2, number)) + "用水".encode("utf-16-be") for number in (1, 2)
        ]


@pytest.mark.parametrize(
    ("coding", "octets", "seen"),
    [(0, b"x", Format.ASCII), (4, b"\1", Format.BINARY), (3, b"x", Format.ASCII), (8, b"\0x", Format.UCS2)],
)
async def test_how_a_cards_message_is_coded_is_told(coding: int, octets: bytes, seen: Format) -> None:
    async with Business(platform=CMPP) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, octets, data_coding=coding)
        await bench.settle()
        assert [each.msg_fmt for each in messages(bench, Command.DELIVER)] == [seen]


SPECIAL = "a@b $5 _x_ {y} [z] ~^|"


async def test_ascii_text_of_a_platform_reaches_the_card_as_it_was_written() -> None:
    """Octets 40 24 5F of ASCII are 00 02 11 of the GSM 7 bit default alphabet (TS 23.038 6.2.1)."""
    async with Business(platform=CMPP) as bench:
        await ask(bench, Command.SUBMIT, submit(msg_fmt=Format.ASCII, msg_content=SPECIAL.encode("ascii")))
        (got,) = bench.smsc.got
        assert (got.data_coding, got.short_message[1], got.short_message[4]) == (0, 0x00, 0x02)
        assert message_text(got.short_message, 0) == SPECIAL


@pytest.mark.parametrize(
    ("content", "coding", "octets"),
    [(b"a`b", 8, "a`b".encode("utf-16-be")), (b"a\x00", 8, b"\0a\0\0"), (b"a\r\n", 0, b"a\r\n")],
)
async def test_ascii_that_the_default_alphabet_lacks_goes_on_as_ucs2(
    content: bytes, coding: int, octets: bytes
) -> None:
    async with Business(platform=CMPP) as bench:
        await ask(bench, Command.SUBMIT, submit(msg_fmt=Format.ASCII, msg_content=content))
        assert [(each.data_coding, each.short_message) for each in bench.smsc.got] == [(coding, octets)]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b"\xe9", Result.MESSAGE_STRUCTURE_ERROR),
        (b"[" * 80, Result.CORRECT),
        (b"[" * 81, Result.MESSAGE_TOO_LONG),  # each takes two septets
        (b"`" * 71, Result.MESSAGE_TOO_LONG),
    ],
)
async def test_ascii_that_no_card_can_take_is_refused(content: bytes, result: Result) -> None:
    async with Business(platform=CMPP) as bench:
        answer = await ask(bench, Command.SUBMIT, submit(msg_fmt=Format.ASCII, msg_content=content))
        assert answer.result == result


@pytest.mark.parametrize("text", [SPECIAL, "17 kWh", "é Ä ñ ¿ Ω £ €", "è" * 70])
async def test_text_of_a_card_is_ascii_or_ucs2_at_the_platform(text: str) -> None:
    async with Business(platform=CMPP) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, octets_for(text, 0))
        await bench.settle()
        (delivered,) = messages(bench, Command.DELIVER)
        codec, form = ("ascii", Format.ASCII) if text.isascii() else ("utf-16-be", Format.UCS2)
        assert (delivered.msg_fmt, delivered.msg_content) == (form, text.encode(codec))
        assert bench.texts() == [text]


@pytest.mark.parametrize("window", [1, 16])
async def test_text_that_is_too_long_as_ucs2_comes_in_parts(window: int) -> None:
    text = "è" * 160
    async with Business(platform=CMPP, customers={"window": window}) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, octets_for(text, 0))
        bench.smsc.deliver(f"+{MSISDN}", CODE, b"next")
        await bench.settle()
        parts = [each for each in messages(bench, Command.DELIVER) if each.tp_udhi]
        assert [len(each.msg_content) for each in parts] == [140, 140, 58]
        assert sorted(bench.texts()) == ["next", text]
        assert bench.smsc.answered == [0, 0]
        assert bench.states("0000000001")[-1] == "delivered"


async def test_part_of_a_long_message_keeps_its_header_and_its_number() -> None:
    header = bytes((5, 0, 3, 7, 2, 1))
    async with Business(platform=CMPP) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, header + octets_for("è" * 153, 0), esm_class=0x40)
        bench.smsc.deliver(f"+{MSISDN}", CODE, header[:5] + b"\2" + octets_for("è" * 60, 0), esm_class=0x40)
        await bench.settle()
        first, second = messages(bench, Command.DELIVER)
        assert (first.msg_fmt, first.msg_content) == (Format.ASCII, header + b"?" * 153)
        assert (second.msg_fmt, second.msg_content[:6]) == (Format.UCS2, header[:5] + b"\2")
        assert bench.texts() == ["?" * 153 + "è" * 60]


@pytest.mark.parametrize(("text", "parts"), [(SPECIAL, 1), ("x{" * 100, 2), ("é Ω £", 1), ("a`b", 1)])
async def test_platform_writes_ascii_or_ucs2(text: str, parts: int) -> None:
    async with Business(platform=CMPP) as bench:
        assert await bench.submit(text=text) == "accepted"
        sent = messages(bench, Command.SUBMIT)
        forms = {Format.ASCII} if text.isascii() and "`" not in text else {Format.UCS2}
        assert (len(sent), {each.msg_fmt for each in sent}) == (parts, forms)
        rest = [each.short_message[6 if parts > 1 else 0 :] for each in bench.smsc.got]
        assert "".join(message_text(each, bench.smsc.got[0].data_coding) for each in rest) == text


async def test_nothing_is_counted_and_nothing_taken_back() -> None:
    async with Business(platform=CMPP) as bench:
        assert (await ask(bench, Command.QUERY, cmpp.Query("20260302"))).mt_tlmsg == 0
        assert (await ask(bench, Command.CANCEL, cmpp.Cancel(7))).success_id == 1
