"""What comes to the SCP out of its place in the dialogue of a call, or does not come, and what is ordered then."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_ssp import originating
from voice_bench import IMSI, LISTED, OTHER_IMSI, OTHER_MSISDN, UNLISTED, VOICE, VoiceBench

from simwarden.wire import cap
from simwarden.wire.isup import Number
from simwarden.wire.tcap import Problem, Reject, ReturnError
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind

WRONG = Problem(ProblemKind.INVOKE, InvokeProblem.MISTYPED_PARAMETER)
DIGITS = cap.CollectedInfo(cap.CollectedDigits(maximum=4, minimum=4))
#: the time of short operations (TS 29.078 10.1): all that is ordered but announcements
SHORT = 5


@pytest.mark.parametrize(
    ("operation", "argument", "errors"),
    [
        (cap.CONNECT, cap.Connect((Number("861065800013"),)), [14]),
        (cap.PROMPT_AND_COLLECT, cap.PromptAndCollectUserInformation(DIGITS), [14]),
        (cap.ACTIVITY_TEST, None, []),
        (cap.CONTINUE, None, []),
    ],
)
async def test_what_an_ssp_may_not_order_ends_the_call(operation: Any, argument: Any, errors: list[int]) -> None:
    """UnexpectedComponentSequence answers where an error can (Q.771 3.1.3)."""
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        for _ in range(2):
            call.say(operation, argument)
            await net.settle()
        assert [getattr(each, "error", each) for each in call.answers] == errors * 2
        assert (call.cause, call.names().count("releaseCall"), call.end) == (41, 1, "")


@pytest.mark.parametrize(
    ("name", "cause"), [("connectToResource", 21), ("playAnnouncement", 21), ("", 41), ("nothing", 41)]
)
async def test_an_announcement_that_is_rejected_is_not_waited_for(name: str, cause: int) -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        call.answer(Reject({"": None, "nothing": 99}.get(name, call.ids.get(name)), WRONG))
        await net.settle()
        assert (call.cause, call.end) == (cause, "ended")


@pytest.mark.parametrize(
    ("name", "error", "prompts"),
    [
        ("connectToResource", cap.ErrorCode.IMPROPER_CALLER_RESPONSE, 1),
        ("promptAndCollectUserInformation", cap.ErrorCode.UNAVAILABLE_RESOURCE, 1),
        ("promptAndCollectUserInformation", cap.ErrorCode.IMPROPER_CALLER_RESPONSE, 2),
    ],
)
async def test_only_digits_that_nobody_dialled_are_wrong_ones(name: str, error: cap.ErrorCode, prompts: int) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"pin": "4711"})
        call = await net.dial(LISTED)
        call.answer(ReturnError(call.ids[name], error))
        await net.settle()
        assert call.names().count("promptAndCollectUserInformation") == prompts
        assert call.cause == (41 if prompts == 1 else None)


async def test_orders_whose_time_is_over_do_not_end_a_call_that_is_released_meanwhile() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        await net.sleep(SHORT - 1)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.sleep(SHORT - 1)
        assert (call.cause, call.end) == (31, "")
        call.report(50, end=True)
        await net.settle()
        assert await net.used() == 5


async def test_an_ssp_that_answers_neither_the_release_nor_the_activity_test_is_given_up_once() -> None:
    async with VoiceBench(activity_test=60) as net:
        net.clock.skip_keep_alives, net.ssp.mute = False, True
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        await net.sleep(60)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.settle()
        assert call.names()[-2:] == ["activityTest", "releaseCall"]
        await net.sleep(SHORT + 1)
        assert call.end == "aborted by the peer"
        assert net.scp.census() == {"directed_calls": 0}


async def test_a_call_that_is_over_is_not_tested_for_any_more() -> None:
    async with VoiceBench(activity_test=60) as net:
        await net.provision()
        call = await net.dial(LISTED)
        await net.sleep(150)
        before = net.clock.keep_alives_skipped
        call.abort()
        await net.settle()
        assert net.clock.keep_alives_skipped == before + 2


async def test_what_an_ssp_may_not_say_with_its_last_word_has_no_answer() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        call.say(cap.CONNECT, cap.Connect((Number("861065800013"),)), end=True)
        await net.settle()
        assert (call.answers, call.cause, net.scp.census()) == ([], None, {"directed_calls": 0})


async def test_only_the_calls_of_a_card_end_with_it() -> None:
    async with VoiceBench() as net:
        await net.provision()
        await net.provision(imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)
        call, other = await net.dial(LISTED), await net.ask(originating(OTHER_IMSI, LISTED))
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.settle()
        assert (call.cause, other.cause) == (31, None)
