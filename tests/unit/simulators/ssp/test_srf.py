"""The gsmSRF: how long it plays, which keys it takes, and how what was asked ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.ssp.srf import Outcome, Srf
from simwarden.runtime.clock import Clock
from simwarden.wire import cap

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

PLAYED, COLLECTED, IMPROPER = Outcome.PLAYED, Outcome.COLLECTED, Outcome.IMPROPER
TONE = cap.Information(tone=cap.Tone(1, 4))


class Bench:
    """Resources on a clock, and what became of what they were asked."""

    def __init__(self, loop: TestbedLoop) -> None:
        self.clock = Clock(loop)
        self.told: list[tuple[int, Outcome, str, float]] = []
        self.srf = Srf(self.clock, 3, self._done)

    def _done(self, invoke_id: int, asked: Any, outcome: Outcome, digits: str) -> None:
        assert asked is self.asked
        self.told.append((invoke_id, outcome, digits, self.clock.now()))

    def play(self, invoke_id: int, asked: Any) -> None:
        """Ask for something."""
        self.asked = asked
        self.srf.play(invoke_id, asked)


@pytest.mark.parametrize(
    ("information", "seconds"),
    [
        (TONE, 4),
        (cap.Information(tone=cap.Tone(1)), 3),
        (cap.Information(), 0),
        (cap.Information(cap.InbandInfo(cap.MessageId(5))), 3),
        (cap.Information(cap.InbandInfo(cap.MessageId(5), number_of_repetitions=3)), 9),
        (cap.Information(cap.InbandInfo(cap.MessageId(5), number_of_repetitions=3, interval=2)), 13),
        (cap.Information(cap.InbandInfo(cap.MessageId(5), number_of_repetitions=3, duration=7)), 7),
        (cap.Information(cap.InbandInfo(cap.MessageId(5), duration=7)), 3),
    ],
)
async def test_how_long_an_announcement_is(loop: TestbedLoop, information: cap.Information, seconds: int) -> None:
    bench = Bench(loop)
    bench.play(2, cap.PlayAnnouncement(information))
    assert not bench.srf.digit("1")
    await bench.clock.sleep(60)
    assert bench.told == [(2, PLAYED, "", seconds)]
    assert (bench.srf.invoke_id, bench.srf.digit("1")) == (0, False)


def digits(**more: Any) -> cap.PromptAndCollectUserInformation:
    """Return the request for 2 to 4 digits, after four seconds of a tone."""
    return cap.PromptAndCollectUserInformation(cap.CollectedInfo(cap.CollectedDigits(4, 2, **more)), information=TONE)


@pytest.mark.parametrize(
    ("asked", "keys", "told"),
    [
        (digits(), "12", (COLLECTED, "12", 6 + 5)),
        (digits(), "1", (IMPROPER, "1", 5 + 5)),
        (digits(), "", (IMPROPER, "", 4 + 10)),
        (digits(), "1234", (COLLECTED, "1234", 8)),
        (digits(first_digit_timeout=20), "", (IMPROPER, "", 4 + 20)),
        (digits(inter_digit_timeout=9), "123", (COLLECTED, "123", 7 + 9)),
        (digits(end_of_reply_digit=b"\x0c"), "123#", (COLLECTED, "123", 8)),
        (digits(end_of_reply_digit=b"\x0c"), "1#", (IMPROPER, "1", 6)),
        (digits(cancel_digit=b"\x0b", end_of_reply_digit=b"\x07"), "12*347", (COLLECTED, "34", 10)),
        (digits(cancel_digit=b"\x0b"), "123*", (IMPROPER, "", 8 + 5)),
        (digits(), "*#", (COLLECTED, "*#", 6 + 5)),
        (cap.PromptAndCollectUserInformation(cap.CollectedInfo(cap.CollectedDigits(4, 2))), "", (IMPROPER, "", 10)),
    ],
)
async def test_digits_a_second_apart_from_the_end_of_the_tone_on(
    loop: TestbedLoop, asked: Any, keys: str, told: tuple[Outcome, str, float]
) -> None:
    bench = Bench(loop)
    bench.play(3, asked)
    await bench.clock.sleep(4)
    for key in keys:
        await bench.clock.sleep(1)
        assert bench.srf.digit(key)
    await bench.clock.sleep(60)
    assert bench.told == [(3, *told)]
    assert not bench.srf.digit("1")


async def test_a_key_interrupts_an_announcement(loop: TestbedLoop) -> None:
    bench = Bench(loop)
    bench.play(3, digits())
    assert bench.srf.digit("1")
    await bench.clock.sleep(60)
    assert bench.told == [(3, IMPROPER, "1", 5)]


async def test_what_is_asked_next_takes_the_place_of_what_goes_on(loop: TestbedLoop) -> None:
    bench = Bench(loop)
    bench.play(2, digits())
    assert bench.srf.digit("1")
    bench.play(3, cap.PlayAnnouncement(cap.Information(tone=cap.Tone(1, 30))))
    assert not bench.srf.digit("2")
    await bench.clock.sleep(60)
    assert bench.told == [(3, PLAYED, "", 30)]
    bench.play(4, digits())
    assert bench.srf.digit("9")
    bench.play(5, digits())
    await bench.clock.sleep(60)
    assert bench.told[1:] == [(5, IMPROPER, "", 60 + 4 + 10)]


async def test_what_is_given_up_has_no_end(loop: TestbedLoop) -> None:
    bench = Bench(loop)
    bench.srf.stop()
    bench.play(2, digits())
    bench.srf.stop()
    assert (bench.srf.invoke_id, bench.srf.digit("1")) == (0, False)
    await bench.clock.sleep(60)
    assert bench.told == []
