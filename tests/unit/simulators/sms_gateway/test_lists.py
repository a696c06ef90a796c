"""The list of codes and the lists of cards: who changes them, and what becomes of messages that wait meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from business import APPROVAL, CODE, IMSI, MSISDN, OTA_CODE, OTHER_CODE, Business, provision

from simwarden.operations.management import Role
from simwarden.policy.numbers import party
from simwarden.runtime.store import sqlite_url
from simwarden.wire.smpp import Status

if TYPE_CHECKING:
    from pathlib import Path

OURS = {"account": "waterworks"}
LIST = {"version": 7, "codes": {CODE: OURS}}


def change(since: int, code: str, account: str = "", **more: Any) -> dict[str, Any]:
    """Return the body of one change of the list of codes; no account: the code is withdrawn."""
    allocated = {"account": account, **more} if account else None
    return {"since": since, "version": since + 1, "changes": [{"code": code, "allocated": allocated}]}


async def test_a_code_is_good_as_soon_as_the_keeper_told_it_and_no_longer() -> None:
    async with Business(keeper="cmp") as bench:
        assert await bench.submit() == "refused"
        assert bench.verdicts("sms.list-age") == [False]
        await bench.call("PUT", "/codes", LIST)
        assert await bench.submit() == "accepted"
        await bench.call("POST", "/codes", change(7, CODE))
        assert await bench.submit() == "refused"
        assert bench.verdicts("sms.code")[-1] is False
        await bench.call("POST", "/codes", change(8, CODE, "waterworks"))
        assert await bench.submit() == "accepted"


async def test_a_list_that_nobody_confirms_is_gone_by_for_a_time_only() -> None:
    async with Business(keeper="cmp") as bench:
        await bench.call("PUT", "/codes", LIST)
        await bench.sleep(300)
        assert await bench.submit() == "accepted"
        await bench.sleep(1)
        assert await bench.submit() == "refused"
        bench.smsc.deliver(f"+{MSISDN}", CODE, b"x")
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RX_T_APPN]
        await bench.call("POST", "/codes", {"since": 7, "version": 7})
        assert await bench.submit() == "accepted"


async def test_messages_wait_while_the_list_is_too_old() -> None:
    async with Business(keeper="cmp", smsc="") as bench:
        await bench.call("PUT", "/codes", LIST)
        assert await bench.submit() == "accepted"
        await bench.sleep(301)
        assert bench.states()[-1] == "waiting"
        assert bench.receipts() == []


async def test_a_gap_is_found_and_told() -> None:
    async with Business(keeper="cmp") as bench:
        await bench.call("PUT", "/codes", LIST)
        assert await bench.refused("POST", "/codes", change(8, OTHER_CODE, "heating")) == 409
        assert bench.observed("list")[-1] == {"version": 7, "codes": 1, "state": "drift"}
        assert (await bench.call("GET", "/codes"))["version"] == 7
        await bench.call("PUT", "/codes", {"version": 9, "codes": {CODE: OURS, OTHER_CODE: {"account": "heating"}}})
        assert bench.observed("list")[-1]["state"] == "in-step"


async def test_a_change_of_one_code_keeps_the_others_over_a_restart(tmp_path: Path) -> None:
    async with Business(keeper="cmp", store=sqlite_url(tmp_path / "store")) as bench:
        await bench.call("PUT", "/codes", LIST)
        await bench.call("POST", "/codes", change(7, OTHER_CODE, "heating"))
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        codes = (await bench.call("GET", "/codes"))["codes"]
        assert set(map(str, codes)) == {CODE, OTHER_CODE}


async def test_the_list_survives_a_killed_gateway(tmp_path: Path) -> None:
    async with Business(keeper="cmp", store=sqlite_url(tmp_path / "store")) as bench:
        await bench.call("PUT", "/codes", LIST)
        await bench.sleep(200)
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        told = await bench.call("GET", "/codes")
        assert (told["version"], told["age"], list(told["codes"])) == (7, 200.0, [CODE])


async def test_a_list_in_the_settings_is_nobody_elses() -> None:
    async with Business() as bench:
        assert await bench.refused("PUT", "/codes", LIST) == 409
        assert await bench.refused("POST", "/codes", change(0, CODE)) == 409


@pytest.mark.parametrize("code", ["13800000000", "BANK", "", "01065800012"])
async def test_only_codes_are_allocated(code: str) -> None:
    async with Business(keeper="cmp") as bench:
        assert await bench.refused("PUT", "/codes", {"version": 1, "codes": {code: OURS}}) == 400


async def test_a_withdrawn_code_ends_what_waits_and_is_held() -> None:
    async with Business(keeper="cmp", smsc="") as bench:
        await bench.call("PUT", "/codes", LIST)
        assert await bench.submit() == "accepted"
        assert await bench.submit(octets="41", header="050003070201") == "accepted"
        await bench.call("POST", "/codes", change(7, CODE))
        await bench.settle()
        assert bench.receipts() == ["REJECTD", "REJECTD"]
        assert bench.decisions("sms.code")[-1].occasion == "forward"
        assert bench.gateway.core.messages == {}
        assert bench.gateway.core.customers["waterworks"].waiting == 0


@pytest.mark.parametrize(
    ("wanted", "control"),
    [
        ({"account": "heating", "numbers": [CODE]}, "sms.owner"),
        ({"account": "waterworks", "numbers": [OTA_CODE]}, "fn.sms.directed"),
    ],
)
async def test_a_card_that_moves_takes_no_message_along(wanted: dict[str, Any], control: str) -> None:
    async with Business(smsc="") as bench:
        assert await bench.submit() == "accepted"
        await bench.call("PUT", f"/cards/{IMSI}/sms", {**wanted, **APPROVAL})
        await bench.settle()
        assert bench.receipts() == ["REJECTD"]
        last = bench.decisions(control)[-1]
        assert (last.occasion, last.admitted, last.subject) == ("forward", False, IMSI)


# -- cards

FIVE = [f"1065800010{each}" for each in range(5)]


async def test_a_list_has_five_numbers_and_more_with_an_approval() -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033", numbers=[*FIVE, CODE])
        assert await bench.refused("PUT", "/cards/001010000000033", card) == 403
        assert await bench.refused("GET", "/cards/001010000000033/sms") == 404
        card = provision("001010000000033", "8614400000033", numbers=FIVE)
        await bench.call("PUT", "/cards/001010000000033", card)
        wanted = {"account": "waterworks", "numbers": [*FIVE, CODE]}
        assert await bench.refused("PUT", "/cards/001010000000033/sms", wanted) == 403
        await bench.call("PUT", "/cards/001010000000033/sms", {**wanted, **APPROVAL})
        assert bench.verdicts("sms.numbers") == [True, True, False, True, True]


async def test_a_number_written_in_two_ways_is_one() -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033", numbers=[*FIVE, f"+86{FIVE[0]}"])
        await bench.call("PUT", "/cards/001010000000033", card)


@pytest.mark.parametrize("number", ["13800000000", f"+{MSISDN}"])
async def test_a_list_has_no_subscribers(number: str) -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033", numbers=[number])
        assert await bench.refused("PUT", "/cards/001010000000033", card) == 403


@pytest.mark.parametrize("number", ["106*", "BANK", ""])
async def test_a_list_has_no_patterns(number: str) -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033", numbers=[number])
        assert await bench.refused("PUT", "/cards/001010000000033", card) == 400


async def test_a_list_is_changed_by_the_operator_with_an_approval_so_many_times_and_not_by_provisioning() -> None:
    async with Business() as bench:
        path, wanted = f"/cards/{IMSI}/sms", {"account": "waterworks", "numbers": [CODE]}
        assert await bench.refused("PUT", path, {**wanted, **APPROVAL}, role=Role.CUSTOMER) == 403
        assert await bench.refused("PUT", path, wanted) == 403
        assert await bench.refused("DELETE", path, {}) == 403
        assert await bench.refused("PUT", f"/cards/{IMSI}", provision(numbers=[CODE])) == 409
        await bench.call("PUT", f"/cards/{IMSI}", provision())
        await bench.call("PUT", path, {**wanted, **APPROVAL})
        await bench.call("DELETE", path, APPROVAL)
        assert await bench.refused("PUT", path, {**wanted, **APPROVAL}) == 429
        assert (await bench.call("GET", path))["numbers"] == []
        actions = [each["action"] for each in await bench.call("GET", f"/cards/{IMSI}/audit")]
        assert actions == [
            "provision",
            "change-the-list-refused",
            "change-the-list-refused",
            "end-the-list-refused",
            "provision-refused",
            "list-changed",
            "list-changed",
            "change-the-list-refused",
        ]


async def test_a_card_without_a_list_is_nobodys() -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033")
        card["sections"] = {}
        await bench.call("PUT", "/cards/001010000000033", card)
        assert await bench.refused("GET", "/cards/001010000000033/sms") == 404
        assert await bench.submit("+8614400000033") == "refused"


async def test_a_number_is_one_cards() -> None:
    async with Business() as bench:
        for number in (MSISDN, MSISDN[2:]):
            assert await bench.refused("PUT", "/cards/001010000000033", provision("001010000000033", number)) == 409
        assert bench.gateway.core.by_number[party(MSISDN)].imsi == IMSI


async def test_cards_without_a_number_exchange_no_messages_and_are_not_taken_for_each_other(store_url: str) -> None:
    async with Business(store=store_url) as bench:
        for imsi in ("001010000000033", "001010000000041"):
            for _ in range(2):
                told = await bench.call("PUT", f"/cards/{imsi}", provision(imsi, ""))
                assert told == {"imsi": imsi, "account": "waterworks", "opened": True, "numbers": [CODE, OTA_CODE]}
            actions = [each["action"] for each in await bench.call("GET", f"/cards/{imsi}/audit")]
            assert actions.count("provision") == 1
        assert await bench.submit("") == "refused"
        bench.smsc.deliver("", CODE, b"x")
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RINVSRCADR]
        changed = await bench.call(
            "PUT", f"/cards/{imsi}/sms", {"account": "heating", "numbers": [OTHER_CODE], **APPROVAL}
        )
        assert changed["account"] == "heating"
        assert bench.smsc.cancelled == []
        await bench.call("PUT", "/cards/001010000000033", provision("001010000000033", "8614400000033"))
        assert await bench.submit("+8614400000033") == "accepted"


async def test_a_card_is_not_provisioned_without_what_it_has() -> None:
    async with Business() as bench:
        bare = {**provision(), "sections": {}}
        assert await bench.refused("PUT", f"/cards/{IMSI}", bare) == 409
        assert await bench.submit() == "accepted"
        other = {**bare, "imsi": "001010000000033", "msisdn": "8614400000033"}
        assert (await bench.call("PUT", "/cards/001010000000033", other))["account"] == ""
        assert await bench.refused("GET", "/cards/001010000000033/sms") == 404
