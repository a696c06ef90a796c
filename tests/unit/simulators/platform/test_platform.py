"""A customer's platform: how it binds and binds again, what it puts together, what it does with damaged messages."""

from __future__ import annotations

from typing import Any

import pytest
from business import CODE, MSISDN, Business

from simwarden.errors import ManagementError
from simwarden.wire import smpp
from simwarden.wire.smpp import Status

CMPP: dict[str, Any] = {"protocol": "cmpp", "source_addr": "901234", "secret": "shared"}
BOTH = pytest.mark.parametrize("platform", [{}, CMPP], ids=["smpp", "cmpp"])


@BOTH
async def test_it_binds_again_when_the_gateway_is_back(platform: dict[str, Any]) -> None:
    async with Business(platform=platform) as bench:
        await bench.host.stop("sms_gateway", kill=True)
        await bench.settle()
        assert bench.observed("bind", element="platform") == ["bound", "unbound"]
        await bench.host.start("sms_gateway")
        await bench.sleep(11)
        assert bench.observed("bind", element="platform")[-1] == "bound"


@BOTH
async def test_it_stays_away_when_it_was_told_to(platform: dict[str, Any]) -> None:
    async with Business(platform=platform) as bench:
        await bench.do("platform", "unbind_platform", platform="platform")
        await bench.sleep(3600)
        assert bench.observed("bind", element="platform") == ["bound", "unbound"]
        with pytest.raises(ManagementError, match="is not bound"):
            await bench.submit()
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"
        assert await bench.submit() == "accepted"


@BOTH
async def test_there_may_be_no_gateway(platform: dict[str, Any]) -> None:
    async with Business(platform={**platform, "at_start": "no"}) as bench:
        await bench.host.stop("sms_gateway", kill=True)
        assert await bench.do("platform", "bind_platform", platform="platform") == "unreachable"
        assert bench.observed("bind", element="platform") == []


@BOTH
async def test_a_gateway_that_dies_answers_nothing(platform: dict[str, Any]) -> None:
    async with Business(platform=platform) as bench:
        bench.gateway.core.batch.over = True  # so that nothing is acknowledged
        submitted = bench.platform.site.spawn(_submit(bench), "submit")
        await bench.settle()
        await bench.host.stop("sms_gateway", kill=True)
        await submitted
        assert bench.notes()[-1] == "unanswered"


async def _submit(bench: Business) -> None:
    arguments = {"platform": "platform", "to": f"+{MSISDN}", "text": "x"}
    bench.platform.site.note(await bench.call("POST", "/verbs/submit_message", arguments, element="platform"))


async def test_a_text_that_does_not_fit_goes_in_parts_of_one_reference() -> None:
    async with Business() as bench:
        assert await bench.submit(text="x" * 160) == "accepted"
        assert await bench.submit(text="x" * 161) == "accepted"
        assert [each.esm_class for each in bench.smsc.got] == [0, smpp.UDHI, smpp.UDHI]
        assert [each.short_message[:6].hex() for each in bench.smsc.got[1:]] == ["050003010201", "050003010202"]
        assert len(bench.smsc.got[1].short_message) == 6 + 153


async def test_parts_of_two_messages_are_not_mixed() -> None:
    async with Business() as bench:
        for reference, number, text in ((1, 1, b"A"), (2, 1, b"C"), (2, 2, b"D"), (1, 2, b"B")):
            octets = bytes([5, 0, 3, reference, 2, number]) + text
            bench.smsc.deliver(f"+{MSISDN}", CODE, octets, esm_class=smpp.UDHI)
        await bench.settle()
        assert bench.texts() == ["CD", "AB"]


@BOTH
async def test_a_damaged_header_is_told_and_refused(platform: dict[str, Any]) -> None:
    async with Business(platform=platform) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, b"\x09x", esm_class=smpp.UDHI)
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_ROK]  # the gateway has it, as it is
        assert bench.texts() == []
        assert bench.peer_faults() == ["a user data header that is longer than the user data"]
        assert bench.states()[-1] == "rejected"


async def test_octets_are_hexadecimal_digits() -> None:
    async with Business() as bench:
        with pytest.raises(ManagementError, match="hexadecimal"):
            await bench.submit(octets="4x")
