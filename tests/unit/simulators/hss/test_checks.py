"""Checks of the HSS that only a rare request shows: without them nothing else would look wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hss_net import APPROVAL, GIVEN, IMSI, LEARN, METER, OPC, PHONE, PLMN, K, Net

from simulators.hss.subscriber import Owed
from simwarden.machine import milenage
from simwarden.machine.eps_keys import kasme
from simwarden.model.identity import Plmn
from simwarden.operations.approval import BindingChange
from simwarden.wire.diameter import first

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

PATH = f"/cards/{IMSI}"


@pytest.fixture
def net(loop: TestbedLoop) -> Net:
    return Net(loop)


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


@pytest.mark.parametrize("unheard", ["owed", "purged", "elsewhere", ""])
async def test_who_did_not_hear_of_a_change_is_told_whatever_it_wants_to_skip(net: Net, unheard: str) -> None:
    async with net:
        await net.provision()
        await (net.mme2 if unheard == "elsewhere" else net.mme).ulr(METER)
        if unheard == "purged":
            await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))
        if unheard == "owed":  # it asks before it is told
            core = net.hss.core
            core.store.change(core.card(IMSI), owed=Owed.BARRING, suspended="barring")
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
        answer = await net.mme.ulr(METER)
        if how == "withdrawal":
            assert answer.experimental_result == 5001
            assert net.decisions("hss.withdrawn")[-1].reason.endswith("misuse")
        else:
            assert answer.find("Subscription-Data", "Operator-Determined-Barring") == 1
        await net.call("DELETE", f"{PATH}/suspension")
        assert (await net.mme.ulr(METER)).find("Subscription-Data", "Subscriber-Status") == 0


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


@pytest.mark.parametrize("keys", [{"k": K[:-2]}, {"opc": OPC + "00"}, {"k": "x" * 32}, {"imsi": "00101"}, {"opc": ""}])
async def test_keys_and_imsi_have_the_form_that_cards_have(net: Net, keys: dict[str, str]) -> None:
    async with net:
        body = {"name": "card", "imsi": IMSI, "iccid": f"8986{IMSI}", "msisdn": "861440000000001", "k": K, "opc": OPC}
        body |= {"profile": "meter", "form": "plug-in"}
        assert await net.refused("PUT", PATH, {**body, **keys}) == 400
        assert await net.refused("GET", PATH) == 404
