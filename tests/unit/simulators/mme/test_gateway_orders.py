"""What gateways order of an MME about sessions and bearers that there are not, or not yet, or in part; and odd eNBs."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, ClassVar

import pytest
from gateways import Scripted

from simwarden.testing.diameter import IMSI
from simwarden.wire import gtpv2, s1ap
from simwarden.wire.gtpv2 import Ambr, Cause, CauseIe, ChangeReportingAction
from simwarden.wire.nas.enums import EsmCause, MessageType, NetworkDetachType
from simwarden.wire.nas.message import Message
from simwarden.wire.s1ap.values import ErabItem, ErabTunnel

from .test_dedicated_bearers import FAILED, QOS, held, put
from .test_gateways import asked
from .test_pdn_connectivity import connect, connected, subscribe

_T = MessageType
_ASK, _MODIFY = _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST, _T.MODIFY_EPS_BEARER_CONTEXT_REQUEST
UDP = bytes.fromhex("2130000230 11")


def context(network: Any, tft: bytes = UDP, teid: int = 0x99) -> dict[str, Any]:
    """A bearer that an SGW orders."""
    end = network.host.elements["sgw"].core.user_end(gtpv2.InterfaceType.S1_U_SGW_GTP_U, teid)
    return {"ebi": 0, "bearer_tft": tft, "bearer_qos": QOS, "s1_u_sgw": end}


def order(network: Any, name: str, ies: dict[str, Any], teid: int | None = None) -> asyncio.Future[gtpv2.Message]:
    """Let the SGW order something."""
    core = network.host.elements["sgw"].core
    if teid is None:
        teid = core.devices[IMSI].mme.teid
    about: int = teid
    return asyncio.ensure_future(
        core.node.ask(gtpv2.Message(name, ies, about), network.mme.core.gateways.node.address, "S11")
    )


def orders(network: Any) -> dict[str, dict[str, Any]]:
    """One of each kind."""
    changed = {"ebi": 5, "bearer_qos": QOS}
    return {
        "downlink-data-notification": {"ebi": 5},
        "create-bearer-request": {"linked_ebi": 5, "bearer_contexts": (context(network),)},
        "update-bearer-request": {"bearer_contexts": (changed,), "apn_ambr": Ambr(1, 1)},
        "delete-bearer-request": {"linked_ebi": 5},
    }


async def test_orders_that_come_before_the_session_are_about_nothing(run: Any) -> None:
    told: dict[str, asyncio.Future[gtpv2.Message]] = {}
    async with run() as network:
        node = network.host.elements["sgw"].core.node

        async def refuse(message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
            teid = message["sender_f_teid"].teid
            for name, ies in orders(network).items():
                told[name] = order(network, name, ies, teid)
            await network.sleep(1)
            return gtpv2.refusal(message, CauseIe(Cause.NO_RESOURCES_AVAILABLE), teid)

        node._handlers["create-session-request"] = refuse
        network.phone().attach()
        await network.sleep(2)
        assert {name: (each.result().cause, each.result().teid) for name, each in told.items()} == dict.fromkeys(
            orders(network), (Cause.CONTEXT_NOT_FOUND, 0)
        )
        assert "paging" not in network.enb.names()


@pytest.mark.parametrize("name", ["create-bearer-request", "delete-bearer-request"])
async def test_an_order_about_another_session_is_answered_to_the_sgws_tunnel(run: Any, name: str) -> None:
    async with run() as network:
        await network.attached()
        own = network.host.elements["sgw"].core.devices[IMSI].teid
        told = await order(network, name, orders(network)[name] | {"linked_ebi": 9})
        assert (told.cause, told.teid) == (Cause.CONTEXT_NOT_FOUND, own)
        assert network.session() is not None
        for kind, ies in orders(network).items():
            told = await order(network, kind, ies, 0xDEAD)
            assert (told.cause, told.teid) == (Cause.CONTEXT_NOT_FOUND, 0)


async def test_an_end_that_names_no_bearer_ends_none(run: Any) -> None:
    async with run() as network:
        await network.attached()
        told = await order(network, "delete-bearer-request", {})
        assert told.cause == Cause.CONDITIONAL_IE_MISSING
        assert network.session() is not None


@pytest.mark.parametrize(("octets", "stands"), [(255, True), (256, False)])
async def test_of_two_bearers_one_has_more_packet_filters_than_nas_can_carry(
    run: Any, octets: int, *, stands: bool
) -> None:
    async with run() as network:
        phone = await network.attached()
        long = UDP + bytes(octets - len(UDP))
        contexts = context(network, long), context(network, teid=0x9A)
        told = await order(network, "create-bearer-request", {"linked_ebi": 5, "bearer_contexts": contexts})
        causes = [each["cause"].value for each in told["bearer_contexts"]]
        first = Cause.REQUEST_ACCEPTED if stands else Cause.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION
        assert causes == [first, Cause.REQUEST_ACCEPTED]
        assert told.cause == (Cause.REQUEST_ACCEPTED if stands else Cause.REQUEST_ACCEPTED_PARTIALLY)
        assert phone.types().count(_ASK) == 1 + stands
        changed = {"ebi": 6, "bearer_tft": long}
        ies = {"bearer_contexts": (changed,), "apn_ambr": network.mme.core.by_imsi[IMSI].bearer.ambr}
        told = await order(network, "update-bearer-request", ies)
        (answer,) = told["bearer_contexts"]
        assert answer["cause"].value == first
        assert phone.types().count(_MODIFY) == stands


async def test_a_session_that_ends_between_two_of_its_bearers_gets_no_second(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_ASK] = lambda *_: None
        contexts = context(network), context(network, teid=0x9A)
        asked_for = order(network, "create-bearer-request", {"linked_ebi": 5, "bearer_contexts": contexts})
        await network.settle()
        gone = network.mme.core.by_imsi[IMSI].bearers.pop(5)
        phone.send(Message(_T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=6))
        told = await asked_for
        assert [each["cause"].value for each in told["bearer_contexts"]] == [
            Cause.REQUEST_ACCEPTED,
            Cause.NO_RESOURCES_AVAILABLE,
        ]
        network.mme.core.by_imsi[IMSI].bearers[5] = gone


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.REACTIVATION_REQUESTED, NetworkDetachType.RE_ATTACH_REQUIRED),
        (Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED, NetworkDetachType.RE_ATTACH_NOT_REQUIRED),
    ],
)
async def test_a_device_whose_session_ended_comes_back_if_it_may(
    run: Any, cause: Cause, kind: NetworkDetachType
) -> None:
    async with run() as network:
        phone = await network.attached()
        assert (await order(network, "delete-bearer-request", {"linked_ebi": 5, "cause": CauseIe(cause)})).accepted
        await network.settle()
        (told,) = [each for each in phone.got if each.type is _T.DETACH_REQUEST]
        assert told["detach_type"] == kind


@pytest.mark.parametrize(
    ("cause", "esm"),
    [
        (Cause.REACTIVATION_REQUESTED, EsmCause.REACTIVATION_REQUESTED),
        (Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED, EsmCause.REGULAR_DEACTIVATION),
    ],
)
async def test_one_of_two_connections_is_asked_for_again_if_it_may(run: Any, cause: Cause, esm: EsmCause) -> None:
    async with run() as network:
        phone = await connected(network)
        assert (await order(network, "delete-bearer-request", {"linked_ebi": 6, "cause": CauseIe(cause)})).accepted
        await network.settle()
        told = phone.got[-1]
        assert (told.type, told["esm_cause"]) == (_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST, esm)
        assert network.session() is not None


class Stranger(Scripted):
    """A node of GTP that is no gateway of this MME's."""

    interfaces: ClassVar[tuple[str, ...]] = ("S11",)


async def test_a_stranger_that_restarts_has_lost_no_sessions(run: Any) -> None:
    network = run()
    stranger = network.add("stranger", Stranger)
    async with network:
        await network.attached()
        for counter in (1, 2):
            echo = gtpv2.encode(gtpv2.Message("echo-request", {"recovery": counter}, sequence=counter))
            stranger.endpoint.send(echo, (network.mme.core.gateways.node.address, 2123), on="S11")
            await network.settle()
        assert network.session() is not None


@pytest.mark.parametrize("name", ["create-bearer-request", "update-bearer-request", "delete-bearer-request"])
async def test_an_order_of_another_node_than_the_sgw_is_refused(run: Any, name: str) -> None:
    network = run()
    stranger = network.add("stranger", Stranger)
    async with network:
        await network.attached()
        (ue,) = network.mme.core.by_imsi.values()
        asked = gtpv2.Message(name, orders(network)[name], ue.s11_teid, 7)
        stranger.endpoint.send(gtpv2.encode(asked), (network.mme.core.gateways.node.address, 2123), on="S11")
        await network.settle()
        assert [each.cause for each in stranger.messages()] == [Cause.INVALID_PEER]
        assert (len(ue.bearers), len(ue.all_bearers)) == (1, 1)


# -- orders about a device that is busy, or goes


def create(network: Any, teid: int = 0x99) -> asyncio.Future[gtpv2.Message]:
    """Let the SGW order a bearer beside the default one."""
    ies = {"linked_ebi": 5, "bearer_contexts": (context(network, teid=teid),)}
    return order(network, "create-bearer-request", ies)


async def test_a_bearer_waits_for_a_procedure_of_mobility_management(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_T.TRACKING_AREA_UPDATE_ACCEPT] = None
        ksi = phone.security.ksi
        fields = {"eps_update_type": 0, "nas_key_set_identifier": ksi, "old_guti": phone.guti}
        phone.send(Message(_T.TRACKING_AREA_UPDATE_REQUEST, **fields))
        await network.settle()
        told = create(network)
        await network.settle()
        assert phone.got[-1].type is _T.TRACKING_AREA_UPDATE_ACCEPT
        phone.take_again(phone.got[-1])
        await network.settle()
        assert phone.got[-1].type is _ASK
        assert (await told).accepted


async def test_two_bearers_are_under_way_beside_one_another_and_one_that_ends_keeps_its_number(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_ASK] = None
        both = create(network), create(network, 0x9A)
        await network.settle()
        asked_for = [each for each in phone.got if each.type is _ASK]
        assert [each["eps_bearer_identity"] for each in asked_for] == [6, 7]
        for each in asked_for:
            phone.take_again(each)
        assert [(await each).accepted for each in both] == [True, True]
        phone.replies = {_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST: None}
        order(network, "delete-bearer-request", {"ebis": (6,)})
        await network.settle()
        (made,) = (await create(network, 0x9B))["bearer_contexts"]
        assert made["ebi"] == 8, "the device has not heard of the end of 6"


async def test_orders_that_wait_for_the_radio_of_a_service_request_go_on_at_once(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.enb.auto = False
        phone.service()
        await network.settle()
        both = create(network), create(network, 0x9A)
        await network.settle()
        assert phone.types() == [_T.IDENTITY_REQUEST]
        network.enb.auto = True
        network.enb.receive(s1ap.encode(network.enb.last("initial-context-setup-request")), 1)
        await network.settle()
        assert phone.types()[1:] == [_ASK, _ASK]
        assert [each.result().accepted for each in both] == [True, True]


async def test_a_bearer_of_a_device_that_goes_meanwhile_finds_it_not_responding(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_ASK] = None
        told = create(network)
        await network.settle()
        phone.idle()
        assert (await told).cause == Cause.UE_NOT_RESPONDING


@pytest.mark.parametrize("takes", [True, False])
async def test_a_device_answers_before_its_enb_does(run: Any, *, takes: bool) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        told = create(network)
        await network.settle()
        if takes:
            phone.send(Message(_T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=6))
            await network.settle()
            phone.up("e-rab-setup-response", e_rab_failed_to_setup_list_bearer_su_res=(FAILED,))
        else:
            kind = _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT
            phone.send(Message(kind, eps_bearer_identity=6, esm_cause=EsmCause.PROTOCOL_ERROR_UNSPECIFIED))
        await network.settle()
        assert told.result().cause == (Cause.NO_RESOURCES_AVAILABLE if takes else Cause.UE_REFUSES)
        assert ("e-rab-release-command" in network.enb.names()) != takes
        assert "the eNB has not set a bearer up" not in network.notes(), "that would be a PDN connection"


async def test_of_changes_what_is_as_it_was_is_told_to_nobody(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        ambr = network.mme.core.by_imsi[IMSI].bearer.ambr
        contexts = ({"ebi": 9, "bearer_qos": QOS}, {"ebi": 5})
        told = await order(network, "update-bearer-request", {"bearer_contexts": contexts, "apn_ambr": ambr})
        assert told.cause == Cause.REQUEST_ACCEPTED_PARTIALLY
        assert [each["cause"].value for each in told["bearer_contexts"]] == [
            Cause.CONTEXT_NOT_FOUND,
            Cause.REQUEST_ACCEPTED,
        ]
        assert _MODIFY not in phone.types()


async def test_a_rate_that_the_device_refuses_is_not_its_connections(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        bearer = network.mme.core.by_imsi[IMSI].bearer
        former, kind = bearer.ambr, _T.MODIFY_EPS_BEARER_CONTEXT_REJECT
        refusal = Message(kind, eps_bearer_identity=5, esm_cause=EsmCause.INSUFFICIENT_RESOURCES)
        phone.replies[_MODIFY] = lambda phone, _: phone.send(refusal)
        ies = {"bearer_contexts": ({"ebi": 5},), "apn_ambr": Ambr(1, 1)}
        told = await order(network, "update-bearer-request", ies)
        assert (told.cause, bearer.ambr) == (Cause.NO_RESOURCES_AVAILABLE, former)
        del phone.replies[_MODIFY]
        assert (await order(network, "update-bearer-request", ies)).accepted
        assert bearer.ambr == Ambr(1, 1)


async def test_a_bearer_that_the_radio_has_lost_is_given_up_once_and_alone(run: Any) -> None:
    async with run(reallocate_guti_at_update=False) as network:
        phone = await network.attached()
        await put(network)

        async def ignore(_message: Any, _peer: Any) -> None:
            """The SGW does not hear."""

        network.host.elements["sgw"].core.node._handlers["delete-bearer-command"] = ignore
        lost = tuple(ErabItem(number, FAILED.cause) for number in (5, 6, 9))
        phone.up("e-rab-release-indication", e_rab_released_list=lost)
        await network.settle()
        fields = {"eps_update_type": 0, "nas_key_set_identifier": phone.security.ksi, "old_guti": phone.guti}
        phone.send(Message(_T.TRACKING_AREA_UPDATE_REQUEST, **fields, eps_bearer_context_status=(5,)))
        await network.settle()
        assert phone.got[-1].type is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert asked(network).count("delete-bearer-command") == 1
        assert network.mme.core.by_imsi[IMSI].bearer.enb is not None


async def test_reports_of_places_are_ordered_of_what_is_changed_and_last_until_they_are_ended(run: Any) -> None:
    async with run() as network:
        await network.attached()
        bearer = network.mme.core.by_imsi[IMSI].bearer
        both: tuple[dict[str, Any], ...] = ({"ebi": 9, "bearer_qos": QOS}, {"ebi": 5})
        for contexts, action, ordered in (
            (both[:1], ChangeReportingAction.START_REPORTING_TAI_AND_ECGI, False),
            (both, ChangeReportingAction.START_REPORTING_TAI_AND_ECGI, True),
            (both[1:], None, True),
            (both[1:], ChangeReportingAction.STOP_REPORTING, False),
        ):
            reports = {} if action is None else {"change_reporting_action": action}
            ies = {"bearer_contexts": contexts, "apn_ambr": bearer.ambr} | reports
            told = await order(network, "update-bearer-request", ies)
            assert bearer.reported == ordered
            assert ("user_location_information" in told.ies) == (contexts != both[:1])


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (False, ChangeReportingAction.START_REPORTING_TAI_AND_ECGI, True),
        (True, None, True),
        (True, ChangeReportingAction.STOP_REPORTING, False),
    ],
)
async def test_the_answer_to_a_modification_orders_reports_of_places_and_ends_them(
    run: Any, action: ChangeReportingAction | None, *, before: bool, after: bool
) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        bearer = network.mme.core.by_imsi[IMSI].bearer
        bearer.reported = before
        handlers = network.host.elements["sgw"].core.node._handlers
        modify = handlers["modify-bearer-request"]

        async def answer(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
            told: gtpv2.Message = await modify(message, peer)
            told.ies |= {"change_reporting_action": action} if action is not None else {}
            return told

        handlers["modify-bearer-request"] = answer
        phone.service()
        await network.settle()
        assert bearer.reported == after
        assert network.mme.core.by_imsi[IMSI].connection.reports == after
        assert ("location-reporting-control" in network.enb.names()) == (before or after)


# -- eNBs that say too much


def failures(phone: Any) -> None:
    """Let an eNB say, for once more, what it has not done about bearer 6, and what it has lost."""
    phone.up("e-rab-setup-response", e_rab_failed_to_setup_list_bearer_su_res=(FAILED,))
    phone.up("e-rab-modify-response", e_rab_failed_to_modify_list=(FAILED,))


async def test_an_enb_that_fails_what_stands_changes_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        failures(phone)
        await network.settle()
        assert held(network) == ([6], [6], [6])
        assert network.session() is not None


async def test_an_enb_that_says_something_about_bearers_of_nobody_is_not_heard(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.guti = dataclasses.replace(phone.guti, m_tmsi=phone.guti.m_tmsi ^ 1)
        network.enb.auto = False  # the release of a connection without a context is not confirmed
        phone.service()
        await network.settle()
        assert network.enb.names()[-1] == "ue-context-release-command"
        failures(phone)
        phone.up("e-rab-release-indication", e_rab_released_list=(FAILED,))
        await network.settle()
        assert "delete-bearer-command" not in asked(network)
        assert "error-indication" not in network.enb.names()


async def test_an_enb_that_tells_of_a_bearer_as_its_connection_is_released_is_not_heard(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        network.enb.auto = False
        phone.idle()
        await network.settle()
        phone.up("e-rab-release-indication", e_rab_released_list=(ErabItem(6, FAILED.cause),))
        await network.settle()
        assert "delete-bearer-command" not in asked(network)
        assert held(network) == ([6], [6], [6])


async def test_a_bearer_that_the_device_takes_and_the_enb_never_sets_up_does_not_stand(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        phone.replies[_ASK] = None
        told = order(network, "create-bearer-request", {"linked_ebi": 5, "bearer_contexts": (context(network),)})
        await network.settle()
        phone.send(Message(_T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=6))
        await network.sleep(8.5)
        assert told.result().cause == Cause.NO_RESOURCES_AVAILABLE
        assert network.mme.core.by_imsi[IMSI].bearer.dedicated == {}


async def test_a_bearer_waits_for_the_radio_bearer_of_its_connection(run: Any) -> None:
    async with run() as network:
        subscribe(network, "meters.example", "service.example")
        phone = await network.attached_idle()
        first = order(network, "create-bearer-request", {"linked_ebi": 5, "bearer_contexts": (context(network),)})
        await network.settle()
        phone.service()
        assert (await first).accepted
        network.enb.auto = False
        connect(phone)
        await network.settle()
        phone.send(Message(_T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=7))
        second = order(network, "create-bearer-request", {"linked_ebi": 7, "bearer_contexts": (context(network),)})
        await network.sleep(1)
        phone.up("e-rab-setup-response", e_rab_setup_list_bearer_su_res=(ErabTunnel(7, bytes([192, 0, 2, 9]), 79),))
        network.enb.auto = True
        await network.sleep(8)
        told = second.result()
        assert [each["ebi"] for each in told["bearer_contexts"]] == [8]
