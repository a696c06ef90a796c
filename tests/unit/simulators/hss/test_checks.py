"""Checks of the HSS that only a rare request shows: without them nothing else would look wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hss_net import APPROVAL, GIVEN, IMSI, LEARN, METER, OPC, PHONE, PLMN, REALM, K, Net

from simulators.hss.subscriber import Due
from simwarden.errors import ManagementError
from simwarden.machine import milenage
from simwarden.machine.eps_keys import kasme
from simwarden.model.identity import Imei, Plmn
from simwarden.operations.approval import BindingChange
from simwarden.wire.diameter import first
from simwarden.wire.diameter.codes import ErrorDiagnostic, Feature
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message

PATH = f"/cards/{IMSI}"


@pytest.fixture
def net(loop: TestbedLoop) -> Net:
    return Net(loop)


async def ulr(mme: Any, *more: tuple[str, Any]) -> Message:
    """Register the card by an MME that says nothing of its features but `more`."""
    avps = [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes()), *more]
    answer: Message = await mme.node.ask("hss", mme.make("Update-Location-Request", *avps, terminal=METER))
    return answer


@pytest.mark.parametrize(
    ("method", "body", "ends"), [("DELETE", {}, False), ("PUT", {"imei": METER}, False), ("PUT", {"imei": PHONE}, True)]
)
async def test_only_a_binding_to_another_terminal_ends_what_the_card_has(
    net: Net,
    method: str,
    body: dict[str, Any],
    ends: bool,  # noqa: FBT001
) -> None:
    async with net:
        await net.provision(binding=GIVEN)
        await net.mme.ulr(METER)
        await net.call(method, f"{PATH}/binding", {**body, **APPROVAL})
        await net.host.clock.settle()
        record = (await net.call("GET", f"{PATH}/audit"))[-1]
        assert record["action"] == ("rebind" if body else "unbind")
        assert bool(net.mme.heard) is ends
        assert ((await net.call("GET", PATH))["mme"] == "") is ends


async def test_a_card_that_its_mme_forgot_and_took_again_hears_of_a_barring(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        assert (await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))).success
        await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        assert net.mme.heard == []
        await net.mme.ulr(METER)
        await net.call("DELETE", f"{PATH}/suspension")
        assert [message.name for message in net.mme.heard] == ["insert-subscriber-data-request"]


SKIP = 2 | 4


@pytest.mark.parametrize("unheard", ["pending", "purged", "elsewhere", ""])
async def test_who_did_not_hear_of_a_change_is_told_whatever_it_wants_to_skip(net: Net, unheard: str) -> None:
    async with net:
        await net.provision()
        await (net.mme2 if unheard == "elsewhere" else net.mme).ulr(METER)
        if unheard == "purged":
            await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))
        if unheard == "pending":  # it asks before it is told
            core = net.hss.core
            core.store.change(core.card(IMSI), due=Due.BARRING, suspended="barring")
        else:
            await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        answer = await net.mme.ulr(METER, flags=SKIP)
        assert answer.success
        barred = answer.find("Subscription-Data", "Operator-Determined-Barring")
        assert barred == (1 if unheard else None)


@pytest.mark.parametrize("how", ["barring", "withdrawal"])
async def test_provisioning_again_lifts_no_suspension(net: Net, how: str) -> None:
    async with net:
        await net.provision()
        await net.call("POST", f"{PATH}/suspension", {"how": how, "reason": "misuse"})
        again = await net.provision()
        assert again["suspended"] == how
        assert (net.hss.core.store.pending(), net.observed("registration"), net.observed("location")) == ([], [], [])
        answer = await net.mme.ulr(METER)
        if how == "withdrawal":
            assert answer.experimental_result == 5001
            assert net.decisions("hss.withdrawn")[-1].reason.endswith("misuse")
        else:
            assert answer.find("Subscription-Data", "Operator-Determined-Barring") == 1
        await net.call("DELETE", f"{PATH}/suspension")
        assert (await net.mme.ulr(METER)).find("Subscription-Data", "Subscriber-Status") == 0


@pytest.mark.parametrize(
    ("able", "result", "diagnostic", "verdicts"),
    [(Feature.REG_SUB, 5004, int(ErrorDiagnostic.ODB_ALL_APN), [False]), (Feature.ODB_ALL_APN, None, None, [True])],
)
async def test_an_mme_that_cannot_bar_serves_no_barred_card_and_is_told_why(
    net: Net, able: Feature, result: int | None, diagnostic: int | None, verdicts: list[bool]
) -> None:
    async with net:
        await net.provision()
        await net.call("POST", f"{PATH}/suspension", {"how": "barring"})
        answer = await ulr(net.mme, supported_features(able))
        assert (answer.experimental_result, answer.get("Error-Diagnostic")) == (result, diagnostic)
        assert net.verdicts("hss.barring") == verdicts
        assert net.verdicts("hss.zones") == [True] * (able is Feature.ODB_ALL_APN), "what it cannot do is not needed"


async def test_an_mme_that_knows_no_zone_codes_is_told_nothing_of_barring(net: Net) -> None:
    async with net:
        await net.provision(area=[{"by": "hss", "zones": ["0001"]}])
        answer = await ulr(net.mme, supported_features(Feature.ODB_ALL_APN))
        assert (answer.experimental_result, answer.get("Error-Diagnostic")) == (5004, None)
        assert (net.verdicts("hss.barring"), net.verdicts("hss.zones")) == ([], [False])


@pytest.mark.parametrize(
    ("asks", "purges", "attempts"),
    [
        ("mme", False, {"mme"}),
        ("mme", True, set()),
        ("mme2", False, {"mme", "mme2"}),
        ("mme2", True, {"mme2"}),
    ],
)
async def test_a_first_use_is_by_an_mme_that_has_vectors_still(
    loop: TestbedLoop, asks: str, *, purges: bool, attempts: set[str]
) -> None:
    """Those that it was given are its own until it purges the card, or another MME takes the card from it."""
    net = Net(loop, peers={name: {"home_province": "true"} for name in ("mme", "mme2")})
    async with net:
        await net.provision()
        mme = net.mme if asks == "mme" else net.mme2
        for _ in range(2):
            assert (await mme.air()).success
        for terminal in (METER, PHONE):
            assert (await net.mme.ulr(terminal)).success
        if purges:
            assert (await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))).success
        card, has_vectors = net.hss.core.card(IMSI), asks in attempts
        assert card.vectors == [f"{asks}.{REALM}"] * has_vectors
        assert set(card.attempts) == {f"{name}.{REALM}" for name in attempts}
        await net.call("PUT", f"{PATH}/binding", {**APPROVAL, "learn": "first-use"})
        assert (await mme.ulr(METER)).success
        bound = Imei(METER).imei if has_vectors else ""
        assert (await net.call("GET", PATH))["binding"] == {"how": "learned", "imei": bound}


async def test_a_first_use_teaches_where_the_card_is_served_already_in_that_terminal(net: Net) -> None:
    async with net:
        await net.provision(binding=LEARN)
        assert (await net.mme.ulr(METER)).success  # without vectors of its own
        assert (await net.call("GET", PATH))["binding"]["imei"] == ""
        assert (await net.mme.attach(METER)).success
        assert (await net.call("GET", PATH))["binding"]["imei"] == Imei(METER).imei


async def test_the_first_binding_of_a_card_is_no_change_of_one(net: Net) -> None:
    async with net:
        await net.provision()
        for imei in (METER, PHONE):
            await net.call("PUT", f"{PATH}/binding", {"imei": imei, **APPROVAL})
        actions = [each["action"] for each in await net.call("GET", f"{PATH}/audit")]
        assert actions == ["provision", "bind", "rebind"]


async def test_what_changes_nothing_is_told_nobody(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        await net.provision()
        await net.call("DELETE", f"{PATH}/suspension")
        assert (net.mme.heard, net.hss.core.store.pending()) == ([], [])


async def test_nobody_is_asked_where_a_card_is_that_no_mme_serves_or_its_mme_has_forgotten(net: Net) -> None:
    async with net:
        await net.provision()
        assert await net.refused("GET", f"{PATH}/location") == 503
        answer = await net.mme.ulr(METER)
        assert first(answer.get("Subscription-Data"), "Subscribed-Periodic-RAU-TAU-Timer") is None
        await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))
        assert await net.refused("GET", f"{PATH}/location") == 503
        assert net.mme.heard == []
        assert not any("was not told" in each for each in net.notes())


async def test_the_audit_keeps_why_a_location_was_ended(net: Net) -> None:
    async with net:
        await net.provision()
        await net.mme.ulr(METER)
        await net.call("DELETE", f"{PATH}/location", {"reason": "stolen"})
        record = (await net.call("GET", f"{PATH}/audit"))[-1]
        assert (record["action"], record["details"]) == ("cancel-location", {"reason": "stolen"})
        assert net.mme.told == [("cancel-location-request", [("Cancellation-Type", 2)])]


@pytest.mark.parametrize(("binding", "told"), [([], None), (LEARN, {"how": "learned", "imei": ""})])
async def test_a_query_tells_whether_a_card_is_bound(net: Net, binding: list[dict[str, str]], told: Any) -> None:
    async with net:
        await net.provision(binding=binding)
        assert (await net.call("GET", PATH))["binding"] == told
        assert net.observed("binding") == [None]


async def test_the_keys_of_a_vector_are_for_the_visited_network_alone(net: Net) -> None:
    async with net:
        await net.provision()
        for plmn in (PLMN, Plmn("001", "02"), Plmn("310", "410")):
            request = net.mme.make(
                "Authentication-Information-Request",
                ("Requested-EUTRAN-Authentication-Info", [("Number-Of-Requested-Vectors", 1)]),
                ("Visited-PLMN-Id", plmn.to_bytes()),
            )
            vector = (await net.mme.node.ask("hss", request)).find("Authentication-Info", "E-UTRAN-Vector")
            rand, autn = first(vector, "RAND"), first(vector, "AUTN")
            _, ck, ik, _ = milenage.f2345(bytes.fromhex(K), bytes.fromhex(OPC), rand)
            assert first(vector, "KASME") == kasme(ck, ik, plmn, autn[:6])  # TS 33.401 A.2


@pytest.mark.parametrize("body", [{}, {"imei": METER, "learn": "first-use"}, {"imei": "12"}, {"learn": "second-use"}])
def test_a_binding_is_one_imei_or_the_first_use(body: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"imei|first-use|digits"):
        BindingChange.model_validate(body)


def test_an_empty_imei_beside_the_first_use_is_none() -> None:
    assert BindingChange.model_validate({"imei": "", "learn": "first-use"}).mode == "learned"


@pytest.mark.parametrize("keys", [{"k": K[:-2]}, {"opc": OPC + "00"}, {"k": "x" * 32}, {"imsi": "00101"}, {"opc": ""}])
async def test_keys_and_imsi_have_the_form_that_cards_have(net: Net, keys: dict[str, str]) -> None:
    async with net:
        body = {"name": "card", "imsi": IMSI, "iccid": f"8986{IMSI}", "msisdn": "861440000000001", "k": K, "opc": OPC}
        body |= {"profile": "meter", "form": "plug-in"}
        assert await net.refused("PUT", PATH, {**body, **keys}) == 400
        assert await net.refused("GET", PATH) == 404


@pytest.mark.parametrize(("settings", "known"), [({}, True), ({"realm": "epc.example"}, False)])
async def test_the_hss_is_who_its_settings_say_and_knows_nodes_by_theirs(
    loop: TestbedLoop, settings: dict[str, str], *, known: bool
) -> None:
    async with Net(loop, host="hlr.example", peers={"mme": {}, "mme2": settings}) as net:
        await net.provision()
        assert (await net.mme.ulr(METER)).get("Origin-Host") == "hlr.example"
        assert (f"mme2.{REALM}" in [each.host for each in net.hss.core.node.peers]) is known


@pytest.mark.parametrize(("address", "admitted"), [("192.0.2.7:3868", True), ("192.0.2.8:3868", False)])
async def test_a_node_with_an_address_connects_from_there(loop: TestbedLoop, address: str, *, admitted: bool) -> None:
    async with Net(loop, peers={"mme": {"addresses": ["192.0.2.7"]}}) as net:
        assert net.hss.core.peers.admit(f"mme.{REALM}", REALM, address) is admitted


@pytest.mark.parametrize("pinned", [True, False])
async def test_a_relay_without_an_address_speaks_for_no_node_that_has_one(loop: TestbedLoop, *, pinned: bool) -> None:
    """Who says the relay's name would be who says the node's."""
    at = ["192.0.2.7"]
    async with Net(loop, peers={"mme": {"relay": True, "addresses": at * pinned}, "mme2": {"addresses": at}}) as net:
        await net.provision()
        request = net.mme.make("Purge-UE-Request", origin={"Origin-Host": f"mme2.{REALM}"})
        assert (await net.mme.node.ask("hss", request)).success is pinned


@pytest.mark.parametrize("listed", [True, False])
async def test_a_service_centre_asks_what_mmes_ask_if_it_is_listed_as_one(loop: TestbedLoop, *, listed: bool) -> None:
    """One node may be both."""
    peers: dict[str, Any] = {"mme2": {}} | ({"mme": {}} if listed else {})
    async with Net(loop, peers=peers, centres={"mme": "+8613800100500"}) as net:
        await net.provision()
        answer = await net.mme.ulr(METER)
        assert (answer.success, answer.result_code) == ((True, 2001) if listed else (False, 5004))
        known = net.decisions("hss.peer")[-1].details["expected"]
        assert listed or known == [f"mme2.{REALM}"]
        assert len(net.verdicts("hss.peer")) == 3 + (not listed), "who connected was judged as it did"


async def test_a_binding_changed_too_often_is_no_refusal_of_a_form(net: Net) -> None:
    async with net:
        await net.provision(binding=GIVEN)
        for imei in (PHONE, METER):
            assert await net.do("hss", "rebind", card="card", imei=imei, **APPROVAL) == "bound"
        with pytest.raises(ManagementError) as too_often:
            await net.do("hss", "rebind", card="card", imei=PHONE, **APPROVAL)
        assert too_often.value.status == 429


async def test_a_terminal_that_is_not_told_again_stays_the_one_that_was(loop: TestbedLoop) -> None:
    async with Net(loop, without_imei="admit") as net:
        await net.provision()
        for imei in (METER, ""):
            assert (await net.mme.ulr(imei)).success
        assert net.last("registration")["imei"] == METER + "2"


async def test_zone_codes_that_all_cards_have_stay_as_the_apns_of_one_change(loop: TestbedLoop) -> None:
    async with Net(loop, zones=["0007"]) as net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        await net.call("PUT", f"{PATH}/subscription", {"apns": [{"name": "other"}]})
        (told,) = net.mme.heard
        assert told.find("Subscription-Data", "Regional-Subscription-Zone-Code") is None


async def test_a_subscription_that_says_what_all_cards_have_is_told_nobody(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        apns = [each.model_dump(mode="json", exclude_defaults=True) for each in net.hss.config.apns]
        await net.call("PUT", f"{PATH}/subscription", {"apns": apns})
        assert net.mme.heard == []
        assert net.hss.core.store.pending() == []


async def test_cards_are_listed_after_one(net: Net) -> None:
    imsis = [f"00101000000002{number}" for number in range(3)]
    async with net:
        for imsi in imsis:
            await net.provision(imsi, f"card{imsi}")
        page = await net.call("GET", f"/cards?after={imsis[0]}")
        assert [each["imsi"] for each in page] == imsis[1:]
