"""The lists of cards at the SCP: who may change them, how often, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from scripted_ssp import originating
from voice_bench import APPROVED, IMSI, LISTED, MSISDN, OTHER_IMSI, OTHER_MSISDN, UNLISTED, VOICE, VoiceBench

from simwarden.errors import ManagementError
from simwarden.operations.management import Role

if TYPE_CHECKING:
    from pathlib import Path

FIVE = [f"0106580001{number}" for number in range(5)]
SIXTH = "01065800019"


async def test_five_numbers_in_and_out_together() -> None:
    async with VoiceBench() as net:
        await net.provision({"by": "scp", "numbers": FIVE[:3], "outgoing": FIVE[3:], "incoming": [FIVE[0]]})
        path = f"/cards/{IMSI}/voice"
        # another spelling of one is no further number
        same = {"numbers": [*FIVE, f"+86{FIVE[0][1:]}"]}
        await net.call("PUT", path, {**same, **APPROVED})
        for further in ({"numbers": [*FIVE, SIXTH]}, {"numbers": FIVE, "incoming": [SIXTH]}):
            assert await net.refused("PUT", path, {**further, **APPROVED}) == 403
            assert (await net.dial(SIXTH)).cause == 21
        await net.call("PUT", path, {"numbers": [*FIVE, SIXTH], "exception": "E-7", **APPROVED})
        assert (await net.dial(SIXTH)).cause is None
        assert net.verdicts("voice.numbers") == [True, True, False, False, True]


async def test_six_numbers_are_not_provisioned() -> None:
    async with VoiceBench() as net:
        with pytest.raises(ManagementError, match="6 numbers"):
            await net.provision({"by": "scp", "numbers": [*FIVE, SIXTH]})
        assert (await net.dial(FIVE[0])).cause == 41


@pytest.mark.parametrize("body", [{"numbers": ["lift"]}, {"hours": "8-9"}, {"hours": "08:00-08:00"}, {"pin": "12"}])
async def test_lists_that_make_no_sense(body: dict[str, object]) -> None:
    async with VoiceBench() as net:
        await net.provision()
        assert await net.refused("PUT", f"/cards/{IMSI}/voice", {**body, **APPROVED}) == 400


async def test_changes_need_the_operator_an_approval_and_are_limited() -> None:
    async with VoiceBench() as net:
        await net.provision()
        path, wanted = f"/cards/{IMSI}/voice", {"numbers": [UNLISTED]}
        assert await net.refused("PUT", path, {**wanted, **APPROVED}, role=Role.CUSTOMER) == 403
        assert await net.refused("DELETE", path, APPROVED, role=Role.CUSTOMER) == 403
        assert await net.refused("PUT", path, wanted) == 403
        assert await net.refused("DELETE", path) == 403
        assert (await net.dial(UNLISTED)).cause == 21
        await net.call("PUT", path, {**wanted, **APPROVED})
        assert (await net.dial(UNLISTED)).cause is None
        await net.call("DELETE", path, APPROVED)
        assert (await net.dial(UNLISTED)).cause == 57
        await net.call("PUT", path, {**wanted, **APPROVED})  # it has none, so that this changes nothing that it has
        assert await net.refused("PUT", path, {**wanted, **APPROVED}) == 429
        actions = [each["action"] for each in await net.call("GET", "/audit")]
        assert actions.count("list-changed") == 2
        assert "change-the-list-refused" in actions


async def test_a_held_list_is_not_provisioned_away() -> None:
    async with VoiceBench() as net:
        await net.provision()
        await net.provision()
        for voice in (None, {"by": "scp", "undirected": True}):
            with pytest.raises(ManagementError) as refused:
                await net.provision(voice)
            assert refused.value.status == 409
        with pytest.raises(ManagementError) as refused:
            await net.provision(imsi=OTHER_IMSI)
        assert refused.value.status == 409
        await net.provision(imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)


async def test_cards_nobody_knows() -> None:
    async with VoiceBench() as net:
        assert await net.refused("GET", f"/cards/{IMSI}") == 404
        assert await net.refused("PUT", f"/cards/{IMSI}/voice", APPROVED) == 404
        assert await net.refused("POST", f"/cards/{IMSI}/suspension", {}) == 404


async def test_what_is_told() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"pin": "4711", "quota": 3})
        told = {
            "numbers": [LISTED],
            "outgoing": [],
            "incoming": [],
            "undirected": False,
            "quota": 3,
            "hours": "",
            "redirect": {},
            "forward": None,
            "account": "",
            "exception": "",
            "pin": "set",
        }
        card = {"imsi": IMSI, "msisdn": MSISDN, "suspended": None, "voice": told}
        assert await net.call("GET", f"/cards/{IMSI}") == card | {"used": 0}
        assert await net.call("GET", "/cards") == [card]
        assert await net.call("GET", "/calls") == []
        await net.dial(LISTED, 0)
        (call,) = await net.call("GET", "/calls")
        assert call["state"] == "interaction"


async def test_suspension_survives_a_killed_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('scp') / 'scp.db'}"
    async with VoiceBench(stores={"scp": url}) as net:
        await net.provision(VOICE | {"pin": "4711"})
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.host.stop("scp", kill=True)
        await net.host.start("scp")
        await net.sleep(60)
        assert (await net.dial(LISTED)).cause == 57
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert (await net.dial(LISTED)).names()[-1] == "promptAndCollectUserInformation"


async def test_what_was_done_to_a_card_stands_in_the_audit_and_is_shown() -> None:
    async with VoiceBench() as net:
        await net.provision(None)
        await net.call("PUT", f"/cards/{IMSI}/voice", {"numbers": [LISTED], **APPROVED})
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.provision()  # as it is: neither its list nor that it is suspended changes
        assert (await net.call("GET", f"/cards/{IMSI}"))["suspended"] == "lost"
        await net.call("PUT", f"/cards/{IMSI}/voice", {"numbers": [UNLISTED], "pin": "4711", **APPROVED})
        await net.call("DELETE", f"/cards/{IMSI}/voice", APPROVED)
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        await net.provision()  # it has none, so that this changes nothing that it has

        def lists(told: dict[str, Any]) -> list[Any]:
            return [told[name] and (told[name]["numbers"], told[name]["pin"]) for name in ("before", "after")]

        audit = await net.call("GET", "/audit")
        listed, other = ([LISTED], ""), ([UNLISTED], "set")
        assert [(each["action"], lists(each["details"])) for each in audit if "approver" in each["details"]] == [
            ("provision", [None, None]),
            ("list", [None, listed]),
            ("provision", [listed, listed]),
            ("list-changed", [listed, other]),
            ("list-changed", [other, None]),
            ("provision", [None, listed]),
        ]
        assert [each["details"] for each in audit if each["action"] in ("suspend", "resume")] == [
            {"reason": "lost", "before": "active", "after": "suspended"},
            {"reason": "", "before": "suspended", "after": "active"},
        ]
        shown = [each and each["numbers"] for each in net.observed("list", key=IMSI)]
        assert shown == [None, [LISTED], [LISTED], [UNLISTED], None, [LISTED]]
        assert [each["state"] for each in net.observed("state", key=IMSI)] == ["suspended", "active"]


async def test_a_number_is_one_cards_and_free_when_that_has_another() -> None:
    async with VoiceBench() as net:
        for msisdn in (MSISDN, "", "", "861440000000009"):
            await net.provision(msisdn=msisdn)
        await net.provision(imsi=OTHER_IMSI, msisdn=MSISDN)
        by_number = replace(originating("", LISTED, own=MSISDN), imsi=None)
        assert (await net.ask(by_number)).cause is None
        assert [each["imsi"] for each in await net.call("GET", "/calls")] == [OTHER_IMSI]
        assert (await net.dial(LISTED)).cause == 41  # with the number of the other one


async def test_cards_with_and_without_voice_survive_a_killed_process(tmp_path: Path) -> None:
    async with VoiceBench(stores={"scp": f"sqlite:///{tmp_path / 'scp.db'}"}) as net:
        await net.provision()
        await net.provision(None, imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)
        before = await net.call("GET", "/cards")
        await net.host.stop("scp", kill=True)
        await net.host.start("scp")
        assert await net.call("GET", "/cards") == before
        assert [each["voice"] and each["voice"]["pin"] for each in before] == [None, ""]
