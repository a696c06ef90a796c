"""A terminal's short messages: what it makes of a text, and what it takes of what comes."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.device.config import DeviceConfig
from simulators.device.procedures import short_message
from simwarden.machine.ppsms import Answered, PpsmsTimers
from simwarden.wire.nas import Message, MessageType
from simwarden.wire.ppsms import Cp, CpCause, CpType, Rp, RpCause, RpType, decode_cp, decode_rp, encode_cp, encode_rp
from simwarden.wire.sms import (
    Address,
    Concatenation,
    Deliver,
    DeliverReport,
    FailureCause,
    Submit,
    Ton,
    UserData,
    concatenation_of,
    decode,
    encode,
    octets_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CENTRE = Address("8613800100500", Ton.INTERNATIONAL)
NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


class Phone:
    """What the procedures use of a terminal; `seen` is what it shows, `sent` what it answered."""

    def __init__(self, room: int = 10, *, card_takes: bool = True) -> None:
        self.config = DeviceConfig(sms_room=room)
        self.site, self.clock, self.radio = self, self, self
        self.seen: dict[str, Any] = {}
        self.sent: list[Rp] = []
        self.faults: list[str] = []
        self.handed: list[bytes] = []
        self.short_messages: Any = None
        self.wired = True
        self.messages: list[int] = []
        self.parts: dict[Any, Any] = {}
        self.sms_count = self.sms_reference = self.sms_long = 0
        self.memory_full = False
        self.card_takes = card_takes
        self.session = self
        self.work: list[asyncio.Task[None]] = []

    def now(self) -> float:
        return 0.0

    def call_later(self, _seconds: float, _call: Any) -> Any:
        return SimpleNamespace(cancel=lambda: None)

    def spawn(self, work: Coroutine[Any, Any, None], _what: str) -> None:
        self.work.append(asyncio.ensure_future(work))

    def observe(self, name: str, value: Any, *, key: str = "") -> None:
        self.seen[f"{name}/{key}"] = value

    def fault(self, reason: str, _octets: bytes) -> None:
        self.faults.append(reason)

    def send(self, message: Message) -> None:
        heard = decode_cp(message["nas_message_container"])
        if heard.type is CpType.CP_DATA:
            self.sent.append(decode_rp(heard.user_data))

    async def download(self, _centre: Address, octets: bytes) -> bool:
        self.handed.append(octets)
        return self.card_takes

    async def hear(self, tpdu: bytes, transaction: int = 0) -> Rp:
        made = Rp(RpType.RP_DATA, transaction, from_mobile=False, originator=CENTRE, user_data=tpdu)
        container = encode_cp(Cp(CpType.CP_DATA, transaction, user_data=encode_rp(made)))
        message = Message(MessageType.DOWNLINK_NAS_TRANSPORT, nas_message_container=container)
        short_message.on_transport(self, message, True)  # type: ignore[arg-type]
        await asyncio.gather(*self.work)
        return self.sent[-1]


def deliver(text: str = "read", scheme: int = 0, header: tuple[Any, ...] = (), protocol: int = 0) -> bytes:
    data = UserData(octets_for(text, scheme) if scheme != 246 else text.encode(), header)
    return encode(
        Deliver(
            originator=Address("10658000"),
            time_stamp=NOW,
            data_coding_scheme=scheme,
            protocol_identifier=protocol,
            user_data=data,
        )
    )


async def test_message_is_kept_and_acknowledged() -> None:
    phone = Phone()
    answer = await phone.hear(deliver())
    assert answer.type is RpType.RP_ACK
    assert phone.seen["sms/1"]["text"] == "read"
    assert phone.messages == [1]


async def test_parts_are_one_message_in_whatever_order() -> None:
    phone = Phone()
    parts = {1: "水位", 3: "完", 2: "上涨"}
    for transaction, (number, text) in enumerate(parts.items()):
        await phone.hear(deliver(text, 8, (Concatenation(7, 3, number).element,)), transaction)
    assert phone.seen["sms/1"]["text"] == "水位上涨完"
    assert phone.parts == {}


async def test_full_memory_refuses_all_but_what_is_displayed_at_once() -> None:
    phone = Phone(room=0)
    answer = await phone.hear(deliver())
    assert (answer.type, answer.cause) == (RpType.RP_ERROR, RpCause.MEMORY_CAPACITY_EXCEEDED)
    report = decode(answer.user_data or b"", from_mobile=True)
    assert report == DeliverReport(failure_cause=FailureCause.MEMORY_CAPACITY_EXCEEDED)
    assert phone.memory_full
    assert (await phone.hear(deliver(scheme=0xF0), 1)).type is RpType.RP_ACK
    assert phone.messages == []


@pytest.mark.parametrize("takes", [True, False])
async def test_message_for_the_card_goes_there_alone(*, takes: bool) -> None:
    phone = Phone(card_takes=takes)
    octets = deliver("\x00\x01", 246, protocol=0x7F)
    answer = await phone.hear(octets)
    assert phone.handed == [octets]
    assert phone.seen == {}
    assert answer.type is (RpType.RP_ACK if takes else RpType.RP_ERROR)
    if not takes:
        report = decode(answer.user_data or b"", from_mobile=True)
        assert report == DeliverReport(failure_cause=FailureCause.SIM_DATA_DOWNLOAD_ERROR)


async def test_tpdu_that_cannot_be_read_is_refused() -> None:
    phone = Phone()
    answer = await phone.hear(b"\x00\xff\xff")
    assert answer.type is RpType.RP_ERROR
    assert phone.faults
    assert (await phone.hear(deliver(), 1)).type is RpType.RP_ACK


@given(st.text(max_size=400))
def test_text_of_any_length_is_whole_in_its_parts(text: str) -> None:
    phone = Phone()
    outgoing = short_message.Outgoing(Address.parse("10658000"), text)
    made: list[Submit] = short_message._submits(phone, outgoing)  # type: ignore[arg-type]
    scheme = made[0].data_coding_scheme
    assert b"".join(each.user_data.octets for each in made) == octets_for(text, scheme)
    for number, each in enumerate(made, 1):
        assert decode(encode(each), from_mobile=True) == each
        part = concatenation_of(each.user_data.header)
        assert part is None if len(made) == 1 else part == Concatenation(1, len(made), number)
    assert len({each.reference for each in made}) == len(made)


# -- room again


class Full(Phone):
    """A terminal that has room again, and a network that answers as it is told."""

    def __init__(self, *heard: Answered) -> None:
        super().__init__()
        self.heard, self.asked, self.slept = list(heard), list[Rp](), list[float]()
        self.powered, self.state = True, SimpleNamespace(registered=True)
        self.entity = SimpleNamespace(timers=PpsmsTimers())

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def ask(self, make: Callable[[int], Rp]) -> Answered:
        self.asked.append(make(len(self.asked) + 1))
        return self.heard.pop(0)


ACK = Answered(0, Rp(RpType.RP_ACK, 1, from_mobile=False))


def error(cause: int) -> Answered:
    return Answered(0, Rp(RpType.RP_ERROR, 1, from_mobile=False, cause=cause))


@pytest.mark.parametrize(
    "first",
    [
        Answered(0, None, "TR1* ran out"),
        Answered(0, None, "CP-ERROR", CpCause.NETWORK_FAILURE),
        *(error(cause) for cause in (38, 41, 42, 47)),
    ],
)
async def test_room_that_nobody_heard_of_is_told_once_more_after_tram(
    first: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second, word in ((ACK, "accepted"), (first, "no-answer" if first.reason == "TR1* ran out" else "refused")):
        phone = Full(first, second)
        monkeypatch.setattr(short_message, "link", lambda phone: phone)
        assert await short_message.tell_room(phone) == word  # type: ignore[arg-type]
        assert [(each.type, each.reference) for each in phone.asked] == [(RpType.RP_SMMA, 1), (RpType.RP_SMMA, 2)]
        assert phone.slept == [30.0]


@pytest.mark.parametrize("answer", [ACK, error(RpCause.UNKNOWN_SUBSCRIBER), error(RpCause.FACILITY_REJECTED)])
async def test_room_that_was_answered_is_told_once(answer: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = Full(answer)
    monkeypatch.setattr(short_message, "link", lambda phone: phone)
    assert await short_message.tell_room(phone) == ("accepted" if answer is ACK else "refused")  # type: ignore[arg-type]
    assert (len(phone.asked), phone.slept) == (1, [])


async def test_a_terminal_that_was_switched_off_tells_no_more_of_room(monkeypatch: pytest.MonkeyPatch) -> None:
    phone = Full(error(41), ACK)

    async def off(_seconds: float) -> None:
        phone.powered = False

    monkeypatch.setattr(short_message, "link", lambda phone: phone)
    monkeypatch.setattr(phone, "sleep", off)
    assert await short_message.tell_room(phone) == "not-registered"  # type: ignore[arg-type]
    assert len(phone.asked) == 1
