"""Telephones outside: what they do when they are called, the calls that they make, and who they say they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sip_net import Trunk
from vectors import seeds

from simulators.pstn import config as pstn_config
from simulators.pstn.config import PstnConfig
from simulators.pstn.element import Pstn
from simwarden.errors import ManagementError
from simwarden.machine.sip_events import Answered, DigitAnswered, DigitReceived, Incoming, Refused, Released
from simwarden.runtime.loop import TestbedLoop
from simwarden.testing import Bench
from simwarden.wire.sip import NameAddress, Uri

ALICE, BOB, CARD = "+8613800001111", "+8613800002222", "8614400000001"


class World(Bench):
    """The outside world, and a GMSC that answers the listed numbers and refuses others."""

    subject = "pstn"

    def __init__(
        self, loop: TestbedLoop, transport: str = "memory", listed: tuple[str, ...] = (ALICE,), **bob: Any
    ) -> None:
        super().__init__(loop, transport=transport)
        phones = {"alice": {"number": ALICE}, "bob": {"number": BOB, **bob}, "police": {"number": "110"}}
        self.ssp = self.add("ssp", Trunk, {"listed": listed})
        self.pstn = self.add("pstn", Pstn, {"phones": phones})

    async def dial(self, number: str, seconds: float = 5.0, caller: str = CARD) -> Any:
        """Call from the GMSC, and hang up after some seconds."""
        told = await self.ssp.call(number, self.host.address_of("pstn", "SIP"), caller, seconds)
        await self.settle()
        return told

    def last(self, observable: str) -> Any:
        return self.observed(observable)[-1]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_a_phone_answers_after_a_while_and_talks_until_the_other_hangs_up(
    loop: TestbedLoop, transport: str
) -> None:
    async with World(loop, transport, after=3) as net:
        began = net.clock.now()
        assert isinstance(await net.dial(BOB, seconds=7), Answered)
        assert net.clock.now() - began == pytest.approx(10, abs=0.2)
        states = [each["state"] for each in net.observed("call")]
        assert states == ["ringing", "connected", "released"]
        assert net.last("call") == {
            "phone": "bob",
            "other": CARD,
            "direction": "incoming",
            "state": "released",
            "status": 200,
            "cause": 16,
        }
        assert net.last("invited") == {
            "called": BOB,
            "caller": CARD,
            "asserted": "",
            "privacy": "none",
            "phone": "bob",
            "times": 1,
        }


@pytest.mark.parametrize(
    ("bob", "status", "cause"),
    [
        ({"when_called": "busy"}, 486, 17),
        ({"when_called": "refuse"}, 403, 21),
        ({"when_called": "refuse", "cause": 22}, 410, 22),
        ({"when_called": "no-answer", "gives_up": 30}, 480, 19),
    ],
)
async def test_a_phone_is_busy_refuses_or_does_not_answer(
    loop: TestbedLoop, bob: dict[str, Any], status: int, cause: int
) -> None:
    async with World(loop, **bob) as net:
        told = await net.dial(BOB)
        assert isinstance(told, Refused)
        assert (told.status, told.cause) == (status, cause)
        assert net.last("invited")["times"] == 1


async def test_a_number_of_nobody_and_an_invitation_to_no_number_are_refused(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        assert (await net.dial("+8613800009999")).cause == 1
        assert net.last("invited")["phone"] == ""
        assert (await net.dial("nobody")).cause == 1
        assert net.observed("call") == []


@pytest.mark.parametrize("spelling", ["13800002222", "008613800002222", "013800002222", BOB])
async def test_a_phone_is_called_however_its_number_is_written(loop: TestbedLoop, spelling: str) -> None:
    async with World(loop) as net:
        assert isinstance(await net.dial(spelling), Answered)


async def test_a_code_is_another_number_with_a_digit_more(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        assert isinstance(await net.dial("110"), Answered)
        assert (await net.dial("1101")).cause == 1


async def test_a_phone_that_talks_is_busy_and_hangs_up_when_it_has_talked(loop: TestbedLoop) -> None:
    async with World(loop, talks=4) as net:
        first = asyncio.ensure_future(net.dial(BOB, seconds=60))
        await net.sleep(3)
        assert (await net.dial(BOB)).cause == 17
        await net.sleep(4)
        assert net.last("call")["state"] == "released"
        assert any(isinstance(each, Released) for each in net.ssp.heard)
        first.cancel()


async def test_steps_answer_and_hang_up(loop: TestbedLoop) -> None:
    async with World(loop, when_called="ring") as net:
        with pytest.raises(ManagementError, match="no call"):
            await net.do("pstn", "answer", pstn="pstn", phone="bob")
        for outcome in ("connected", "released"):
            call = asyncio.ensure_future(net.dial(BOB, seconds=60))
            await net.sleep(1)
            if outcome == "connected":
                assert await net.do("pstn", "answer", pstn="pstn", phone="bob") == "connected"
                await net.sleep(1)
            assert await net.do("pstn", "hang_up", pstn="pstn", phone="bob") == "released"
            await net.settle()
            assert net.last("call")["state"] == "released"
            call.cancel()


async def test_a_caller_who_gives_up_leaves_nothing_behind(loop: TestbedLoop) -> None:
    async with World(loop, when_called="ring") as net:
        call = net.ssp.trunk.agent.invite(
            f"sip:{BOB}@192.0.2.1", _who(net), net.host.address_of("pstn", "SIP"), net.clock.now()
        )
        net.ssp.trunk.flush()
        await net.sleep(1)
        net.ssp.trunk.agent.hang_up(call, net.clock.now())
        net.ssp.trunk.flush()
        await net.settle()
        assert net.last("call")["state"] == "released"
        assert net.pstn.census() == {"calls": 0}


def _who(net: World) -> NameAddress:
    return NameAddress(Uri(CARD, net.ssp.trunk.address[0]))


async def test_a_phone_calls_and_hears_what_became_of_it(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        words = {"pstn": "pstn", "to": CARD}
        assert await net.do("pstn", "call", phone="alice", **words) == "connected"
        assert await net.do("pstn", "hang_up", pstn="pstn", phone="alice") == "released"
        assert await net.do("pstn", "call", phone="bob", **words) == "refused"
        assert (net.last("call")["status"], net.last("call")["cause"]) == (403, 21)
        assert await net.do("pstn", "call", phone="alice", talks=30, **words) == "released"
        assert net.last("call")["cause"] == 16
        with pytest.raises(ManagementError, match="no phone"):
            await net.do("pstn", "call", phone="carol", **words)


async def test_a_caller_can_be_forged_and_withheld(loop: TestbedLoop) -> None:
    async with World(loop, listed=()) as net:
        words = {"pstn": "pstn", "to": CARD, "phone": "bob"}
        for more in ({}, {"shown": ALICE}, {"asserted": ""}, {"withheld": True}):
            assert await net.do("pstn", "call", **words, **more) == "refused"
        said = [each.request for each in net.ssp.heard if isinstance(each, Incoming)]
        here = net.pstn.core.trunk.address[0]
        found = [
            (each.sender.uri.number, each.headers.get("P-Asserted-Identity"), each.headers.get("Privacy"))
            for each in said
        ]
        asserted = f"<sip:{BOB}@{here}>"
        assert found == [(BOB, asserted, None), (ALICE, asserted, None), (BOB, None, None), ("", asserted, "id")]


async def test_digits_that_a_phone_receives_are_shown_for_each_call(loop: TestbedLoop) -> None:
    async with World(loop, digits="reject") as net:
        for phone, seen in (("alice", "12#"), ("bob", ""), ("alice", "12#")):
            net.ssp.heard.clear()
            where = net.host.address_of("pstn", "SIP")
            number = ALICE if phone == "alice" else BOB
            call = net.ssp.trunk.agent.invite(f"sip:{number}@192.0.2.1", _who(net), where, net.clock.now())
            net.ssp.trunk.flush()
            await net.sleep(4)
            for key in "12#":
                net.ssp.trunk.agent.send_digit(call, key, net.clock.now())
                net.ssp.trunk.flush()
                await net.settle()
            statuses = [each.status for each in net.ssp.heard if isinstance(each, DigitAnswered)]
            assert statuses == [200 if seen else 415] * 3
            assert net.last("digits") == {"phone": "alice", "other": CARD, "received": "12#"}
            net.ssp.trunk.agent.hang_up(call, net.clock.now())
            net.ssp.trunk.flush()
            await net.settle()
        assert [each["received"] for each in net.observed("digits")] == ["1", "12", "12#"] * 2


async def test_of_many_digits_the_last_255_are_kept(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        where = net.host.address_of("pstn", "SIP")
        call = net.ssp.trunk.agent.invite(f"sip:{ALICE}@192.0.2.1", _who(net), where, net.clock.now())
        net.ssp.trunk.flush()
        await net.sleep(4)
        for key in "1" + "2" * 254 + "3":
            net.ssp.trunk.agent.send_digit(call, key, net.clock.now())
            net.ssp.trunk.flush()
            await net.settle()
        assert net.last("digits")["received"] == "2" * 254 + "3"


async def test_a_phone_dials_in_a_call(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        words = {"pstn": "pstn", "phone": "alice"}
        with pytest.raises(ManagementError, match="no call"):
            await net.do("pstn", "dial", digits="1", **words)
        assert await net.do("pstn", "call", to=CARD, **words) == "connected"
        assert await net.do("pstn", "dial", digits="5*D", **words) == "accepted"
        assert [each.key for each in net.ssp.heard if isinstance(each, DigitReceived)] == list("5*D")
        (call,) = net.ssp.trunk.agent._calls
        net.ssp.trunk.agent.reject_digits(call)
        assert await net.do("pstn", "dial", digits="12", **words) == "rejected"
        first = asyncio.ensure_future(net.do("pstn", "dial", digits="1", **words))
        await asyncio.sleep(0)
        with pytest.raises(ManagementError, match="is dialling"):
            await net.do("pstn", "dial", digits="2", **words)
        assert await first == "rejected"
        await net.host.stop("ssp", kill=True)
        assert await net.do("pstn", "dial", digits="12", **words) == "released"
        assert net.last("call")["cause"] == 102


async def test_a_call_that_nobody_takes_ends_by_its_caller(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        await net.host.stop("ssp", kill=True)
        assert await net.do("pstn", "call", pstn="pstn", to=CARD, phone="alice") == "no-answer"
        assert net.last("call")["status"] == 408


@given(st.sampled_from(seeds("sip/seeds.txt")), st.integers(0, 400), st.binary(max_size=3))
def test_no_datagram_is_a_traceback(message: bytes, at: int, put: bytes) -> None:
    """A message with some octets in place of others, sent as it is; a call that comes of it is one that ends."""
    loop = TestbedLoop(virtual=True)
    asyncio.set_event_loop(loop)

    async def story() -> None:
        async with World(loop) as net:
            octets = message.replace(b"+8610800000001", BOB.encode())
            spoilt = octets[:at] + put + octets[at + len(put) :]
            net.ssp.trunk._endpoint.send(spoilt, net.host.address_of("pstn", "SIP"))
            await net.sleep(200)
            assert net.pstn.census() == {"calls": 0}

    loop.run_until_complete(story())
    loop.close()


async def test_a_privacy_of_several_words_is_read(loop: TestbedLoop) -> None:
    async with World(loop) as net:
        for privacy, seen in (("user; id", "id"), ("user;header", "none")):
            where = net.host.address_of("pstn", "SIP")
            call = net.ssp.trunk.agent.invite(
                f"sip:{BOB}@192.0.2.1", _who(net), where, net.clock.now(), ("Privacy", privacy)
            )
            net.ssp.trunk.flush()
            await net.sleep(1)
            assert net.last("invited")["privacy"] == seen
            net.ssp.trunk.agent.hang_up(call, net.clock.now())
            net.ssp.trunk.flush()
            await net.settle()


def test_the_profile_explains_every_setting() -> None:
    text = Path(pstn_config.__file__).with_name("profile.yaml").read_text(encoding="utf-8")
    profile = PstnConfig.model_validate(yaml.load(text, yaml.CBaseLoader))  # noqa: S506 - scalars stay strings
    assert profile.model_fields_set == set(PstnConfig.model_fields)
    assert profile == PstnConfig()


def test_two_phones_have_two_numbers() -> None:
    with pytest.raises(ValueError, match="the same number"):
        PstnConfig.model_validate({"phones": {"a": {"number": "13800001111"}, "b": {"number": ALICE}}})
    with pytest.raises(ValueError, match="no telephone number"):
        PstnConfig.model_validate({"phones": {"a": {"number": "alice"}}})
