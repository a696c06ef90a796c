"""Credit of messages: what is reserved, checked, debited and given back, whoever grants it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.smsc import causes, controls
from simulators.smsc.clients.credit import Counter, CreditControl, Request
from simulators.smsc.message import Direction, End, ShortMessage
from simulators.smsc.procedures import credit
from simwarden.policy.short_messages import judge_message_quota
from simwarden.runtime.clock import CHINA
from simwarden.wire.diameter import ResultCode
from simwarden.wire.sms import Concatenation, encode_header

if TYPE_CHECKING:
    from collections.abc import Callable

IMSI = "001010000000017"
MARCH = dt.datetime(2026, 3, 31, 23, 59, tzinfo=CHINA).timestamp()


class Centre:
    """What credit uses of a centre: a store of counters, cards with a quota, a clock, and the control."""

    def __init__(self, quota: int, ocs: CreditControl | None = None) -> None:
        self.site = self.store = self.clock = self
        self.quota, self.counted, self.asked, self.time = quota, dict[tuple[str, str], int](), list[str](), 0.0
        self.long: dict[Any, Any] = {}
        self.credit: Any = ocs or Counter(self, self)  # type: ignore[arg-type]

    def now(self) -> float:
        return self.time

    def month(self, when: float) -> str:
        return f"{dt.datetime.fromtimestamp(when, CHINA):%Y-%m}"

    def card(self, _imsi: str) -> Any:
        return SimpleNamespace(sms=SimpleNamespace(quota=self.quota))

    def used(self, imsi: str, month: str) -> int:
        return self.counted.get((imsi, month), 0)

    def charge(self, imsi: str, month: str, units: int) -> None:
        self.counted[imsi, month] = self.used(imsi, month) + units

    def decide(self, _control: Any, _imsi: str, *, on: str, **facts: Any) -> Any:
        self.asked.append(on)
        return judge_message_quota(**facts)

    def reserve(self, message: ShortMessage) -> list[Any]:
        heard: list[Any] = []
        credit.reserve(self, message, heard.append)  # type: ignore[arg-type]
        return heard

    def covered(self, message: ShortMessage) -> list[bool]:
        heard: list[bool] = []
        credit.check(self, message, heard.append)  # type: ignore[arg-type]
        return heard


def message(
    direction: str = Direction.TO_CARD, part: Concatenation | None = None, taken: float = MARCH
) -> ShortMessage:
    header = encode_header([part.element]) if part is not None else b""
    return ShortMessage(1, direction, IMSI, "10658000", 0, 1, "gateway", 0, 0, header, b"read", taken, taken + 60)


def test_what_was_not_delivered_is_given_back_to_its_month() -> None:
    centre = Centre(quota=1)
    old = message()
    assert centre.reserve(old) == [None]
    assert centre.reserve(message()) == [causes.USED_UP]
    april = message(taken=MARCH + 120)
    assert centre.reserve(april) == [None]
    credit.settle(centre, old, End.EXPIRED)  # type: ignore[arg-type]
    credit.settle(centre, april, End.DELIVERED)  # type: ignore[arg-type]
    assert centre.counted == {(IMSI, "2026-03"): 0, (IMSI, "2026-04"): 1}


@pytest.mark.parametrize("end", [End.EXPIRED, End.FORBIDDEN, End.UNDELIVERABLE])
@pytest.mark.parametrize(("direction", "left"), [(Direction.TO_CARD, 0), (Direction.TO_GATEWAY, 1)])
def test_every_end_but_delivery_gives_back_what_a_platform_sent(direction: str, left: int, end: End) -> None:
    centre = Centre(quota=1)
    centre.reserve(message(direction))
    credit.settle(centre, message(direction), end)  # type: ignore[arg-type]
    assert centre.counted == {(IMSI, "2026-03"): left}


@pytest.mark.parametrize("direction", [Direction.REPORT, Direction.RECEIPT])
def test_what_tells_of_a_message_moves_nothing(direction: str) -> None:
    centre = Centre(quota=1)
    credit.settle(centre, message(direction), End.EXPIRED)  # type: ignore[arg-type]
    assert centre.counted == {}


def test_each_part_gives_its_own_unit_back() -> None:
    centre = Centre(quota=3)
    parts = [message(part=Concatenation(7, 3, number)) for number in (2, 1, 3)]
    assert [centre.reserve(each) for each in parts] == [[None]] * 3
    assert centre.counted == {(IMSI, "2026-03"): 3}
    assert centre.reserve(message()) == [causes.USED_UP]
    credit.settle(centre, parts[0], End.EXPIRED)  # type: ignore[arg-type]
    assert centre.counted == {(IMSI, "2026-03"): 2}
    assert centre.asked == [controls.SUBMIT] * 2


def test_part_that_could_not_be_kept_comes_again_for_its_own_unit() -> None:
    centre = Centre(quota=2)
    first = message(part=Concatenation(7, 2, 1))
    centre.reserve(first)
    credit.not_kept(centre, first)  # type: ignore[arg-type]
    assert centre.reserve(replace(first)) == [None]
    assert centre.reserve(message(part=Concatenation(7, 2, 2))) == [None]
    assert centre.counted == {(IMSI, "2026-03"): 2}
    whole = message()
    assert centre.reserve(whole) == [causes.USED_UP]


def test_lower_quota_no_longer_covers_what_waits() -> None:
    centre = Centre(quota=0)
    waiting = [message(), message()]
    for each in waiting:
        centre.reserve(each)
    assert [centre.covered(each) for each in waiting] == [[True], [True]]
    centre.quota = 1
    assert centre.covered(waiting[0]) == [False]
    credit.settle(centre, waiting[0], End.FORBIDDEN)  # type: ignore[arg-type]
    assert centre.covered(waiting[1]) == [True]
    assert centre.asked[-1] == controls.ATTEMPT


class Ocs:
    """An OCS that answers later, as one behind Ro does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Request, Any]] = []

    def reserve(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        self.asked.append(("reserve", request, told))

    def check(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        self.asked.append(("check", request, told))

    def debit(self, request: Request) -> None:
        self.asked.append(("debit", request, None))

    def refund(self, request: Request) -> None:
        self.asked.append(("refund", request, None))


@pytest.mark.parametrize(
    ("result", "refusal"),
    [
        (ResultCode.DIAMETER_SUCCESS, None),
        (ResultCode.DIAMETER_CREDIT_LIMIT_REACHED, causes.USED_UP),
        (ResultCode.DIAMETER_UNABLE_TO_DELIVER, causes.BUSY),
    ],
)
def test_an_ocs_may_answer_when_it_likes(result: ResultCode, refusal: Any) -> None:
    ocs = Ocs()
    centre = Centre(0, ocs)
    heard = centre.reserve(message(Direction.TO_GATEWAY))
    assert heard == []
    ((_, request, told),) = ocs.asked
    assert request == Request(IMSI, MARCH, 1, controls.MO, 1)
    told(result)
    assert heard == [refusal]


def test_an_ocs_that_is_away_ends_nothing_that_waits_and_hears_how_it_ended() -> None:
    ocs = Ocs()
    centre = Centre(0, ocs)
    covered = centre.covered(message())
    ocs.asked[-1][2](ResultCode.DIAMETER_UNABLE_TO_DELIVER)
    assert covered == [True]
    credit.settle(centre, message(), End.DELIVERED)  # type: ignore[arg-type]
    credit.settle(centre, message(), End.EXPIRED)  # type: ignore[arg-type]
    assert [each[0] for each in ocs.asked] == ["check", "debit", "refund"]


def test_only_so_many_long_messages_are_known_by_their_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit, "_LONG", 2)
    centre = Centre(quota=0)
    for reference in (1, 2, 3):
        centre.reserve(message(part=Concatenation(reference, 2, 1)))
    assert [reference for _, _, reference, _ in centre.long] == [2, 3]
    centre.reserve(message(part=Concatenation(2, 2, 2)))
    assert centre.counted == {(IMSI, "2026-03"): 6}
    centre.reserve(message(part=Concatenation(1, 2, 2)))
    assert centre.counted == {(IMSI, "2026-03"): 8}


@pytest.mark.parametrize("card", [None, SimpleNamespace(sms=None)])
def test_card_that_has_no_list_has_no_quota(card: Any) -> None:
    centre = Centre(quota=1)
    centre.card = lambda _imsi: card  # type: ignore[method-assign]
    assert [centre.reserve(message()) for _ in range(2)] == [[None], [None]]
