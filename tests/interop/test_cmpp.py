"""CMPP 2.0 by others: pycmpp, an implementation that is not ours, and a client that another hand wrote by the tables.

Both are customers' platforms at our business gateway, a process of its own, which is bound at an SMSC.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import socket
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from business import ACCOUNTS, CODE, OTHER_CODE
from cmpp_client import (
    ACTIVE_TEST,
    CANCEL,
    CHINA,
    CONNECT,
    DELIVER,
    QUERY,
    RESP,
    SUBMIT,
    TERMINATE,
    CmppClient,
    Record,
    encode,
    msg_id_parts,
)
from pycmpp.cmpp import Cmpp
from pycmpp.request import SubmitRequestInstance
from pycmpp.response import ConnectResponseInstance, SubmitResponseInstance
from pycmpp.utils import split_message
from served_gateway import gateway
from smpp_centre import CARD, TEXT, Centre, in_parts, text_of
from waiting import LONG, in_real_time, until

from simwarden.wire.smpp import Address, ShortMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from served import Where

pytestmark = pytest.mark.interop
SOURCE, SECRET = "901234", "shared"
METER = "读表".encode("utf-16-be")


@pytest.fixture
def centre() -> Iterator[Centre]:
    with Centre() as made:
        yield made


@pytest.fixture
def _in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where platforms of CMPP are: they write the time of their own clocks."""
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def where(tmp_path: Path, centre: Centre, _in_china: None) -> Iterator[Where]:
    with gateway(tmp_path, centre, "CMPP") as port:
        yield "127.0.0.1", port


# -- pycmpp


class Pycmpp(Cmpp):  # type: ignore[misc]  # it has no types
    """pycmpp's client, which keeps what it hears; what it sends and how it reads is its own."""

    def __init__(self, where: Where, secret: str) -> None:
        super().__init__(*where, sp_id=SOURCE, sp_secret=secret, src_id=CODE, delivery=1, client_heartbeat=False)
        self.connected: list[int] = []
        self.submitted: list[int] = []
        self.heard: list[int] = []

    def listen(self) -> None:
        """Read what comes by pycmpp's classes, until the connection ends."""
        while len(header := self._some(12)) == 12:
            octets = header + self._some(int.from_bytes(header[:4]) - 12)
            self.heard.append(int.from_bytes(header[4:8]))
            if self.heard[-1] == CONNECT | RESP:
                answer = ConnectResponseInstance()
                answer.resolve(octets)
                self.connected.append(answer.status)
            elif self.heard[-1] == SUBMIT | RESP:
                result = SubmitResponseInstance()
                result.resolve(octets)
                self.submitted.append(result.status)

    def _some(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (more := self.so.recv(count - len(found))):
            found += more
        return found


@contextmanager
def pycmpp(where: Where, secret: str = SECRET) -> Iterator[Pycmpp]:
    made = Pycmpp(where, secret)
    listener = threading.Thread(target=made.listen, daemon=True)
    made.connect()
    try:
        listener.start()
        made.auth()
        assert until(lambda: made.connected)
        yield made
    finally:
        with suppress(OSError):
            made.so.shutdown(socket.SHUT_RDWR)
        listener.join(10)
        made.close()


def test_pycmpp_sends_long_texts(centre: Centre, where: Where) -> None:
    with pycmpp(where) as platform:
        assert platform.connected == [0]
        platform.submit("读表", [CARD])
        parts = split_message(TEXT)
        for number, part in enumerate(parts, 1):
            head = bytes((5, 0, 3, 9, len(parts), number))
            made = SubmitRequestInstance()
            platform.send(made.create(SOURCE, part, [CARD], head, pk_total=len(parts), pk_number=number, tp_udhi=1))
        assert until(lambda: len(platform.submitted) == len(centre.submitted) == len(parts) + 1)
        assert set(platform.submitted) == {0}
        first, *long = centre.submitted
        assert first.short_message.decode("utf-16-be") == "读表"
        assert text_of(long) == TEXT
        assert {each.source for each in centre.submitted} == {Address(CODE, 0, 1)}
        # the report, which pycmpp knows of and does not read
        assert until(lambda: DELIVER in platform.heard)


def test_pycmpp_is_told_of_a_wrong_secret_and_of_a_foreign_card(centre: Centre, where: Where) -> None:
    with pycmpp(where, "guessed") as guesser:
        assert guesser.connected == [3]
    with pycmpp(where) as platform:
        platform.submit("读表", ["13800000000"])
        assert until(lambda: platform.submitted)
        assert platform.submitted == [13]
    assert centre.submitted == []


def test_pycmpp_is_told_of_a_protocol_between_sme_and_card(centre: Centre, where: Where) -> None:
    """By itself it gives the parts of a long text TP-PID 1 (TS 23.040 9.2.3.9): no plain text for all we know."""
    with pycmpp(where) as platform:
        platform.submit(TEXT, [CARD])
        assert until(lambda: len(platform.submitted) == len(split_message(TEXT)))
        assert set(platform.submitted) == {7}
    assert centre.submitted == []


def test_pycmpp_ends(centre: Centre, where: Where) -> None:
    with pycmpp(where) as platform:
        platform.terminate()
        assert until(lambda: TERMINATE | RESP in platform.heard)
    assert centre.faults == []


# -- a client by the tables, of a hand that had not seen our gateway


@asynccontextmanager
async def client(where: Where, timestamp: int | None = None) -> AsyncIterator[CmppClient]:
    async with CmppClient(*where, timeout=LONG) as made:
        said = await made.connect(SOURCE, SECRET, timestamp=timestamp)
        assert (said["Status"], said["authentic"]) == (0, True)
        yield made


async def delivered(platform: CmppClient) -> Record:
    """Take the next CMPP_DELIVER."""
    return await asyncio.wait_for(anext(aiter(platform.deliveries())), LONG)


async def so(condition: Callable[[], object]) -> bool:
    """Wait until something is so, while platforms go on."""
    return await asyncio.to_thread(until, condition)


def stamp(seconds: int = 0) -> int:
    return int(f"{dt.datetime.now(CHINA) + dt.timedelta(seconds=seconds):%m%d%H%M%S}")


def proof(time_stamp: int) -> bytes:
    return hashlib.md5(f"{SOURCE}{chr(0) * 9}{SECRET}{time_stamp:010}".encode()).digest()  # noqa: S324 - CMPP has it


def message(**change: Any) -> bytes:
    """The body of a CMPP_SUBMIT that is taken, and of which no report is wanted."""
    given = {
        "Pk_total": 1,
        "Pk_number": 1,
        "Fee_UserType": 2,
        "Msg_Fmt": 8,
        "Msg_src": SOURCE,
        "FeeType": "01",
        "FeeCode": "000000",
        "Src_Id": CODE,
        "Dest_terminal_Id": [CARD],
        "Msg_Content": METER,
    }
    return encode(SUBMIT, **given | change)


def answers(platform: CmppClient) -> list[tuple[int, int, int]]:
    """Command, sequence and length of all answers, in order."""
    return [(command - RESP, number, 12 + len(body)) for command, number, body in platform.received if command & RESP]


@in_real_time
async def test_both_prove_who_they_are(centre: Centre, where: Where) -> None:
    now = stamp()
    async with CmppClient(*where, timeout=LONG) as platform:
        said = await platform.connect(SOURCE, SECRET, timestamp=now)
        assert (said["Status"], said["authentic"], said["Version"]) == (0, True, 0x20)
        assert await platform.active_test() == {"Reserved": 0}
        assert [length for *_, length in answers(platform)] == [30, 13]
    # the same octets once more are of somebody who overheard them
    async with CmppClient(*where, timeout=LONG) as again:
        assert (await again.connect(SOURCE, SECRET, timestamp=now))["Status"] == 3
    assert centre.faults == []


@pytest.mark.parametrize(
    ("status", "source", "secret", "change"),
    [
        (3, SOURCE, "guessed", {}),
        (3, SOURCE, SECRET, {"authenticator": bytes(16)}),
        (3, SOURCE, SECRET, {"authenticator": proof(stamp(-1))}),
        (2, "909999", SECRET, {}),
        (4, SOURCE, SECRET, {"version": 0x30}),
    ],
    ids=["another secret", "zeros", "another time", "nobody", "version"],
)
@in_real_time
async def test_who_is_not_connected_is_told_why(
    where: Where, status: int, source: str, secret: str, change: dict[str, Any]
) -> None:
    async with CmppClient(*where, timeout=LONG) as platform:
        said = await platform.connect(source, secret, **change)
        assert (said["Status"], said["AuthenticatorISMG"], said["Version"]) == (status, bytes(16), 0x20)
        with pytest.raises(ConnectionError):
            await platform.request(SUBMIT, message())


@in_real_time
async def test_a_connect_of_another_length(where: Where) -> None:
    now = stamp()
    body = encode(CONNECT, Source_Addr=SOURCE, AuthenticatorSource=proof(now), Version=0x20, Timestamp=now)
    for odd in (body[:-1], body + b"\0"):
        async with CmppClient(*where, timeout=LONG) as platform:
            assert (await platform.request(CONNECT, odd))["Status"] == 1
    async with CmppClient(*where, timeout=LONG) as platform:
        assert (await platform.request(CONNECT, body))["Status"] == 0


@in_real_time
async def test_nothing_is_taken_of_who_is_not_connected(centre: Centre, where: Where) -> None:
    for command, body in ((QUERY, encode(QUERY, Time="20260302")), (CANCEL, bytes(8))):
        async with CmppClient(*where, timeout=LONG) as stranger:
            with pytest.raises(ConnectionError):
                await stranger.request(command, body)
    async with CmppClient(*where, timeout=LONG) as stranger:
        assert (await stranger.request(SUBMIT, message()))["Result"] == 2
    async with client(where) as platform:
        assert (await platform.request(SUBMIT, message()))["Result"] == 0
        assert await so(lambda: centre.submitted)
    assert len(centre.submitted) == 1


@in_real_time
async def test_each_request_has_its_own_answer(centre: Centre, where: Where) -> None:
    numbers = 0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF
    bodies = {ACTIVE_TEST: b"", QUERY: encode(QUERY, Time="20260302"), CANCEL: bytes(8), SUBMIT: message()}
    async with client(where) as platform:
        for number in numbers:
            for command, body in bodies.items():
                await platform.request(command, body, sequence=number)
        taken = await asyncio.gather(*(platform.request(SUBMIT, message(), sequence=n) for n in range(100, 116)))
        assert {each["Result"] for each in taken} == {0}
        assert len({each["Msg_Id"] for each in taken}) == 16
        asked = [(command, number) for number in numbers for command in bodies]
        seen = [(command, number) for command, number, _ in answers(platform)[1:]]
        assert seen == [*asked, *((SUBMIT, number) for number in range(100, 116))]
        assert await so(lambda: len(centre.submitted) == 20)


@in_real_time
async def test_who_is_silent_is_asked_whether_it_is_there(tmp_path: Path, centre: Centre) -> None:
    with gateway(tmp_path, centre, "CMPP", customers={"quiet": "0.2 s"}) as port:
        async with client(("127.0.0.1", port)) as platform:

            def tests() -> list[int]:
                return [number for command, number, _ in platform.received if command == ACTIVE_TEST]

            # an answer is enough: the link stands, and is tested again
            assert await so(lambda: len(tests()) > 2)
            assert len(set(tests())) == len(tests())
            assert await platform.active_test() == {"Reserved": 0}


@in_real_time
async def test_a_message_there_and_its_report_back(centre: Centre, where: Where) -> None:
    async with client(where) as platform:
        [silent] = await platform.submit(METER, [CARD], Src_Id=CODE, Registered_Delivery=0)
        [done] = await platform.submit(METER, [CARD], Src_Id=CODE)
        assert (silent["Result"], done["Result"]) == (0, 0)
        assert await so(lambda: len(centre.submitted) == 2)
        assert {(each.source, each.destination) for each in centre.submitted} == {
            (Address(CODE, 0, 1), Address(CARD, 1, 1))
        }
        came = await delivered(platform)
        report = came["report"]
        assert (came["Registered_Delivery"], came["Msg_Length"], came["Dest_Id"]) == (1, 60, CODE)
        assert (report["Msg_Id"], report["Stat"]) == (done["Msg_Id"], "DELIVRD")
        assert (report["Dest_terminal_Id"], came["Src_terminal_Id"]) == (CARD, CARD)
        assert report["Submit_time"] <= report["Done_time"]
        # the report is a message of its own
        assert came["Msg_Id"] not in (silent["Msg_Id"], done["Msg_Id"])
        await platform.active_test()
        assert [command for command, *_ in platform.received].count(DELIVER) == 1


@in_real_time
async def test_ids_of_messages(where: Where) -> None:
    async with client(where) as platform:
        taken = [await platform.request(SUBMIT, message(Msg_Id=1)) for _ in range(3)]
        now = dt.datetime.now(CHINA)
        times, codes, numbers = zip(*(msg_id_parts(each["Msg_Id"], now.year) for each in taken), strict=True)
        assert all(abs(now - each) < dt.timedelta(seconds=LONG) for each in times)
        assert len(set(codes)) == 1
        assert [each - numbers[0] for each in numbers] == [0, 1, 2]
        assert {length for command, _, length in answers(platform) if command == SUBMIT} == {21}


@in_real_time
async def test_numbers_of_a_message(centre: Centre, where: Where) -> None:
    """Several at a time are not built: then nothing is sent to any."""
    async with client(where) as platform:
        for several in ([CARD, CARD], [CARD, "13800000000"]):
            assert (await platform.request(SUBMIT, message(Dest_terminal_Id=several)))["Result"] == 13
        for number in (CARD, f"+{CARD}", CARD.removeprefix("86")):
            assert (await platform.request(SUBMIT, message(Dest_terminal_Id=[number])))["Result"] == 0
        assert await so(lambda: len(centre.submitted) == 3)
    assert {each.destination for each in centre.submitted} == {Address(CARD, 1, 1)}


@in_real_time
async def test_how_long_a_message_may_be(centre: Centre, where: Where) -> None:
    fit = [(0, b"1" * 159), (8, METER * 35), (15, ("汉" * 70).encode("gb18030"))]
    async with client(where) as platform:
        for coding, content in [(8, b"1" * 141), (8, b"1" * 142), (15, b"1" * 141), (0, b"1" * 161)]:
            assert (await platform.request(SUBMIT, message(Msg_Fmt=coding, Msg_Content=content)))["Result"] == 6
        for coding, content in fit:
            assert (await platform.request(SUBMIT, message(Msg_Fmt=coding, Msg_Content=content)))["Result"] == 0
        parts = await platform.submit("汉" * 71, [CARD], reference=7, Registered_Delivery=0)
        assert [each["Result"] for each in parts] == [0, 0]
        assert len({each["Msg_Id"] for each in parts}) == 2
        assert await so(lambda: len(centre.submitted) == 5)
    *short, first, second = centre.submitted
    assert [each.short_message for each in short] == [b"1" * 159, METER * 35, ("汉" * 70).encode("utf-16-be")]
    assert text_of([first, second]) == "汉" * 71
    assert first.short_message[:6] == bytes((5, 0, 3, 7, 2, 1))


@in_real_time
async def test_texts_in_ascii_are_the_same_on_both_sides(centre: Centre, where: Where) -> None:
    """Msg_Fmt 0 is ASCII (CMPP 2.0 7.4.3.1); `@`, `$` and `_` have the codes 00, 02 and 11 in the SMSC's alphabet."""
    text, septets = "a@b $5 _x_ {y}", bytes.fromhex("6100622002352011781120 1b28791b29")
    async with client(where) as platform:
        [taken] = await platform.submit(text.encode("ascii"), [CARD], Msg_Fmt=0, Src_Id=CODE, Registered_Delivery=0)
        assert taken["Result"] == 0
        assert (await platform.request(SUBMIT, message(Msg_Fmt=0, Msg_Content=b"caf\xe9")))["Result"] == 1
        assert await so(lambda: len(centre.submitted) == 1)
        assert [(each.data_coding, each.short_message) for each in centre.submitted] == [(0, septets)]
        for content in (septets, b"caf\x05"):
            centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=content))
        came = [await delivered(platform) for _ in range(2)]
    assert [(each["Msg_Fmt"], each["Msg_Content"]) for each in came] == [
        (0, text.encode("ascii")),
        (8, "café".encode("utf-16-be")),
    ]


@in_real_time
async def test_a_long_text_of_a_card(centre: Centre, where: Where) -> None:
    async with client(where) as platform:
        parts = in_parts(TEXT, 9)
        for part in parts:
            centre.deliver(part)
        came = [await delivered(platform) for _ in parts]
        assert {(each["Dest_Id"], each["Src_terminal_Id"]) for each in came} == {(CODE, CARD)}
        assert {(each["TP_udhi"], each["Msg_Fmt"], each["report"]) for each in came} == {(1, 8, None)}
        assert b"".join(each["payload"] for each in came).decode("utf-16-be") == TEXT
        assert [each["udh"] for each in came] == [bytes((5, 0, 3, 9, len(parts), n + 1)) for n in range(len(parts))]
        centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=b"17 kWh"))
        assert (await delivered(platform))["Msg_Content"] == b"17 kWh"
        assert await so(lambda: len(centre.answered) == len(parts) + 1)
        assert all(each.answer is not None and each.answer.status == 0 for each in centre.answered)


@pytest.mark.parametrize(
    ("result", "change"),
    [
        (10, {"Src_Id": OTHER_CODE}),
        (10, {"Src_Id": "BANK"}),
        (10, {"Src_Id": CARD}),
        (13, {"Dest_terminal_Id": ["13800000000"]}),
        (7, {"Msg_Fmt": 4}),
        (7, {"Msg_Fmt": 0xF6}),
        (7, {"TP_pId": 0x7F}),
        (7, {"Msg_Content": bytes.fromhex("0605040b8423f0") + METER, "TP_udhi": 1}),
        (7, {"Msg_Content": bytes.fromhex("027000") + METER, "TP_udhi": 1}),
        (1, {"Msg_Length": len(METER) - 1}),
        (1, {"Msg_Length": len(METER) + 1}),
        (13, {"Dest_terminal_Id": []}),
        (1, {"Dest_terminal_Id": [CARD] * 100}),
        (1, {"At_Time": "300101000000032+"}),
    ],
    ids=[
        "another's code",
        "a name",
        "a card",
        "a telephone",
        "octets",
        "class 2",
        "download",
        "a port",
        "toolkit",
        "shorter",
        "longer",
        "nobody",
        "100",
        "later",
    ],
)
@in_real_time
async def test_what_a_customer_may_not_send(centre: Centre, where: Where, result: int, change: dict[str, Any]) -> None:
    async with client(where) as platform:
        refused = await platform.request(SUBMIT, message(Registered_Delivery=1, **change))
        assert (refused["Result"], refused["Msg_Id"]) == (result, 0)
        # who was refused is served on, and has one report
        done = await platform.request(SUBMIT, message(Registered_Delivery=1))
        assert (await delivered(platform))["report"]["Msg_Id"] == done["Msg_Id"]
    assert [each.short_message for each in centre.submitted] == [METER]


@in_real_time
async def test_a_message_that_is_sent_again_is_taken_once(centre: Centre, where: Where) -> None:
    async with client(where) as platform:
        assert (await platform.request(SUBMIT, message(Src_Id=OTHER_CODE), sequence=7))["Result"] == 10
        results = [(await platform.request(SUBMIT, message(), sequence=7))["Result"] for _ in range(3)]
        assert results == [0, 3, 3]
        assert (await platform.request(SUBMIT, message(), sequence=8))["Result"] == 0
        assert await so(lambda: len(centre.submitted) == 2)


@in_real_time
async def test_more_than_the_contract_has(tmp_path: Path, centre: Centre) -> None:
    accounts = {**ACCOUNTS, "waterworks": {**ACCOUNTS["waterworks"], "rate": 1}}
    with gateway(tmp_path, centre, "CMPP", accounts=accounts) as port:
        async with client(("127.0.0.1", port)) as platform:
            taken = await asyncio.gather(*(platform.request(SUBMIT, message()) for _ in range(30)))
            results = [each["Result"] for each in taken]
            assert set(results) == {0, 8}
            assert await so(lambda: len(centre.submitted) == results.count(0))


@in_real_time
async def test_nothing_is_counted_and_nothing_taken_back(centre: Centre, where: Where) -> None:
    """Neither is built: a gateway says so as far as the answers have words for it."""
    async with client(where) as platform:
        done = await platform.request(SUBMIT, message())
        assert await so(lambda: centre.submitted)
        for unknown in (done["Msg_Id"], 7):
            assert await platform.cancel(unknown) == {"Success_Id": 1}
        told = await platform.query("20260302", "METERS")
        assert (told.pop("Time"), told.pop("Query_Type"), told.pop("Query_Code")) == ("20260302", 1, "METERS")
        assert set(told.values()) == {0}
        assert [length for *_, length in answers(platform)[-3:]] == [13, 13, 63]


@in_real_time
async def test_a_platform_ends(centre: Centre, where: Where) -> None:
    async with client(where) as platform:
        assert await platform.terminate(LONG)
        command, _number, length = answers(platform)[-1]
        assert (command, length) == (TERMINATE, 12)
        with pytest.raises(ConnectionError):
            await platform.request(SUBMIT, message())
    async with client(where, stamp(1)) as other:  # a time stamp is good once
        await other.active_test()
    assert centre.submitted == []
