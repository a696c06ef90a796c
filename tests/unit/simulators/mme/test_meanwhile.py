"""What a device, an eNB or the HSS changes in the middle of a device's contact, seen where it would do harm later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulators.mme.config import MmeArea
from simulators.mme.dispatch.s1 import receive
from simulators.mme.store import AreaStore
from simwarden.operations.management import Role
from simwarden.wire import s1ap
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap.values import ErabTunnel

from .test_area_store import AUDIT, lose_the_last_station
from .test_dedicated_bearers import put
from .test_gateways import asked

_T = MessageType
IMSI, PHONE = "001010000000001", "8612340000000001"
USER = ("User-Name", IMSI)


def _unproven(phone: Any, **fields: Any) -> None:
    """Begin an update whose request no keys protect."""
    request = Message(
        _T.TRACKING_AREA_UPDATE_REQUEST,
        eps_update_type=0,
        nas_key_set_identifier=7,
        old_guti=phone.guti,
        ue_network_capability=phone.attach_request()["ue_network_capability"],
        **fields,
    )
    phone.security = None
    phone.first(encode(request))


async def _held_at_options(network: Any) -> Any:
    """Let a device be admitted, and asked for the options of its session, which it does not tell yet."""
    phone = network.phone(replies={_T.ESM_INFORMATION_REQUEST: None})
    phone.attach(esm_information_transfer_flag=1)
    await network.settle()
    assert phone.types()[-1] is _T.ESM_INFORMATION_REQUEST
    return phone


async def test_a_rate_changed_during_an_attach_is_told_with_its_context(run: Any) -> None:
    async with run() as network:
        await _held_at_options(network)
        ambr = [("Max-Requested-Bandwidth-UL", 1000), ("Max-Requested-Bandwidth-DL", 2000)]
        avps = [USER, ("Subscription-Data", [("AMBR", ambr)])]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", avps)).success
        await network.settle()
        assert "ue-context-modification-request" not in network.enb.names()


async def test_a_changed_quality_of_a_bearer_goes_to_the_gateways(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        quality = [("QoS-Class-Identifier", 7), ("Allocation-Retention-Priority", [("Priority-Level", 3)])]
        point = [
            ("Context-Identifier", 1),
            ("PDN-Type", 0),
            ("Service-Selection", "meters.example"),
            ("EPS-Subscribed-QoS-Profile", quality),
        ]
        profile = [
            ("Context-Identifier", 1),
            ("All-APN-Configurations-Included-Indicator", 0),
            ("APN-Configuration", point),
        ]
        avps = [USER, ("Subscription-Data", [("APN-Configuration-Profile", profile)])]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", avps)).success
        await network.settle()
        (changed,) = [each for each in phone.got if each.type is _T.MODIFY_EPS_BEARER_CONTEXT_REQUEST]
        assert changed["new_eps_qos"].qci == 7


async def test_a_former_enb_that_fails_during_an_attach_elsewhere_leaves_the_attach_alone(run: Any) -> None:
    async with run(timers={"purge": 60}) as network:
        phone = await network.attached()
        network.enb.auto = False
        phone.replies[_T.IDENTITY_REQUEST] = None
        phone.radio = network.enb2
        phone.attach()
        await network.settle()
        assert phone.types()[-1] is _T.IDENTITY_REQUEST
        network.enb.link.close()
        await network.settle()
        phone.take_again(phone.got[-1])
        await network.sleep(120)
        assert network.session()["cell"] == "001-01-0000201"


@pytest.mark.parametrize("contact", ["update", "service"])
async def test_who_loses_the_last_base_station_at_a_contact_is_turned_away(run: Any, contact: str) -> None:
    async with run(area_data="pool") as network:
        phone = await network.attached_idle()
        lose_the_last_station(network)
        getattr(phone, contact)()
        await network.settle()
        assert network.session() is None
        assert not network.decisions("area.count")[-1].admitted
        assert phone.got[-1]["emm_cause"] is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA


async def test_an_area_that_another_mme_takes_away_counts_no_more(run: Any) -> None:
    async with run(area_data="pool") as network:
        areas = network.mme.core.areas
        other = AreaStore(areas._engine, shared=True)
        other.put(IMSI, MmeArea(stations=1), AUDIT)
        alone = areas.count

        def late(imsi: str, area: Any, station: str) -> bool:
            other.remove(imsi, AUDIT)
            return bool(alone(imsi, area, station))

        areas.count = late
        await network.attached()
        assert areas.get(IMSI) is None


@pytest.mark.parametrize(
    ("cause", "told"), [("ESM_FAILURE", "IMPLICITLY_DETACHED"), ("PLMN_NOT_ALLOWED", "PLMN_NOT_ALLOWED")]
)
async def test_who_is_found_barred_at_a_service_request(run: Any, cause: str, told: str) -> None:
    async with run(causes={"barred_while_registered": cause}) as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
        network.hss.answers["update-location"] = [("ULA-Flags", 1), ("Subscription-Data", data)]
        phone.service()
        await network.settle()
        assert phone.got[-1]["emm_cause"].name == told


# -- updates that no keys protect


async def test_an_unproven_update_of_an_emergency_call_asks_for_no_equipment(run: Any) -> None:
    async with run(emergency={"callback": 600}) as network:
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        phone.idle()
        await network.settle()
        network.eir.answers["me-identity-check"] = [("Equipment-Status", 1)]
        phone.got.clear()
        _unproven(phone)
        await network.settle()
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert network.eir.names() == []


async def test_an_unproven_update_of_who_is_detached_already_has_to_attach_and_proves_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.mme.core.end_session(network.mme.core.by_imsi[IMSI])
        _unproven(phone)
        await network.settle()
        assert phone.types() == [_T.TRACKING_AREA_UPDATE_REJECT]
        assert phone.got[-1]["emm_cause"] is EmmCause.IMPLICITLY_DETACHED


async def test_an_unproven_update_ends_with_the_right_of_the_card(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.replies[_T.AUTHENTICATION_REQUEST] = None
        _unproven(phone)
        await network.settle()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        await network.settle()
        assert phone.released
        assert phone.types() == [_T.AUTHENTICATION_REQUEST]
        assert (network.mme.core.connections, network.mme.core.attempts) == ({}, {})


async def test_an_update_that_proves_no_card_is_told_so_and_nothing_else(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        failure = Message(_T.AUTHENTICATION_FAILURE, emm_cause=EmmCause.MAC_FAILURE)
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(failure)
        _unproven(phone)
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.AUTHENTICATION_REJECT]
        assert network.session()["state"] == "idle"


async def test_a_gateway_hears_of_the_cell_of_an_update_that_sets_no_bearer_up(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.mme.core.by_imsi[IMSI].bearer.reported = True
        phone.radio = network.enb2
        phone.update()
        await network.settle()
        assert asked(network)[-1] == "change-notification"
        assert str(network.mme.core.by_imsi[IMSI].bearer.place.ecgi) == "001-01-0000201"


async def test_who_is_detached_while_an_unproven_update_is_proven_has_to_attach(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.replies[_T.AUTHENTICATION_REQUEST] = None
        _unproven(phone)
        await network.settle()
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        phone.take_again(phone.got[-1])
        await network.settle()
        reject = phone.got[-1]
        assert (reject.type, reject["emm_cause"]) == (_T.TRACKING_AREA_UPDATE_REJECT, EmmCause.IMPLICITLY_DETACHED)
        assert network.session() is None


async def test_nobody_is_proven_by_a_silent_hss_where_its_control_is_off(run: Any) -> None:
    async with run({"mme.hss": "always-admit"}) as network:
        phone = await network.attached_idle()
        network.hss.silent = True
        _unproven(phone)
        await network.sleep(60)
        reject = phone.got[-1]
        assert (reject.type, reject["emm_cause"]) == (_T.TRACKING_AREA_UPDATE_REJECT, EmmCause.NETWORK_FAILURE)


async def test_a_subscription_is_read_of_a_success_only_where_the_control_of_the_hss_is_off(run: Any) -> None:
    async with run({"mme.hss": "always-admit"}) as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
        network.hss.answers["update-location"] = (3004, [("Subscription-Data", data)])
        phone.update()
        await network.settle()
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert not network.mme.core.by_imsi[IMSI].barred


# -- bearers


async def test_radio_bearers_that_are_told_twice_in_one_moment(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.enb.auto = False
        phone.service()
        await network.settle()
        order = asyncio.ensure_future(put(network))
        await network.settle()
        ids = {"mme_ue_s1ap_id": network.enb.last("initial-context-setup-request")["mme_ue_s1ap_id"]}
        ids["enb_ue_s1ap_id"] = phone.enb_id
        tunnels = (ErabTunnel(5, bytes([192, 0, 2, 9]), 77),)
        response = s1ap.Message("initial-context-setup-response", {**ids, "e_rab_setup_list_ctxt_su_res": tunnels})
        core = network.mme.core
        (enb,) = [each for each in core.enbs.values() if each.identity == 1]
        network.enb.auto = True
        for _ in range(2):
            receive(core, enb, s1ap.encode(response), 1)
        await network.settle()
        await order
        assert 6 in core.by_imsi[IMSI].all_bearers


async def test_an_emergency_call_is_listed_although_nothing_is_known_of_its_subscription(run: Any) -> None:
    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        network.phone().attach(eps_attach_type=6)
        await network.settle()
        (listed,) = await network.mme.manage(Role.OPERATOR, "GET", "/sessions")
        assert (listed["apn"], listed["msisdn"]) == ("sos", "")
