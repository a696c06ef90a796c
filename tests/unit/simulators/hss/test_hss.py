"""The HSS over the memory transport, with an MME of a few lines at the other end."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hss_net import APPROVAL, GIVEN, IMSI, LEARN, METER, OPC, PHONE, PLMN, REALM, K, Net

from simulators.hss import config as hss_config
from simulators.hss.config import HssConfig
from simulators.hss.procedures.authentication import make_vector, sqn_of
from simulators.hss.store import METADATA, Store
from simulators.hss.subscriber import Due
from simwarden.errors import ManagementError
from simwarden.machine import milenage
from simwarden.machine.eps_keys import kasme
from simwarden.model.identity import Imei, Plmn
from simwarden.operations.approval import By
from simwarden.operations.management import Role
from simwarden.operations.provision import CardProvision
from simwarden.runtime.diameter import Unreachable
from simwarden.runtime.store import open_engine
from simwarden.testing.diameter import FEATURES
from simwarden.trace.rows import rows_of
from simwarden.wire.diameter import Message, first

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.loop import TestbedLoop

# -- authentication ----------------------------------------------------------------------------------------------------


def test_a_vector_is_that_of_ts_35_208_and_its_autn_opens() -> None:
    k, opc, rand = bytes.fromhex(K), bytes.fromhex(OPC), bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
    vector = dict(make_vector(k, opc, 7, rand, PLMN))
    assert vector["XRES"].hex() == "a54211d5e3ba50bf"
    sqn = bytes(a ^ b for a, b in zip(vector["AUTN"][:6], bytes.fromhex("aa689c648370"), strict=True))
    assert sqn == sqn_of(7) == ((7 << 5) | 7).to_bytes(6, "big")
    assert vector["AUTN"][6:8] == b"\x80\x00"
    assert vector["AUTN"][8:] == milenage.f1(k, opc, rand, sqn, b"\x80\x00")[0]
    ck, ik = "b40ba9a3c58b2a05bbf0d987b21bf8cb", "f769bcd751044604127672711c6d3441"
    assert vector["KASME"] == kasme(bytes.fromhex(ck), bytes.fromhex(ik), PLMN, vector["AUTN"][:6])


def sqns(answer: Message, k: str = K, opc: str = OPC) -> list[int]:
    found = []
    for _, vector in answer.get("Authentication-Info"):
        *_, ak = milenage.f2345(bytes.fromhex(k), bytes.fromhex(opc), first(vector, "RAND"))
        concealed = first(vector, "AUTN")[:6]
        found.append(int.from_bytes(bytes(a ^ b for a, b in zip(concealed, ak, strict=True)), "big") >> 5)
    return found


async def test_sqns_rise_over_vectors_and_restarts(net: Net) -> None:
    async with net:
        await net.provision()
        answer = await net.mme.air(("Number-Of-Requested-Vectors", 2))
        assert sqns(answer) == [1, 2]
        assert [first(v, "Item-Number") for _, v in answer.get("Authentication-Info")] == [1, 2]
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        alone = await net.mme.air(("Number-Of-Requested-Vectors", 1))
        assert sqns(alone) == [3]
        assert [first(v, "Item-Number") for _, v in alone.get("Authentication-Info")] == [None]
        assert len(sqns(await net.mme.air(("Number-Of-Requested-Vectors", 32)))) == 5


def auts(seq: int, rand: bytes, *, spoilt: bool = False) -> bytes:
    k, opc, sqn = bytes.fromhex(K), bytes.fromhex(OPC), sqn_of(seq)
    concealed = bytes(a ^ b for a, b in zip(sqn, milenage.f5_star(k, opc, rand), strict=True))
    mac_s = milenage.f1(k, opc, rand, sqn, b"\0\0")[1]
    return concealed + (bytes(8) if spoilt else mac_s)


async def test_resynchronisation(net: Net) -> None:
    async with net:
        await net.provision()
        rand = bytes(range(16))

        async def resync(seq: int, *, spoilt: bool = False) -> list[int]:
            info = ("Re-Synchronization-Info", rand + auts(seq, rand, spoilt=spoilt))
            return sqns(await net.mme.air(("Number-Of-Requested-Vectors", 1), info))

        assert await resync(1000) == [1001]
        assert await resync(5000, spoilt=True) == [1002], "an AUTS that is not the card's changes nothing"
        assert await resync(20) == [1003], "a card that would accept our SQN changes nothing"


@pytest.mark.parametrize("kill", [False, True])
async def test_who_stops_says_goodbye_and_who_loses_power_does_not(net: Net, *, kill: bool) -> None:
    async with net:
        seen = len(net.trace.events)
        await net.host.stop("hss", kill=kill)
        said = [each.name for each in rows_of(net.trace.events[seen:]) if each.source == "hss" and each.name]
        assert said == ["disconnect-peer-request"] * (0 if kill else 2)


async def test_an_unknown_card_is_5001(net: Net) -> None:
    async with net:
        assert (await net.mme.air(imsi="001010000000099")).experimental_result == 5001
        assert (await net.mme.ulr(METER, imsi="001010000000099")).experimental_result == 5001
        (one, two) = net.decisions("hss.subscriber")
        assert (one.subject, two.admitted) == ("001010000000099", False)


@pytest.mark.parametrize("broken", ["always-refuse", "always-admit"])
async def test_a_card_that_is_refused_is_as_unknown_as_one_that_is_not_there(loop: TestbedLoop, broken: str) -> None:
    async with Net(loop, switches={"hss.subscriber": broken}) as net:
        if broken == "always-refuse":
            await net.provision()
        assert (await net.mme.air()).experimental_result == 5001
        assert (await net.mme.ulr(METER)).experimental_result == 5001


async def test_vectors_of_other_systems_are_not_there(net: Net) -> None:
    async with net:
        await net.provision()
        more = [("Requested-UTRAN-GERAN-Authentication-Info", []), ("Visited-PLMN-Id", PLMN.to_bytes())]
        answer = await net.mme.node.ask("hss", net.mme.make("Authentication-Information-Request", *more))
        assert answer.experimental_result == 4181


# -- binding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [METER, METER + "2", METER + "01"])
async def test_a_given_imei_is_compared_in_any_form(loop: TestbedLoop, form: str) -> None:
    net = Net(loop)

    async with net:
        await net.provision(binding=GIVEN)
        assert (await net.mme.ulr(form)).success
        answer = await net.mme.ulr(PHONE + form[14:])
        assert (answer.experimental_result, answer.result_code) == (5001, None)
        assert answer.get("ULA-Flags") is None
        assert answer.get("Subscription-Data") is None
    assert [d.admitted for d in net.decisions("bind.hss.given")] == [True, False]
    assert net.decisions("bind.hss.given")[1].details["seen"] == Imei(PHONE).imei


async def test_the_first_use_binds_and_the_next_terminal_is_refused(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        assert (await net.mme.attach(METER)).success
        assert net.last("binding") == {"imsi": IMSI, "imei": Imei(METER).imei, "how": "learned"}
        assert net.last("registration")["imei"] == Imei(METER).imei
        assert (await net.mme.ulr(PHONE)).experimental_result == 5001
        assert (await net.mme.ulr(METER + "99")).success
        actions = [r["action"] for r in await net.call("GET", f"/cards/{IMSI}/audit")]
        assert actions == ["provision", "learn", "mismatch"]
    assert {d.control.id for d in net.decisions("bind.hss.learned")} == {"bind.hss.learned"}


@pytest.mark.parametrize("kill", [True, False])
async def test_a_learned_binding_survives_a_restart_which_the_mme_hears_of(net: Net, *, kill: bool) -> None:
    async with net:
        await net.provision(binding=LEARN)
        await net.mme.attach(METER)
        await net.host.stop("hss", kill=kill)
        await net.host.start("hss")
        assert (await net.mme.ulr(PHONE)).experimental_result == 5001
        await net.host.clock.settle()
        assert [m.name for m in net.mme.heard] == ["reset-request"]
        assert net.mme2.heard == []


async def test_a_first_use_outside_the_province_is_served_and_teaches_nothing(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        assert (await net.mme2.attach(PHONE)).success  # all but the province, which is not said of it, would teach
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"] == {"how": "learned", "imei": ""}
        assert (await net.mme.attach(METER)).success
        assert (await net.mme2.ulr(PHONE)).experimental_result == 5001


@pytest.mark.parametrize(("visited", "teaches"), [("460-00", True), ("001-01", True), ("208-01", False)])
async def test_a_first_use_teaches_in_the_network_of_the_hss_or_of_the_imsi(
    loop: TestbedLoop, visited: str, *, teaches: bool
) -> None:
    async with Net(loop, plmn="460-00", realm=REALM) as net:
        await net.provision(binding=LEARN)
        await net.mme.air()
        more = [FEATURES, ("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", Plmn.parse(visited).to_bytes())]
        assert (await net.mme.node.ask("hss", net.mme.make("Update-Location-Request", *more, terminal=METER))).success
        bound = Imei(METER).imei if teaches else ""
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"] == {"how": "learned", "imei": bound}


async def test_of_two_first_uses_at_once_exactly_one_wins(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        answers = await asyncio.gather(net.mme.attach(METER), net.mme.attach(PHONE))
        assert sorted(a.success for a in answers) == [False, True]
        bound = (await net.call("GET", f"/cards/{IMSI}"))["binding"]["imei"]
        assert bound == Imei(METER if answers[0].success else PHONE).imei


async def test_a_first_use_elsewhere_in_the_database_wins_too(loop: TestbedLoop, store_url: str) -> None:
    net = Net(loop, store=store_url)

    async with net:
        await net.provision(binding=LEARN)
        engine = open_engine(store_url, METADATA)
        other = Store(engine)
        card = other.get(IMSI)
        assert card is not None
        record = net.hss.core.audit.record("learn", IMSI, {})
        place = {"mme": "x", "realm": "y", "plmn": "z"}
        assert other.register(card, **place, imei=PHONE, teaches=PHONE, audit=record)
        assert not other.register(card, **place, imei=METER, teaches=METER, audit=record)
        engine.dispose()
        assert (await net.mme.attach(METER)).experimental_result == 5001
        assert (await net.mme.ulr(PHONE)).success


@pytest.mark.parametrize(("setting", "served"), [("refuse", False), ("admit", True)])
async def test_a_terminal_without_imei(loop: TestbedLoop, setting: str, served: bool) -> None:  # noqa: FBT001 - a parameter
    net = Net(loop, without_imei=setting)

    async with net:
        await net.provision(binding=LEARN)
        assert (await net.mme.ulr("")).success == served
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"]["imei"] == ""


async def test_an_imei_that_is_none_is_5004_and_admits_nobody(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        for imei in ("1234", "3500010000000x", "35000100000001001"):
            answer = await net.mme.ulr(imei)
            assert (answer.result_code, answer.find("Failed-AVP", "IMEI")) == (5004, imei)
        assert (await net.call("GET", f"/cards/{IMSI}"))["mme"] == ""


@pytest.mark.parametrize(
    ("answer", "experimental", "result"),
    [({"result_code": "5003"}, None, 5003), ({"experimental_result": "5999"}, 5999, None)],
)
async def test_the_answer_to_a_mismatch_is_configured(
    loop: TestbedLoop, answer: dict[str, str], experimental: int | None, result: int | None
) -> None:
    net = Net(loop, mismatch=answer)

    async with net:
        await net.provision(binding=GIVEN)
        got = await net.mme.ulr(PHONE)
        assert (got.experimental_result, got.result_code) == (experimental, result)


async def test_a_notified_mismatch_is_answered_with_success_and_cancelled(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        await net.mme.attach(METER)
        assert (await net.mme.nor(METER + "02")).success
        await net.host.clock.settle()
        assert net.mme.heard == []
        assert (await net.mme.nor(PHONE)).success
        await net.host.clock.settle()
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 2)])]
        assert net.last("registration") is None
        assert (await net.mme.nor(PHONE)).experimental_result == 5423


async def test_an_unbound_card_works_anywhere(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        assert (await net.mme.ulr(PHONE)).success
    assert not net.decisions("bind.hss.learned")


# -- who may ask -------------------------------------------------------------------------------------------------------


async def test_an_unlisted_peer_is_3010_and_teaches_nothing(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        with pytest.raises(Unreachable):
            await net.evil.ulr(PHONE)
        assert (await net.mme.attach(METER)).success
    assert next(d.details["seen"] for d in net.decisions("hss.peer") if not d.admitted) == f"evil.{REALM}"


@pytest.mark.parametrize(
    ("host", "realm"), [(f"mme2.{REALM}", REALM), (f"evil.{REALM}", REALM), (f"mme.{REALM}", "elsewhere.example")]
)
async def test_a_listed_peer_cannot_speak_for_others(net: Net, host: str, realm: str) -> None:
    async with net:
        await net.provision(binding=LEARN)
        forged = net.mme.make(
            "Update-Location-Request",
            ("RAT-Type", 1004),
            ("ULR-Flags", 34),
            ("Visited-PLMN-Id", PLMN.to_bytes()),
            terminal=PHONE,
        )
        forged.avps = [
            (name, {"Origin-Host": host, "Origin-Realm": realm}.get(name, value)) for name, value in forged.avps
        ]
        answer = await net.mme.node.ask("hss", forged)
        assert (answer.result_code, answer.find("Failed-AVP", "Origin-Host")) == (5004, host)
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"]["imei"] == ""
    assert not net.decisions("hss.peer")[-1].admitted


async def test_a_request_for_another_realm_or_host_is_not_served(net: Net) -> None:
    async with net:
        await net.provision()
        message = net.mme.node.make("Purge-UE-Request", [("User-Name", IMSI)], realm="elsewhere.example")
        assert (await net.mme.node.ask("hss", message)).result_code == 3003
        message = net.mme.node.make("Purge-UE-Request", [("User-Name", IMSI)], realm=REALM, host=f"hss9.{REALM}")
        assert (await net.mme.node.ask("hss", message)).result_code == 3002


# -- locations ---------------------------------------------------------------------------------------------------------


async def test_the_answer_to_a_location_update_carries_the_subscription(loop: TestbedLoop) -> None:
    net = Net(loop, zones=["0007"], periodic_update="3600")

    async with net:
        apns = [
            {"name": "meter.example", "address": "192.0.2.9"},
            {"name": "ota.example", "pdn_type": "ipv4v6"},
            {"name": "six.example", "pdn_type": "ipv6"},
        ]
        await net.provision(subscription=[{"apns": apns}])
        answer = await net.mme.ulr(METER)
        assert answer.get("ULA-Flags") == 1
        data = answer.get("Subscription-Data")
        assert first(data, "MSISDN") == "861440000000017"
        assert first(data, "Regional-Subscription-Zone-Code") == b"\0\7"
        assert first(data, "Subscribed-Periodic-RAU-TAU-Timer") == 3600
        assert [first(data, each) for each in ("Subscriber-Status", "Operator-Determined-Barring")] == [0, None]
        configurations = [v for n, v in first(data, "APN-Configuration-Profile") if n == "APN-Configuration"]
        assert [first(c, "Service-Selection") for c in configurations] == [each["name"] for each in apns]
        assert first(configurations[0], "Served-Party-IP-Address") == "192.0.2.9"
        assert [first(c, "PDN-Type") for c in configurations] == [0, 2, 1]
        assert (await net.mme.ulr(METER, flags=38)).get("Subscription-Data") is None


async def test_moving_to_another_mme_cancels_at_the_first(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        await net.mme.ulr(METER)
        assert (await net.mme2.ulr(METER)).success
        await net.host.clock.settle()
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 0)])]
        assert net.mme2.heard == []


async def test_a_purged_card_needs_no_cancellation(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        purge = net.mme.make("Purge-UE-Request", ("PUR-Flags", 1))
        assert (await net.mme.node.ask("hss", purge)).get("PUA-Flags") == 1
        await net.mme2.ulr(METER)
        await net.host.clock.settle()
        assert net.mme.heard == []
        late = net.mme.make("Purge-UE-Request", ("PUR-Flags", 1))
        answer = await net.mme.node.ask("hss", late)
        assert (answer.success, answer.get("PUA-Flags")) == (True, None)


@pytest.mark.parametrize("killed", [False, True])
async def test_an_mme_that_was_away_is_told_when_it_is_back(net: Net, *, killed: bool) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        await net.host.stop("mme", kill=True)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        if killed:
            await net.host.stop("hss", kill=True)
            await net.host.start("hss")
        await net.host.start("mme")
        await net.host.clock.settle()
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 2)])]


@pytest.mark.parametrize("how", ["withdrawal", "barring"])
async def test_an_mme_that_was_silent_is_told_again_until_it_answers(net: Net, how: str) -> None:
    answer, silent = net.mme.hear, 3

    async def hear(message: Message, peer: Peer) -> Message:
        reply = await answer(message, peer)
        if len(net.mme.heard) <= silent:
            await asyncio.get_running_loop().create_future()
        return reply

    async with net:
        names = ("cancel-location-request", "insert-subscriber-data-request")
        for name in names:
            net.mme.node.handle("S6a", name, hear)
        await net.provision()
        await net.provision("001010000000018", "other")
        for imsi in (IMSI, "001010000000018"):
            await net.mme.ulr(METER, imsi=imsi)
        began = net.host.clock.now()
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": how})
        await net.call("POST", "/cards/001010000000018/suspension", {"how": how})
        assert net.host.clock.now() == began + 10
        assert len(net.hss.core.store.pending()) == 2
        await net.host.clock.sleep(30)  # told again 10 s after the first one was not answered, and waited for 5 s
        assert len(net.mme.heard) == 3
        await net.host.clock.sleep(30)
        assert net.hss.core.store.pending() == []
        assert len(net.mme.heard) == 5
        await net.host.clock.sleep(3600)
        assert len(net.mme.heard) == 5


async def test_an_mme_that_never_answers_is_told_ever_more_rarely(net: Net) -> None:
    at: list[float] = []

    async def hear(_message: Message, _peer: Peer) -> Message:
        at.append(net.host.clock.now())
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async with net:
        net.mme.node.handle("S6a", "cancel-location-request", hear)
        await net.provision()
        await net.mme.ulr(METER)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        await net.host.clock.sleep(6000)
        pauses = [round(later - sooner - 5) for sooner, later in itertools.pairwise(at)]
        assert pauses[:7] == [10, 20, 40, 80, 160, 320, 600]
        assert set(pauses[7:]) == {600}
        await net.host.stop("mme", kill=True)
        await net.host.clock.sleep(2000)
        count = len(at)
        await net.host.start("mme")
        await net.host.clock.settle()
        assert len(net.mme.told) == 1
        assert net.hss.core.store.pending() == []
        assert len(at) == count


# -- management --------------------------------------------------------------------------------------------------------


async def test_suspension_by_barring_and_resumption(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        await net.hss.manage(Role.OPERATOR, "POST", "/verbs/suspend", {"card": "card"})
        assert net.last("subscription") == {"imsi": IMSI, "status": "barring"}
        data = first((await net.mme.ulr(METER)).avps, "Subscription-Data")
        assert (first(data, "Subscriber-Status"), first(data, "Operator-Determined-Barring")) == (1, 1)
        await net.hss.manage(Role.OPERATOR, "POST", "/verbs/resume", {"card": "card"})
        barred, free = ([("Subscriber-Status", n), ("Operator-Determined-Barring", n)] for n in (1, 0))
        told = [("insert-subscriber-data-request", [("Subscription-Data", data)]) for data in (barred, free)]
        assert net.mme.told == told


async def test_a_card_is_terminated_once_and_stays_so_whatever_comes_after(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        for _ in range(2):
            assert (await net.call("DELETE", f"/cards/{IMSI}"))["suspended"] == "ended"
        assert [each.name for each in net.mme.heard] == ["cancel-location-request"]
        assert (await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"}))["told"] == "nobody"
        assert await net.refused("DELETE", f"/cards/{IMSI}/suspension") == 409
        assert len(net.observed("registration")) == 2
        assert [each["action"] for each in await net.call("GET", f"/cards/{IMSI}/audit")] == ["provision", "suspend"]
        assert (await net.mme.ulr(METER)).experimental_result == 5001


async def test_suspension_by_withdrawal_and_resumption(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal", "reason": "lost"})
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 2)])]
        assert (await net.mme.ulr(METER)).experimental_result == 5001
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        assert (await net.mme.ulr(METER)).experimental_result == 5001
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert (await net.mme.ulr(METER)).success


@pytest.mark.parametrize(
    ("how", "mme", "told"),
    [
        ("barring", "enforces", "insert-subscriber-data"),
        ("barring", "cannot bar", "cancel-location"),
        ("barring", "silent", "pending"),
        ("barring", "none", "nobody"),
        ("withdrawal", "enforces", "cancel-location"),
        ("withdrawal", "silent", "pending"),
        ("withdrawal", "none", "nobody"),
    ],
)
async def test_the_answer_to_a_suspension_says_how_the_mme_heard_of_it(net: Net, how: str, mme: str, told: str) -> None:
    async def hear(message: Message, _peer: Peer) -> Message:
        if mme == "silent":
            await asyncio.get_running_loop().create_future()
        return net.mme.node.answer(message, 2001, ())

    async with net:
        await net.provision()
        if mme != "none":
            await net.mme.ulr(METER)
        if mme in ("silent", "cannot bar"):
            for name in ("cancel-location-request", "insert-subscriber-data-request"):
                net.mme.node.handle("S6a", name, hear)
        assert (await net.call("POST", f"/cards/{IMSI}/suspension", {"how": how}))["told"] == told


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("PUT", "binding", {"imei": PHONE, **APPROVAL}),
        ("DELETE", "binding", APPROVAL),
        ("PUT", "subscription", {"zones": ["0001"], **APPROVAL}),
        ("PUT", "area", {"zones": ["0001"], **APPROVAL}),
        ("DELETE", "area", APPROVAL),
        ("GET", "audit", None),
        ("GET", "location", None),
    ],
)
async def test_a_customer_cannot_tell_which_cards_there_are(net: Net, method: str, below: str, body: Any) -> None:
    async with net:
        await net.provision()
        told = []
        for imsi in (IMSI, "001019999999999"):
            with pytest.raises(ManagementError) as refusal:
                await net.call(method, f"/cards/{imsi}/{below}", body, role=Role.CUSTOMER)
            kept = await net.call("GET", "/audit")
            records = [(each["action"], each["details"]) for each in kept if each["imsi"] == imsi]
            told.append((refusal.value.status, str(refusal.value), records[1 if imsi == IMSI else 0 :]))
        assert told[0] == told[1]
        assert told[0][0] == 403


@pytest.mark.parametrize("what", ["msisdn", "iccid"])
async def test_a_number_and_an_iccid_are_those_of_one_card(net: Net, what: str) -> None:
    other = "001010000000018"

    async def put(imsi: str, value: str) -> int:
        body = {"name": "", "imsi": imsi, "iccid": "", "msisdn": "", "k": K, "opc": OPC, "profile": "", "form": ""}
        try:
            await net.call("PUT", f"/cards/{imsi}", body | {what: value})
        except ManagementError as refusal:
            return refusal.status
        return 200

    async with net:
        assert await put(IMSI, "1440000000001") == 200
        assert await put(other, "1440000000001") == 409
        assert what == "iccid" or [await put(other, f"{code}1440000000001") for code in ("86", "+86")] == [409, 409]
        assert await put(IMSI, "1440000000001") == 200
        assert [await put(imsi, "") for imsi in (IMSI, other)] == [200, 200]
        assert await put(other, "1440000000001") == 200
        assert [await put(IMSI, wrong) for wrong in ("letters", "+", "1" * 21, "1 2")] == [400] * 4


async def test_a_customer_may_not_bind_and_the_attempt_is_kept(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        await net.mme.attach(METER)
        path, body = f"/cards/{IMSI}/binding", {"imei": PHONE, **APPROVAL}
        assert await net.refused("PUT", path, body, role=Role.CUSTOMER) == 403
        assert await net.refused("DELETE", path, APPROVAL, role=Role.CUSTOMER) == 403
        assert not net.decisions("bind.operator")[-1].admitted
        audit = await net.call("GET", f"/cards/{IMSI}/audit")
        assert [(r["action"], r["role"], r["caller"]) for r in audit[2:]] == [
            ("bind-refused", "customer", "tester"),
            ("unbind-refused", "customer", "tester"),
        ]
        assert (await net.mme.ulr(PHONE)).experimental_result == 5001


async def test_the_operator_binds_anew_with_an_approval_record(net: Net) -> None:
    async with net:
        await net.provision(binding=GIVEN)
        await net.mme.ulr(METER)
        path = f"/cards/{IMSI}/binding"
        assert await net.refused("PUT", path, {"imei": PHONE}) == 403
        assert not net.decisions("bind.approval")[-1].admitted
        assert await net.refused("PUT", path, {"imei": "12", **APPROVAL}) == 400
        assert await net.refused("PUT", path, {**APPROVAL}) == 400
        await net.call("PUT", path, {"imei": PHONE, **APPROVAL})
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 2)])]
        assert (await net.mme.ulr(METER)).experimental_result == 5001
        assert (await net.mme.ulr(PHONE)).success
        record = next(r for r in await net.call("GET", "/audit") if r["action"] == "rebind")
        assert record["details"] == {"before": METER, "after": PHONE, "mode": "given", **APPROVAL}
        await net.call("DELETE", path, APPROVAL)
        assert net.last("binding") is None
        assert (await net.mme.ulr(METER)).success


async def test_verbs_bind_and_are_refused(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)

        async def bind(**more: str) -> str:
            body = {"card": "card", "imei": METER, **more}
            outcome: str = await net.hss.manage(Role.OPERATOR, "POST", "/verbs/rebind", body)
            return outcome

        assert await bind(role="customer", **APPROVAL) == "refused"
        assert await bind() == "refused"
        assert await bind(**APPROVAL) == "bound"
        with pytest.raises(ManagementError):
            await net.hss.manage(Role.OPERATOR, "POST", "/verbs/suspend", {"card": "other"})


async def test_provisioning_again_keeps_what_is_learned_and_changes_no_binding(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        await net.mme.attach(METER)
        again = await net.provision(binding=LEARN)
        assert again["binding"] == {"how": "learned", "imei": Imei(METER).imei}
        assert sqns(await net.mme.air(("Number-Of-Requested-Vectors", 1))) == [2]
        for sections in ({}, {"binding": GIVEN}):
            with pytest.raises(ManagementError, match="approval record"):
                await net.provision(**sections)  # type: ignore[arg-type]


async def test_a_changed_subscription_reaches_the_mme(net: Net) -> None:
    async with net:
        both = [{"name": "a.example"}, {"name": "b.example"}]
        await net.provision(subscription=[{"apns": both, "zones": ["0007"]}])
        await net.mme.ulr(METER)
        await net.call("PUT", f"/cards/{IMSI}/subscription", {"apns": both[:1], **APPROVAL})
        zones, data = net.mme.heard
        assert (zones.name, zones.get("DSR-Flags")) == ("delete-subscriber-data-request", 1)
        assert data.name == "insert-subscriber-data-request"
        assert _contexts(data.get("Subscription-Data")) == (1, 0, {"a.example": 1})


def _contexts(data: Any) -> tuple[int, int, dict[str, int]]:
    """Return the default Context-Identifier, All-APN-Configurations-Included and the identifiers by APN."""
    profile = first(data, "APN-Configuration-Profile")
    apns = [group for name, group in profile if name == "APN-Configuration"]
    numbers = {first(each, "Service-Selection"): first(each, "Context-Identifier") for each in apns}
    whole = first(profile, "All-APN-Configurations-Included-Indicator")
    return first(profile, "Context-Identifier"), whole, numbers


async def test_a_context_identifier_stays_with_its_apn_and_is_not_used_again(net: Net) -> None:
    """TS 29.272 7.3.27: an MME knows an APN by its identifier, so that another one's would be taken for it."""

    async def subscribe(*names: str) -> tuple[int, int, dict[str, int]]:
        wanted = {"apns": [{"name": name} for name in names]}
        await net.call("PUT", f"/cards/{IMSI}/subscription", {**wanted, **APPROVAL})
        return _contexts(net.mme.heard[-1].get("Subscription-Data"))

    async with net:
        await net.provision(subscription=[{"apns": [{"name": "a.example"}, {"name": "b.example"}]}])
        assert _contexts((await net.mme.ulr(METER)).get("Subscription-Data"))[2] == {"a.example": 1, "b.example": 2}
        assert await subscribe("b.example") == (2, 0, {"b.example": 2})
        assert await subscribe("c.example", "B.example") == (3, 0, {"c.example": 3, "B.example": 2})
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        assert await net.refused("PUT", f"/cards/{IMSI}/subscription", {"apns": [{"name": "d"}, {"name": "D"}]}) == 400
        await net.provision(subscription=[{"apns": [{"name": "d.example"}, {"name": "a.example"}]}])
        told = _contexts((await net.mme.ulr(METER)).get("Subscription-Data"))
        assert told == (4, 0, {"d.example": 4, "a.example": 1})


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        ({"profile": "meter"}, 0),
        ({"profile": "smart-parking"}, 2),
        ({"profile": "smart-parking", "functions": ["voice", "data"]}, 0),
        ({"profile": "meter", "functions": ["data"]}, 2),
        ({"profile": "nobody-knows"}, 2),
    ],
)
async def test_circuit_services_are_for_cards_opened_for_voice_or_sms(
    net: Net, keys: dict[str, Any], mode: int
) -> None:
    async with net:
        await net.provision(keys=keys)
        assert dict((await net.mme.ulr(METER)).get("Subscription-Data"))["Network-Access-Mode"] == mode


async def test_queries_and_refusals_of_the_management_interface(net: Net) -> None:
    async with net:
        await net.provision()
        told = await net.call("GET", f"/cards/{IMSI}")
        assert told["msisdn"] == "861440000000017"
        assert K not in str(await net.call("GET", "/cards"))
        assert K not in repr(net.hss.core.store.get(IMSI))
        await net.provision("001010000000016", "earlier")
        await net.provision("001010000000018", "later")
        listed = [await net.call("GET", f"/cards?{asked}") for asked in ("limit=2", f"limit=2&after={IMSI}")]
        assert [[each["imsi"][-2:] for each in cards] for cards in listed] == [["16", "17"], ["18"]]
        assert await net.refused("GET", "/cards/001019999999999") == 404
        assert await net.refused("GET", f"/cards/{IMSI}/location") == 503
        assert await net.refused("PUT", f"/cards/{IMSI}", {"imsi": IMSI, "k": K}) == 400
        assert await net.refused("GET", "/audit", role=Role.CUSTOMER) == 403
        assert await net.refused("GET", f"/cards/{IMSI}", role=Role.CUSTOMER) == 403
        await net.mme.ulr(METER)
        assert (await net.call("GET", f"/cards/{IMSI}/location"))["eps_user_state"] is None
        await net.call("DELETE", f"/cards/{IMSI}")
        assert (await net.mme.ulr(METER)).experimental_result == 5001


def test_the_profile_explains_every_setting() -> None:
    text = Path(hss_config.__file__).with_name("profile.yaml").read_text(encoding="utf-8")
    profile = HssConfig.model_validate(yaml.load(text, yaml.CBaseLoader))  # noqa: S506 - scalars stay strings
    assert profile.model_fields_set == set(HssConfig.model_fields)
    assert profile.apns == HssConfig().apns
    assert (profile.mismatch.code, profile.mismatch.experimental) == (5001, True)


@pytest.mark.slow
async def test_a_learned_binding_and_the_sqn_survive_kill_9(loop: TestbedLoop, store_url: str) -> None:
    script = f"""
import os, signal, sys
sys.path[:0] = {sys.path!r}
import hss_net as story
from simwarden.runtime.loop import TestbedLoop
loop = TestbedLoop(virtual=True)

async def run():
    async with story.Net(loop, store={store_url!r}) as net:
        await net.provision(binding=story.LEARN)
        await net.mme.air(("Number-Of-Requested-Vectors", 2))
        assert (await net.mme.ulr(story.METER)).success
        os.kill(os.getpid(), signal.SIGKILL)

loop.run_until_complete(run())
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603 - our own script
    assert ended.returncode == -signal.SIGKILL
    net = Net(loop, store=store_url)

    async with net:
        assert (await net.mme.ulr(PHONE)).experimental_result == 5001
        assert (await net.mme.ulr(METER)).success
        assert sqns(await net.mme.air(("Number-Of-Requested-Vectors", 1))) == [3]


async def test_a_withdrawal_reaches_an_mme_that_may_have_an_attach_under_way(net: Net) -> None:
    """What another element said of the attach before the change holds no longer: the attempt ends, and asks anew."""

    async with net:
        await net.provision()
        assert (await net.mme.air()).success
        assert await net.call("DELETE", f"/cards/{IMSI}/location")
        assert [message.name for message in net.mme.heard] == ["cancel-location-request"]
        assert net.mme2.heard == []
        assert (await net.mme.ulr(METER)).success


async def test_an_mme_that_has_purged_a_card_or_lost_it_to_another_hears_of_no_withdrawal(net: Net) -> None:
    async with net:
        await net.provision()
        for mme in (net.mme, net.mme2):
            assert (await mme.air()).success
            assert (await mme.ulr(METER)).success
        await net.host.clock.settle()
        assert [message.get("Cancellation-Type") for message in net.mme.heard] == [0]
        assert (await net.mme2.node.ask("hss", net.mme2.make("Purge-UE-Request"))).success
        await net.call("DELETE", f"/cards/{IMSI}/location")
        assert len(net.mme.heard) == 1
        await net.call("DELETE", f"/cards/{IMSI}/location")
        assert len(net.mme2.heard) == 1  # the one that served it, whose purge came before


async def test_an_mme_that_lost_a_card_teaches_nothing_without_vectors_of_its_own(loop: TestbedLoop) -> None:
    """The vectors that it was given are those of the registration that is over."""
    net = Net(loop, peers={name: {"home_province": "true"} for name in ("mme", "mme2")})
    async with net:
        await net.provision()
        for mme in (net.mme, net.mme2):
            assert (await mme.attach(METER)).success
        await net.call("PUT", f"/cards/{IMSI}/binding", {**APPROVAL, "learn": "first-use"})
        assert (await net.mme.ulr(PHONE)).success
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"]["imei"] == ""


async def test_a_terminal_that_was_not_told_is_none_in_what_is_shown(loop: TestbedLoop) -> None:
    async with Net(loop, without_imei="admit") as net:
        await net.provision()
        assert (await net.mme.attach("")).success
        assert net.last("registration")["imei"] == ""


@pytest.mark.parametrize("held", ["imsi", "msisdn", "iccid"])
async def test_of_cards_that_come_at_once_none_is_one_that_is_held(net: Net, held: str) -> None:
    def card(number: int) -> CardProvision:
        imsi = f"00101{number:010d}"
        names = {"name": f"card{number}", "imsi": imsi, "iccid": f"89{imsi}", "msisdn": f"1440{number:09d}"}
        return CardProvision(**names, k=K, opc=OPC, profile="meter", form="plug-in")

    async with net:
        by = By(caller="test")
        assert await net.hss.provision_new([card(1), card(2)], by)
        twice = card(3).model_copy(update={held: getattr(card(2), held)})
        assert not await net.hss.provision_new([card(4), twice], by)
        alike = card(5).model_copy(update={held: getattr(card(4), held)})
        assert not await net.hss.provision_new([card(4), alike], by)
        assert [each["imsi"] for each in await net.call("GET", "/cards")] == [card(1).imsi, card(2).imsi]
        kept = [(each["imsi"], each["action"], each["caller"]) for each in await net.call("GET", "/audit")]
        assert kept == [(card(number).imsi, "provision", "test") for number in (1, 2)]


async def test_an_mme_hears_of_a_withdrawal_before_it_is_served_again(net: Net) -> None:
    """An answer to what it asked by an older verdict would else end the cancellation that is pending for it."""

    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        card = net.hss.core.store.get(IMSI)
        record = net.hss.core.audit.record("cancel-location", IMSI, {})
        net.hss.core.store.change_all((card,), (record,), due=Due.WITHDRAWAL)
        assert (await net.mme.ulr(METER)).success
        assert [message.name for message in net.mme.heard] == ["cancel-location-request"]
        assert net.hss.core.store.pending() == []


def withholding(mme: Any) -> list[asyncio.Future[None]]:
    """Have an MME keep its answers back until the test lets them go."""
    answer, kept = mme.hear, []

    async def hear(message: Message, peer: Peer) -> Message:
        reply: Message = await answer(message, peer)
        kept.append(asyncio.get_running_loop().create_future())
        await kept[-1]
        return reply

    for name in ("cancel-location-request", "insert-subscriber-data-request"):
        mme.node.handle("S6a", name, hear)
    return kept


async def test_a_card_that_is_withdrawn_while_its_mme_hears_of_another_cancellation_is_not_served(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.air()).success
        kept = withholding(net.mme)
        ended = asyncio.ensure_future(net.call("DELETE", f"/cards/{IMSI}/location"))
        served = asyncio.ensure_future(net.mme.ulr(METER))
        await net.host.clock.sleep(0.1)
        assert len(kept) == 2
        suspended = asyncio.ensure_future(
            net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal", "reason": "lost"})
        )
        await net.host.clock.sleep(0.1)
        for each in kept:
            each.set_result(None)
        assert (await served).experimental_result == 5001
        await asyncio.gather(ended, suspended)
        assert (await net.call("GET", f"/cards/{IMSI}"))["mme"] == ""


async def test_an_mme_that_answers_a_cancellation_does_not_wait_for_another(net: Net) -> None:
    """Else one that has asked about a card and never answers would have others' attaches ended again and again."""

    async with net:
        await net.provision()
        for mme in (net.mme, net.mme2):
            assert (await mme.air()).success
        withholding(net.mme2)
        ended = asyncio.ensure_future(net.call("DELETE", f"/cards/{IMSI}/location"))
        await net.host.clock.sleep(0.1)
        assert [notice.host for notice in net.hss.core.store.pending()] == [f"mme2.{REALM}"]
        assert (await net.mme.ulr(METER)).success
        assert len(net.mme.heard) == 1
        await ended


@pytest.mark.parametrize("how", ["withdrawal", "barring"])
async def test_an_answer_to_what_was_said_before_is_none_to_what_came_after(net: Net, how: str) -> None:
    """What is pending twice is pending until the second of it was heard: the first one's answer knows nothing of it."""

    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        assert (await net.mme.air()).success
        kept = withholding(net.mme)
        path = f"/cards/{IMSI}/suspension"
        first_one = asyncio.ensure_future(net.call("POST", path, {"how": how}))
        await net.host.clock.sleep(0.1)
        if how == "withdrawal":
            second = asyncio.ensure_future(net.call("DELETE", f"/cards/{IMSI}/location"))
        else:
            second = asyncio.ensure_future(net.call("DELETE", path))
        await net.host.clock.sleep(0.1)
        assert len(kept) == 2
        kept[0].set_result(None)
        await first_one
        assert len(net.hss.core.store.pending()) == 1, "the second one is not answered yet"
        kept[1].set_result(None)
        await second
        assert net.hss.core.store.pending() == []


async def test_an_mme_behind_a_relay_hears_of_a_withdrawal_and_is_served_again(loop: TestbedLoop) -> None:
    """Its cancellation goes the way by which it asked: it has no connection of its own, and would never be served."""
    net = Net(loop, peers={"mme": {"relay": True}, "mme3": {}})

    async def ask(message: Message) -> Message:
        message.avps = [(name, f"mme3.{REALM}" if name == "Origin-Host" else value) for name, value in message.avps]
        answer: Message = await net.mme.node.ask("hss", message)
        return answer

    async with net:
        await net.provision()
        more = [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes())]
        assert (await ask(net.mme.make("Update-Location-Request", *more, terminal=METER))).success
        await net.call("DELETE", f"/cards/{IMSI}/location")
        assert [each.get("Destination-Host") for each in net.mme.heard] == [f"mme3.{REALM}"]
        assert (await ask(net.mme.make("Update-Location-Request", *more, terminal=METER))).success
        assert net.hss.core.store.pending() == []


async def test_an_mme_that_is_connected_itself_hears_so_whoever_carried_its_request(loop: TestbedLoop) -> None:
    net = Net(loop, peers={"mme": {"relay": True}, "mme2": {}})

    async with net:
        await net.provision()
        more = [FEATURES, ("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes())]
        origin = {"Origin-Host": f"mme2.{REALM}"}
        request = net.mme.make("Update-Location-Request", *more, terminal=METER, origin=origin)
        assert (await net.mme.node.ask("hss", request)).success
        await net.call("DELETE", f"/cards/{IMSI}/location")
        assert ([each.name for each in net.mme2.heard], net.mme.heard) == (["cancel-location-request"], [])


async def test_a_relay_that_cannot_deliver_a_cancellation_pays_nothing(loop: TestbedLoop) -> None:
    net = Net(loop)

    async def refuse(message: Message, _peer: Peer) -> Message:
        refused: Message = net.mme.node.answer(message, 3002)
        return refused

    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        net.mme.node.handle("S6a", "cancel-location-request", refuse)
        await net.call("DELETE", f"/cards/{IMSI}/location")
        assert len(net.hss.core.store.pending()) == 1
        net.mme.node.handle("S6a", "cancel-location-request", net.mme.hear)
        await net.host.clock.sleep(11)
        assert net.hss.core.store.pending() == []
