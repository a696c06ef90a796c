"""Dedicated bearers at the MME, between the gateways and a scripted eNB and device (TS 23.401 5.4, TS 24.301 6.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulators.mme.clients import s1
from simwarden.errors import ManagementError
from simwarden.operations.management import Role
from simwarden.runtime.gtp.node import Piggybacked
from simwarden.testing.diameter import IMSI
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Arp, BearerQos, Cause
from simwarden.wire.nas.enums import EsmCause, MessageType
from simwarden.wire.nas.message import Message
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.values import ErabItem, ErabTunnel
from simwarden.wire.tft import Operation, decode

from .test_gateways import asked

_T = MessageType
_ASK, _MODIFY = _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST, _T.MODIFY_EPS_BEARER_CONTEXT_REQUEST
_END = _T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST
ALARM = {"qci": 3, "guaranteed": [64, 64], "maximum": [128, 256], "filters": [{"protocol": "udp", "ports": "5683"}]}
QOS = gtpv2.BearerQos(7, gtpv2.Arp(8, may_preempt=False, preemptable=True))
FAILED = ErabItem(6, CauseRadioNetwork.RADIO_RESOURCES_NOT_AVAILABLE)


async def put(network: Any, body: dict[str, Any] = ALARM, name: str = "alarm") -> Any:
    """Order a bearer, or its change, at the PGW."""
    pgw = network.host.elements["pgw"]
    (session,) = pgw.core.sessions.values()
    return await pgw.manage(Role.OPERATOR, "PUT", f"/sessions/{IMSI}/{session.apn}/bearers/{name}", body)


async def refused(network: Any, body: dict[str, Any] = ALARM) -> str:
    """Order a bearer in vain; return what the PGW heard."""
    with pytest.raises(ManagementError, match="was not"):
        await put(network, body)
    await network.settle()
    return str([each for each in network.notes() if "was refused" in each or "carried out" in each][-1])


def held(network: Any) -> tuple[list[int], list[int], list[int]]:
    """The dedicated bearers that MME, SGW and PGW have."""
    elements = network.host.elements
    (ue,) = elements["mme"].core.by_imsi.values()
    device = elements["sgw"].core.devices[IMSI]
    (session,) = elements["pgw"].core.sessions.values()
    at_sgw = [ebi for each in device.connections.values() for ebi in each.dedicated]
    return (
        [ebi for each in ue.bearers.values() for ebi in each.dedicated],
        at_sgw,
        [each.ebi for each in session.bearers.values()],
    )


async def test_ordered_with_the_answer_that_sets_the_session_up(run: Any) -> None:
    outcomes: list[Any] = []
    async with run() as network:
        node = network.host.elements["sgw"].core.node
        create = node._handlers["create-session-request"]

        async def with_an_order(message: gtpv2.Message, peer: Any) -> Any:
            answer = await create(message, peer)
            context = {"ebi": 0, "bearer_tft": bytes.fromhex("2130000230 11"), "bearer_qos": QOS}
            context["s1_u_sgw"] = network.host.elements["sgw"].core.user_end(gtpv2.InterfaceType.S1_U_SGW_GTP_U, 0x99)
            order = {"linked_ebi": 5, "bearer_contexts": (context,)}
            request = gtpv2.Message("create-bearer-request", order, message["sender_f_teid"].teid)
            return Piggybacked(answer, request, outcomes.append)

        node._handlers["create-session-request"] = with_an_order
        phone = await network.attached()
        await network.settle()
        assert phone.types().count(_ASK) == 1
        (outcome,) = outcomes
        told = outcome.result()
        assert (told.cause, told["bearer_contexts"][0]["ebi"]) == (Cause.REQUEST_ACCEPTED, 6)
        assert phone.types().index(_T.ATTACH_ACCEPT) < phone.types().index(_ASK)


async def test_set_up_changed_and_ended(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        assert await put(network) == {"name": "alarm", "ebi": 6, "qci": 3}
        (item,) = network.enb.last("e-rab-setup-request")["e_rab_to_be_setup_list_bearer_su_req"]
        rates = item.qos.gbr_qos_information
        assert (item.e_rab_id, item.qos.qci) == (6, 3)
        assert tuple(rates) == (256_000, 128_000, 64_000, 64_000)  # downlink first, in bit/s (TS 36.413 9.2.1.18)
        told = phone.got[-1]
        assert (told.type, told["linked_eps_bearer_identity"], told["eps_qos"].qci) == (_ASK, 5, 3)
        assert decode(told["tft"]).operation is Operation.CREATE
        assert held(network) == ([6], [6], [6])
        assert await put(network, {**ALARM, "maximum": [64, 64]}) == {"name": "alarm", "ebi": 6, "qci": 3}
        changed = phone.got[-1]
        assert changed.type is _MODIFY
        assert ("new_eps_qos" in changed, "tft" in changed) == (True, False)
        erabs = network.enb.names().count("e-rab-modify-request")
        await put(network, {**ALARM, "maximum": [64, 64], "filters": [{"protocol": "icmp"}]})
        assert ("new_eps_qos" in phone.got[-1], "tft" in phone.got[-1]) == (False, True)
        assert network.enb.names().count("e-rab-modify-request") == erabs == 1
        pgw = network.host.elements["pgw"]
        (session,) = pgw.core.sessions.values()
        await pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{session.apn}/bearers/alarm")
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1]["eps_bearer_identity"]) == (_END, 6)
        assert held(network) == ([], [], [])
        assert network.session() is not None


@pytest.mark.parametrize(
    ("cause", "heard"),
    [
        (EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS, Cause.SEMANTIC_ERRORS_IN_PACKET_FILTERS),
        (EsmCause.INSUFFICIENT_RESOURCES, Cause.NO_RESOURCES_AVAILABLE),
        (EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION, Cause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION),
        (EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION, Cause.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION),
        (EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS, Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS),
        (EsmCause.PROTOCOL_ERROR_UNSPECIFIED, Cause.UE_REFUSES),
    ],
)
async def test_a_device_that_refuses(run: Any, cause: EsmCause, heard: Cause) -> None:
    async with run() as network:
        phone = await network.attached()
        kind = _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT
        phone.replies[_ASK] = lambda phone, _: phone.send(Message(kind, eps_bearer_identity=6, esm_cause=cause))
        assert heard.name in await refused(network)
        assert held(network) == ([], [], [])
        assert network.enb.names()[-1] == "e-rab-release-command"


async def test_a_device_that_does_not_answer(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_ASK] = lambda *_: None
        assert "alarm" not in await refused(network)
        await network.sleep(60)
        assert phone.types().count(_ASK) == 5
        assert held(network) == ([], [], [])
        assert network.session() is not None


async def test_an_enb_that_has_no_room(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        network.host.clock.call_later(
            1, lambda: phone.up("e-rab-setup-response", e_rab_failed_to_setup_list_bearer_su_res=(FAILED,))
        )
        assert "NO_RESOURCES_AVAILABLE" in await refused(network)
        assert held(network) == ([], [], [])
        assert "e-rab-release-command" not in network.enb.names(), "it has none to release"

        assert "the eNB has no room for a bearer" in network.notes()
        assert "the eNB has not set a bearer up" not in network.notes()
        network.enb.auto = True
        await put(network)
        network.enb.auto = False
        network.host.clock.call_later(
            1, lambda: phone.up("e-rab-modify-response", e_rab_failed_to_modify_list=(FAILED,))
        )
        assert "NO_RESOURCES_AVAILABLE" in await refused(network, {**ALARM, "maximum": [64, 64]})
        assert held(network) == ([6], [6], [6])


async def test_a_bearer_that_the_radio_has_lost(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        phone.up("e-rab-release-indication", e_rab_released_list=(FAILED,))
        await network.settle()
        assert "delete-bearer-command" in asked(network)
        assert held(network) == ([], [], [])
        assert (phone.got[-1].type, phone.got[-1]["eps_bearer_identity"]) == (_END, 6)


async def test_a_bearer_that_the_radio_does_not_set_up_again_at_a_service_request(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        phone.idle()
        await network.settle()
        network.enb.auto = False
        phone.service()
        await network.settle()
        tunnel = ErabTunnel(5, bytes([192, 0, 2, 9]), 78)
        lists = {"e_rab_setup_list_ctxt_su_res": (tunnel,), "e_rab_failed_to_setup_list_ctxt_su_res": (FAILED,)}
        phone.up("initial-context-setup-response", **lists)
        await network.settle()
        assert asked(network)[-2:] == ["delete-bearer-command", "delete-bearer-response"]
        assert held(network) == ([], [], [])
        assert network.session()["state"] == "connected"


async def test_an_update_that_crosses_the_order_of_a_bearer_leaves_it_alone(run: Any) -> None:
    """The device says by its status that it has no bearer 6, before it has heard of that (TS 24.301 5.5.3.2.4)."""
    async with run(reallocate_guti_at_update=False) as network:
        phone = await network.attached()
        phone.replies[_ASK] = None
        ordered = asyncio.ensure_future(put(network))
        await network.settle()
        asked_for = phone.got[-1]
        assert asked_for.type is _ASK
        ksi = phone.security.ksi
        fields = {"eps_update_type": 0, "nas_key_set_identifier": ksi, "old_guti": phone.guti}
        phone.send(Message(_T.TRACKING_AREA_UPDATE_REQUEST, **fields, eps_bearer_context_status=(5,)))
        await network.settle()
        phone.take_again(asked_for)
        await ordered
        await network.settle()
        assert "delete-bearer-command" not in asked(network)
        assert held(network) == ([6], [6], [6])


async def test_a_command_about_what_the_gateways_have_not(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        (session,) = network.host.elements["pgw"].core.sessions.values()
        network.host.elements["pgw"].core.close_bearer(session, session.bearers["alarm"])
        phone.up("e-rab-release-indication", e_rab_released_list=(FAILED,))
        await network.settle()
        assert held(network) == ([], [], [])
        await network.sleep(20)
        assert asked(network).count("delete-bearer-command") == 1


async def test_a_command_that_nobody_answers_leaves_no_bearer_here(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)

        async def ignore(_message: Any, _peer: Any) -> None:
            """The SGW does not hear."""

        network.host.elements["sgw"].core.node._handlers["delete-bearer-command"] = ignore
        phone.up("e-rab-release-indication", e_rab_released_list=(FAILED,))
        await network.settle()
        assert held(network)[0] == [6]
        await network.sleep(20)
        assert held(network) == ([], [6], [6])
        assert network.session() is not None
        assert any(each.startswith("what was asked was not confirmed") for each in network.notes())


async def test_the_identity_of_a_bearer_is_free_when_the_device_has_given_it_up(run: Any) -> None:
    async with run() as network:
        await network.attached()
        pgw = network.host.elements["pgw"]
        for _ in range(2):
            assert (await put(network))["ebi"] == 6
            (session,) = pgw.core.sessions.values()
            await pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{session.apn}/bearers/alarm")
            await network.settle()
            assert held(network) == ([], [], [])


async def test_the_end_of_a_session_ends_its_bearers(run: Any) -> None:
    async with run() as network:
        await network.attached()
        await put(network)
        pgw = network.host.elements["pgw"]
        await pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        assert (pgw.census(), network.host.elements["sgw"].census()) == (
            {"sessions": 0, "EPS bearers": 0},
            {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0},
        )
        assert network.session() is None


async def test_an_idle_device_is_paged_for_a_bearer_and_told_of_an_end_at_its_contact(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.idle()
        await network.settle()
        network.host.clock.call_later(1, phone.service)
        assert (await put(network))["ebi"] == 6
        assert "paging" in network.enb.names()
        phone.idle()
        await network.settle()
        count = phone.types().count(_END)
        pgw = network.host.elements["pgw"]
        (session,) = pgw.core.sessions.values()
        await pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{session.apn}/bearers/alarm")
        assert phone.types().count(_END) == count
        phone.service()
        await network.settle()
        items = network.enb.last("initial-context-setup-request")["e_rab_to_be_setup_list_ctxt_su_req"]
        assert [each.e_rab_id for each in items] == [5]


async def test_a_device_that_is_not_there_gets_none(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.idle()
        await network.settle()
        told = await refused(network)
        assert "no answer" in told or "UNABLE_TO_PAGE_UE" in told
        await network.sleep(30)
        assert held(network) == ([], [], [])


@pytest.mark.parametrize("rates", [(64, 0, 64, 0), (0, 64, 0, 64)])
def test_a_rate_of_one_direction_alone_is_told_to_the_base_station(rates: tuple[int, int, int, int]) -> None:
    mbr_uplink, mbr_downlink, gbr_uplink, gbr_downlink = rates
    told = s1.quality(BearerQos(3, Arp(), mbr_uplink, mbr_downlink, gbr_uplink, gbr_downlink))
    assert told.gbr_qos_information is not None
    assert told.gbr_qos_information.guaranteed_bitrate_ul == gbr_uplink * 1000
    assert told.gbr_qos_information.guaranteed_bitrate_dl == gbr_downlink * 1000
    assert s1.quality(BearerQos(9)).gbr_qos_information is None
