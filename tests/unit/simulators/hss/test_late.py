"""What is pending for MMEs and VLRs: told once, to whom it still concerns, and never twice for nothing."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from call_net import CallNet
from hss_net import APPROVAL, IMSI, METER, PLMN, REALM, Net, enforces
from map_net import SSP, SSP2

from simulators.hss.subscriber import Due
from simwarden.runtime.store import StoreUnavailableError
from simwarden.wire import map as m
from simwarden.wire.diameter.codes import Feature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message

OTHER = "001010000000018"
PATH = f"/cards/{IMSI}"
MME = f"mme.{REALM}"


@pytest.fixture
def net(loop: TestbedLoop) -> CallNet:
    return CallNet(loop)


def mute(mme: Any, *names: str) -> None:
    """Let an MME never answer some requests."""

    async def hear(message: Message, _peer: Peer) -> Message:
        mme.heard.append(message)
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    for name in names:
        mme.node.handle("S6a", f"{name}-request", hear)


async def barred_while_away(net: Net, *imsis: str) -> None:
    """Have the MME serve cards, and be away when they are barred."""
    for number, imsi in enumerate(imsis):
        await net.provision(imsi, f"card{number}")
        assert (await net.mme.ulr(METER, imsi=imsi)).success
    await net.host.stop("mme")
    for imsi in imsis:
        await net.call("POST", f"/cards/{imsi}/suspension", {"how": "barring"})


async def test_what_changed_of_a_card_that_another_mme_serves_now_is_not_told_the_former_one(net: CallNet) -> None:
    async with net:
        await barred_while_away(net, IMSI)
        assert (await net.mme2.ulr(METER)).success
        await net.host.start("mme")
        await net.settle()
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 0)])]
        assert net.mme2.heard == []
        assert net.hss.core.store.pending() == []


async def test_a_card_that_leaves_an_mme_which_does_not_answer_has_it_pending_for_no_other(net: CallNet) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        mute(net.mme, "insert-subscriber-data")
        barred = asyncio.ensure_future(net.call("POST", f"{PATH}/suspension", {"how": "barring"}))
        await net.sleep(1)
        assert (await net.mme2.ulr(METER)).success
        assert (await barred)["told"] == "pending"
        await net.sleep(60)
        assert [each.name for each in net.mme.heard] == ["insert-subscriber-data-request", "cancel-location-request"]
        assert net.mme2.heard == []
        assert net.hss.core.store.pending() == []


async def test_changes_of_calls_of_a_card_that_another_vlr_serves_now_are_not_told_the_former_one(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.stop("ssp")
        await net.call("DELETE", f"{PATH}/csi", APPROVAL)
        assert await net.vlr2.register(IMSI) == "registered"
        await net.host.start("ssp")
        await net.sleep(700)
        assert [name for name, _ in net.vlr.heard] == ["cancelLocation"]
        assert net.hss.core.store.pending() == []


async def test_an_mme_that_is_away_is_not_tried_before_it_is_back(net: CallNet) -> None:
    async with net:
        await barred_while_away(net, IMSI)
        await net.settle()
        noted = net.notes()
        await net.sleep(3600)
        assert net.notes() == noted


async def test_what_is_being_told_is_not_told_a_second_time(net: CallNet) -> None:
    """As when an MME connects again while it is told by the connection before."""
    async with net:
        await barred_while_away(net, IMSI)
        await net.host.start("mme")
        mute(net.mme, "insert-subscriber-data")
        await net.settle()
        net.hss.site.spawn(net.hss.core.tell_pending(MME), "again")
        await net.sleep(1)
        assert len(net.mme.heard) == 1


async def test_what_an_mme_has_heard_by_an_answer_meanwhile_is_not_told_again(net: CallNet) -> None:
    async with net:
        await barred_while_away(net, IMSI, OTHER)
        await net.host.start("mme")
        answer = net.mme.hear

        async def hear(message: Message, peer: Peer) -> Message:
            if len(net.mme.heard) == 0:
                assert (await net.mme.ulr(METER, imsi=OTHER)).success
            reply: Message = await answer(message, peer)
            return reply

        net.mme.node.handle("S6a", "insert-subscriber-data-request", hear)
        await net.settle()
        assert [each.get("User-Name") for each in net.mme.heard] == [IMSI]
        assert net.hss.core.store.pending() == []


async def test_what_is_pending_anew_while_it_is_told_holds_the_others_up_for_a_pause_only(net: CallNet) -> None:
    async with net:
        await barred_while_away(net, IMSI, OTHER)
        await net.host.start("mme")
        answer, kept = net.mme.hear, asyncio.Event()

        async def hear(message: Message, peer: Peer) -> Message:
            reply: Message = await answer(message, peer)
            await kept.wait()
            return reply

        net.mme.node.handle("S6a", "insert-subscriber-data-request", hear)
        await net.sleep(1)
        resumed = asyncio.ensure_future(net.call("DELETE", f"{PATH}/suspension"))
        await net.sleep(1)
        assert [each.get("User-Name") for each in net.mme.heard] == [IMSI, IMSI]
        kept.set()
        await resumed
        await net.sleep(11)
        assert [each.get("User-Name") for each in net.mme.heard] == [IMSI, IMSI, OTHER]
        assert net.hss.core.store.pending() == []


@pytest.mark.parametrize("relayed", [True, False])
async def test_those_behind_a_relay_are_told_when_it_is_back(loop: TestbedLoop, *, relayed: bool) -> None:
    net = Net(loop, peers={"mme": {"relay": True}, "mme2": {"relay": True}, "mme3": {}})
    async with net:
        await net.provision()
        more = [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes())]
        request = net.mme.make("Update-Location-Request", *more, terminal=METER)
        request.avps = [(name, f"mme3.{REALM}" if name == "Origin-Host" else value) for name, value in request.avps]
        assert (await net.mme.node.ask("hss", request)).success
        await net.host.stop("mme")
        await net.call("POST", f"{PATH}/suspension", {"how": "withdrawal"})
        await net.host.stop("mme2")
        noted = [each for each in net.notes() if "was not told" in each]
        await net.host.start("mme" if relayed else "mme2")
        await net.settle()
        assert [each for each in net.notes() if "was not told" in each] == noted
        assert [each.get("Destination-Host") for each in net.mme.heard] == ([f"mme3.{REALM}"] if relayed else [])
        assert len(net.hss.core.store.pending()) == (0 if relayed else 1)


async def test_an_mme_that_has_answered_is_told_again_soon(net: CallNet) -> None:
    """The pauses grow as long as it is the same silence."""
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        mute(net.mme, "insert-subscriber-data")
        await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        await net.sleep(300)
        net.mme.node.handle("S6a", "insert-subscriber-data-request", net.mme.hear)
        await net.sleep(600)
        assert net.hss.core.store.pending() == []
        mute(net.mme, "insert-subscriber-data")
        net.mme.heard.clear()
        await net.call("DELETE", f"{PATH}/suspension")
        await net.sleep(20)
        assert len(net.mme.heard) == 2


async def test_what_was_told_while_the_database_was_away_is_told_again(
    net: CallNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with net:
        await barred_while_away(net, IMSI)

        def away(*_: Any) -> None:
            raise StoreUnavailableError("the database is away")

        with monkeypatch.context() as fault:
            fault.setattr(net.hss.core.store, "told", away)
            await net.host.start("mme")
            await net.settle()
            assert len(net.mme.heard) == 1
            assert any("the database is away" in each for each in net.notes())
        await net.sleep(60)
        assert len(net.mme.heard) == 2
        assert net.hss.core.store.pending() == []


async def test_an_mme_that_did_not_hear_of_the_restart_hears_of_it_when_it_is_back(net: CallNet) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        await net.host.stop("mme")
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        await net.host.start("mme")
        mute(net.mme, "reset")
        await net.sleep(60)
        assert len(net.mme.heard) == 1
        told = []
        for _ in range(2):
            await net.host.stop("mme")
            await net.host.start("mme")
            await net.settle()
            told.append([each.name for each in net.mme.heard])
        assert told == [["reset-request"], []], "it was told once"


async def test_an_mme_that_does_not_take_a_cancellation_is_not_served_until_it_does(net: CallNet) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.air()).success
        mute(net.mme, "cancel-location")
        await net.call("DELETE", f"{PATH}/location")
        assert (await net.mme.ulr(METER)).result_code == 5012
        assert (await net.call("GET", PATH))["mme"] == ""


async def test_a_purge_ends_what_was_pending_also_after_a_restart(loop: TestbedLoop, store_url: str) -> None:
    async with Net(loop, store=store_url) as net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        mute(net.mme, "insert-subscriber-data")
        await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        assert (await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))).success
        assert net.hss.core.store.pending() == []
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        await net.sleep(60)
        assert net.hss.core.store.pending() == []
        assert [each.name for each in net.mme.heard].count("insert-subscriber-data-request") == 1


async def test_a_card_that_changes_twice_while_its_mme_is_away_is_told_once(loop: TestbedLoop, store_url: str) -> None:
    async with CallNet(loop, store=store_url) as net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        await net.host.stop("mme")
        for apn in ("one", "two"):
            await net.provision(subscription=[{"apns": [{"name": apn}]}])
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        await net.host.start("mme")
        await net.settle()
        (told,) = (each for each in net.mme.heard if each.name == "insert-subscriber-data-request")
        profile = told.find("Subscription-Data", "APN-Configuration-Profile")
        assert [dict(value)["Service-Selection"] for name, value in profile if name == "APN-Configuration"] == ["two"]


async def test_an_mme_that_is_away_is_not_tried_anew_by_each_registration_elsewhere(net: CallNet) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        await net.host.stop("mme")
        assert (await net.mme2.ulr(METER)).success
        await net.call("DELETE", f"{PATH}/location")
        await net.settle()
        noted = [each for each in net.notes() if "was not told" in each]
        assert len(noted) == 1
        assert (await net.mme2.ulr(METER)).success
        await net.settle()
        assert [each for each in net.notes() if "was not told" in each] == noted


async def test_of_two_things_to_be_told_of_a_card_each_is_told_once(net: CallNet) -> None:
    async with net:
        await barred_while_away(net, IMSI)
        await net.provision(IMSI, "card0", subscription=[{"apns": [{"name": "other"}]}])
        assert len(net.hss.core.store.pending()) == 2
        await net.host.start("mme")
        await net.sleep(600)
        told = [each.name for each in net.mme.heard]
        assert told == ["insert-subscriber-data-request", "delete-subscriber-data-request", *told[:1]]
        assert net.hss.core.store.pending() == []


async def test_of_two_cards_the_one_that_is_not_answered_for_is_told_again(net: CallNet) -> None:
    async with net:
        for number, imsi in enumerate((IMSI, OTHER)):
            await net.provision(imsi, f"card{number}")
            assert (await net.mme.ulr(METER, imsi=imsi)).success
        answer = net.mme.hear

        async def hear(message: Message, peer: Peer) -> Message:
            reply: Message = await answer(message, peer)
            if len(net.mme.heard) == 1:
                await asyncio.get_running_loop().create_future()
            return reply

        net.mme.node.handle("S6a", "cancel-location-request", hear)
        await net.call("POST", "/suspensions", {"cards": [IMSI, OTHER], "how": "withdrawal"})
        assert [each.imsi for each in net.hss.core.store.pending()] == [IMSI]
        await net.sleep(60)
        assert [each.get("User-Name") for each in net.mme.heard] == [IMSI, OTHER, IMSI]
        assert net.hss.core.store.pending() == []


async def test_what_registrations_end_and_begin_is_remembered_by_a_killed_hss(
    loop: TestbedLoop, store_url: str
) -> None:
    async with CallNet(loop, store=store_url) as net:
        await net.voice()
        assert (await net.mme.ulr(METER)).success
        assert await net.vlr.register(IMSI) == "registered"
        core = net.hss.core
        core.store.change(core.card(IMSI), due=Due.BARRING, suspended="barring")  # they ask before they are told
        assert len(core.store.pending()) == 2
        assert (await net.mme.ulr(METER)).success
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        assert net.hss.core.store.pending() == []
        await net.host.stop("mme")
        await net.host.stop("ssp")
        await net.sleep(60)
        assert (await net.mme2.ulr(METER)).success
        assert await net.vlr2.register(IMSI) == "registered"
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        assert [each.host for each in net.hss.core.store.pending()] == [SSP[0], MME]


async def test_what_was_kept_before_the_database_went_away_is_pending_as_it_is_back(
    net: CallNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows of a change whose commit was not answered; so it is read anew."""
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        store = net.hss.core.store
        writing = store._rows.writing

        @contextmanager
        def unanswered(*imsis: str) -> Iterator[Any]:
            with writing(*imsis) as connection:
                yield connection
            raise StoreUnavailableError("the database is away")

        with monkeypatch.context() as fault:
            fault.setattr(store._rows, "writing", unanswered)
            assert await net.refused("POST", f"{PATH}/suspension", {"how": "barring"}) == 503
        assert [each.what for each in store.pending()] == [Due.BARRING]


@pytest.mark.parametrize(("zones", "able"), [((), True), (("0002",), True), (("0002",), False)])
async def test_an_mme_that_was_away_hears_which_area_a_card_has_and_says_whether_it_enforces_it(
    net: CallNet, zones: tuple[str, ...], *, able: bool
) -> None:
    async with net:
        await net.provision(area=[{"by": "hss", "zones": ["0001"]}])
        assert (await net.mme.ulr(METER)).success
        await net.host.stop("mme")
        await net.call(
            "PUT" if zones else "DELETE", f"{PATH}/area", {**({"zones": zones} if zones else {}), **APPROVAL}
        )
        await net.host.start("mme")
        enforces(net.mme, Feature.ODB_ALL_APN | (Feature.REG_SUB if able else Feature(0)))
        await net.settle()
        told = [each.name.removesuffix("-request") for each in net.mme.heard]
        no_zones, data, end = "delete-subscriber-data", "insert-subscriber-data", "cancel-location"
        assert told == ([data] if zones else [no_zones, data]) + [end] * (not able)
        found = net.mme.heard[-1 if able else 0].get("Subscription-Data")
        assert [value.hex() for name, value in found if name == "Regional-Subscription-Zone-Code"] == list(zones)


@pytest.mark.parametrize("how", ["same", "provisioned", "other"])
async def test_what_an_mme_has_not_heard_of_a_subscription_it_is_told_with_what_comes_after(
    net: CallNet, how: str
) -> None:
    """What has changed since the last change is not all that it lacks."""
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        mute(net.mme, "insert-subscriber-data")
        apns = [{"name": "one"}]
        await net.call("PUT", f"{PATH}/subscription", {"apns": apns, **APPROVAL})
        assert len(net.hss.core.store.pending()) == 1
        net.mme.node.handle("S6a", "insert-subscriber-data-request", net.mme.hear)
        net.mme.heard.clear()
        if how == "provisioned":
            await net.provision(subscription=[{"apns": apns}])
        else:
            zones = {"zones": ["0001"]} if how == "other" else {}
            await net.call("PUT", f"{PATH}/subscription", {"apns": apns, **zones, **APPROVAL})
        (told,) = (each for each in net.mme.heard if each.name == "insert-subscriber-data-request")
        profile = told.find("Subscription-Data", "APN-Configuration-Profile")
        assert [dict(value)["Service-Selection"] for name, value in profile if name == "APN-Configuration"] == ["one"]
        assert net.hss.core.store.pending() == []


# -- VLRs


async def test_a_vlr_that_registers_a_card_again_is_not_cancelled(net: CallNet) -> None:
    async with net:
        await net.voice()
        for _ in range(2):
            assert await net.vlr.register(IMSI) == "registered"
        await net.sleep(700)
        assert [name for name, _ in net.vlr.heard] == ["insertSubscriberData"] * 2
        assert net.last("location")["vlr"] == SSP[0]


async def test_a_vlr_that_was_away_has_what_changed_by_the_registration(loop: TestbedLoop, store_url: str) -> None:
    async with CallNet(loop, store=store_url) as net:
        await net.voice()
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.stop("ssp")
        await net.call("DELETE", f"{PATH}/csi", APPROVAL)
        await net.host.start("ssp")
        await net.settle()
        assert await net.vlr.register(IMSI) == "registered"
        assert [name for name, _ in net.vlr.heard] == ["insertSubscriberData"]
        assert net.vlr.told("insertSubscriberData")[0].vlr_camel_subscription is None
        await net.sleep(700)
        assert len(net.vlr.heard) == 1


async def test_a_vlr_that_is_away_is_not_tried_anew_by_each_registration_elsewhere(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.stop("ssp")
        assert await net.vlr2.register(IMSI) == "registered"
        await net.call("DELETE", f"{PATH}/location")
        noted = [each for each in net.notes() if "was not told" in each]
        assert len(noted) == 1
        assert await net.vlr2.register(IMSI) == "registered"
        await net.settle()
        assert [each for each in net.notes() if "was not told" in each] == noted


async def withdrawn_while_away(net: CallNet, *imsis: str) -> None:
    """Have the VLR serve cards, and be away while they are withdrawn for a time."""
    for number, imsi in enumerate(imsis):
        await net.provision(imsi, f"card{number}", keys={"functions": ["voice", "data"]})
        assert await net.vlr.register(imsi) == "registered"
    await net.host.stop("ssp")
    for imsi in imsis:
        await net.call("POST", f"/cards/{imsi}/suspension", {"how": "withdrawal"})
        await net.call("DELETE", f"/cards/{imsi}/suspension")
    await net.host.start("ssp")
    await net.settle()


async def test_a_vlr_hears_first_of_the_card_that_it_registers_and_of_no_other(net: CallNet) -> None:
    async with net:
        await withdrawn_while_away(net, IMSI, OTHER)
        assert await net.vlr.register(IMSI) == "registered"
        assert [each.identity.imsi for each in net.vlr.told("cancelLocation")] == [IMSI]
        assert len(net.vlr.heard) == 2


async def test_a_vlr_that_takes_no_cancellation_is_not_given_the_card_again(net: CallNet) -> None:
    async with net:
        await withdrawn_while_away(net, IMSI)
        net.vlr.vlr._handlers.pop(m.CANCEL_LOCATION.opcode)
        assert await net.vlr.register(IMSI) == "system-failure"
        assert net.vlr.heard == []
        assert net.observed("location")[-1] is None


async def test_a_vlr_that_refuses_the_data_takes_the_card_from_no_other(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.meanwhile["insertSubscriberData"] = lambda: net.vlr2.register(IMSI)
        net.vlr.fails["insertSubscriberData"] = m.ErrorCode.UNEXPECTED_DATA_VALUE
        assert await net.vlr.register(IMSI) == "system-failure"
        await net.settle()
        assert net.last("location")["vlr"] == SSP2[0]
        assert (await net.call("GET", PATH))["vlr"] == SSP2[0]


async def test_of_a_card_with_an_mme_and_a_vlr_each_is_told_what_concerns_it(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert (await net.mme.ulr(METER)).success
        assert await net.vlr.register(IMSI) == "registered"
        await net.call("DELETE", f"{PATH}/csi", APPROVAL)
        assert (net.mme.heard, len(net.vlr.heard)) == ([], 3)
        assert net.hss.views() == {"SMS in MME": [], "VLRs": [(IMSI, SSP[0])]}
        await net.call("PUT", f"{PATH}/subscription", {"apns": [{"name": "other"}]})
        await net.sleep(700)
        assert (len(net.mme.heard), len(net.vlr.heard)) == (1, 3)
        for method in ("POST", "DELETE"):
            await net.call(method, f"{PATH}/suspension", {})
            assert net.hss.core.store.pending() == []
        assert (len(net.mme.heard), len(net.vlr.heard)) == (3, 5)
        await net.host.stop("mme")
        await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        await net.call("DELETE", f"{PATH}/suspension")
        assert (len(net.vlr.heard), len(net.hss.core.store.pending())) == (7, 1)


async def test_provisioning_anew_ends_neither_messages_nor_calls_that_stay(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register(IMSI) == "registered"
        await net.voice()
        await net.settle()
        assert len(net.vlr.heard) == 1
        assert net.last("location")["vlr"] == SSP[0]
