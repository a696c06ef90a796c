"""Handover and path switch with eNBs that leave out, repeat, hurry or contradict themselves (TS 36.413 8.4, 10.3.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from odd_enb import without

from simulators.mme.dispatch.s1 import receive
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.wire import gtpv2, s1ap
from simwarden.wire.gtpv2 import Cause
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.s1ap import CauseMisc, CauseProtocol, CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.values import (
    BearerSubjectToStatusTransfer,
    CountValue,
    EnbStatusTransferContainer,
    ErabAdmitted,
    ErabTunnel,
    GlobalEnbId,
    HomeEnbId,
    MacroEnbId,
    SupportedTa,
    TargetEnbId,
    UeAssociatedLogicalS1Connection,
    UeSecurityCapabilities,
)

from .test_gateways import asked
from .test_pdn_connectivity import connect, subscribe

PLMN = Plmn("001", "01")
TAI, HERE, THERE = Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1), Ecgi(PLMN, 2 << 8 | 1)
TARGET = TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(2)), TAI)
COUNTS = EnbStatusTransferContainer((BearerSubjectToStatusTransfer(5, CountValue(1, 0), CountValue(2, 0)),))
FORWARDED = ErabAdmitted(5, bytes([192, 0, 2, 8]), 3, bytes([192, 0, 2, 8]), 4)
_Radio = CauseRadioNetwork


def required(phone: Any, **ies: Any) -> dict[str, Any]:
    """Return the elements of a HANDOVER REQUIRED to the other eNB."""
    return {
        "mme_ue_s1ap_id": phone.mme_id,
        "enb_ue_s1ap_id": phone.enb_id,
        "handover_type": HandoverType.INTRALTE,
        "cause": _Radio.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        "target_id": TARGET,
        "source_to_target_transparent_container": b"from source",
    } | ies


def admitted(network: Any, *bearers: ErabAdmitted, **ies: Any) -> dict[str, Any]:
    """Return the elements of a HANDOVER REQUEST ACKNOWLEDGE."""
    return {
        "mme_ue_s1ap_id": network.enb2.last("handover-request")["mme_ue_s1ap_id"],
        "enb_ue_s1ap_id": 500,
        "e_rab_admitted_list": bearers or (ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),),
        "target_to_source_transparent_container": b"from target",
    } | ies


def arrived(network: Any, **ies: Any) -> dict[str, Any]:
    """Return the elements of a HANDOVER NOTIFY."""
    mme_id = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
    return {"mme_ue_s1ap_id": mme_id, "enb_ue_s1ap_id": 500, "eutran_cgi": THERE, "tai": TAI} | ies


def in_one_moment(network: Any, *messages: tuple[str, dict[str, Any]]) -> None:
    """Let messages of the target be taken one after the other, as from one packet of SCTP."""
    core = network.mme.core
    (enb,) = [each for each in core.enbs.values() if each.identity == 2]
    for name, ies in messages:
        receive(core, enb, s1ap.encode(s1ap.Message(name, ies)), 1)


async def prepared(network: Any) -> Any:
    """Let a device attach, and the other eNB be asked to take it."""
    phone = await network.attached()
    network.enb.send("handover-required", **required(phone))
    await network.settle()
    return phone


async def commanded(network: Any, *bearers: ErabAdmitted) -> Any:
    """Let a handover come as far as the command to the device."""
    phone = await prepared(network)
    network.enb2.send("handover-request-acknowledge", **admitted(network, *bearers))
    await network.settle()
    assert "error-indication" not in network.enb2.names()
    return phone


async def test_no_handover_to_another_radio_network(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.send("handover-required", **required(phone, handover_type=HandoverType.LTETOUTRAN))
        await network.settle()
        assert network.enb.last("handover-preparation-failure")["cause"] is _Radio.UNKNOWN_TARGET_ID


async def test_a_home_enb_is_the_base_station_that_its_cell_identity_says(run: Any) -> None:
    """A home eNB has 28 bits of identity, which are its cell (TS 36.413 9.2.1.37); 20 of them are the station."""
    async with run() as network:
        home = GlobalEnbId(PLMN, HomeEnbId(THERE.cell_identity))
        network.enb2.send(
            "s1-setup-request",
            global_enb_id=home,
            supported_tas=(SupportedTa(1, (PLMN,)),),
            default_paging_drx=s1ap.PagingDrx.V64,
        )
        body = {"cells": [str(HERE), str(THERE)], "approver": "Li Na", "reason": "two cells", "form": "F-1"}
        await network.mme.manage(Role.OPERATOR, "PUT", "/cards/001010000000001/area", body)
        phone = await network.attached()
        network.enb.send("handover-required", **required(phone, target_id=TargetEnbId(home, TAI)))
        await network.settle()
        assert "handover-request" in network.enb2.names()


async def test_a_source_that_does_not_say_why(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.link.send(without("handover-required", "cause", **required(phone)))
        await network.settle()
        assert network.enb2.last("handover-request")["cause"] is _Radio.UNSPECIFIED


async def test_a_device_that_has_not_said_who_it_is_is_not_handed_over(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.replies[MessageType.IDENTITY_REQUEST] = None
        stranger = replace(phone.guti, m_tmsi=7)
        phone.security = None
        phone.attach(eps_mobile_identity=MobileIdentity(IdentityType.GUTI, stranger))
        await network.settle()
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        cause = _Radio.INTERACTION_WITH_OTHER_PROCEDURE
        assert network.enb.last("handover-preparation-failure")["cause"] is cause


# -- what the target answers


async def test_another_enb_does_not_answer_for_the_target(run: Any) -> None:
    async with run() as network:
        await prepared(network)
        network.enb.send("handover-request-acknowledge", **admitted(network))
        await network.settle()
        assert "handover-command" not in network.enb.names()
        assert network.enb.last("error-indication")["cause"] is CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE


@pytest.mark.parametrize("left_out", ["mme_ue_s1ap_id", "enb_ue_s1ap_id"])
async def test_an_answer_without_its_numbers_is_none(run: Any, left_out: str) -> None:
    async with run() as network:
        await prepared(network)
        network.enb2.link.send(without("handover-request-acknowledge", left_out, **admitted(network)))
        await network.settle()
        assert "handover-command" not in network.enb.names()
        assert network.enb2.names()[-1] == "error-indication"
        network.enb2.send("handover-request-acknowledge", **admitted(network))
        await network.settle()
        assert "handover-command" in network.enb.names()


async def test_an_answer_that_lists_no_bearer_moves_none(run: Any) -> None:
    async with run() as network:
        await prepared(network)
        network.enb2.link.send(without("handover-request-acknowledge", "e_rab_admitted_list", **admitted(network)))
        await network.settle()
        assert "handover-command" in network.enb.names()
        assert network.session()["cell"] == str(HERE)


async def test_a_second_answer_in_the_same_moment_changes_nothing(run: Any) -> None:
    async with run() as network:
        await prepared(network)
        in_one_moment(
            network,
            *(("handover-request-acknowledge", admitted(network, enb_ue_s1ap_id=number)) for number in (500, 501)),
        )
        await network.settle()
        assert network.enb.names().count("handover-command") == 1
        network.enb2.send("handover-notify", **arrived(network))
        await network.settle()
        assert network.session()["cell"] == str(THERE)


@pytest.mark.parametrize(
    "bearer",
    [
        ErabAdmitted(5, bytes([192, 0, 2, 8]), 3, bytes([192, 0, 2, 8]), None),
        ErabAdmitted(5, bytes([192, 0, 2, 8]), 3, None, 4),
        ErabAdmitted(9, bytes([192, 0, 2, 8]), 3, bytes([192, 0, 2, 8]), 4),
    ],
)
async def test_nothing_is_forwarded_by_half_an_end_or_for_a_bearer_that_is_not_there(run: Any, bearer: Any) -> None:
    async with run() as network:
        await commanded(network, bearer)
        assert network.enb.last("handover-command").get("e_rab_subject_to_data_forwarding_list") is None
        assert "create-indirect-data-forwarding-tunnel" not in asked(network)


async def test_a_target_that_takes_none_of_the_bearers_leaves_the_last_one(run: Any) -> None:
    async with run() as network:
        await commanded(network, ErabAdmitted(9, bytes([192, 0, 2, 8]), 3))
        network.enb2.send("handover-notify", **arrived(network))
        await network.settle()
        assert network.session()["cell"] == str(THERE)
        assert [each.identity for each in network.mme.core.by_imsi["001010000000001"].bearers.values()] == [5]


# -- the device comes, or does not


async def test_a_device_that_comes_before_the_command_went(run: Any) -> None:
    async with run() as network:
        phone = await prepared(network)
        in_one_moment(
            network, ("handover-request-acknowledge", admitted(network)), ("handover-notify", arrived(network))
        )
        await network.settle()
        assert network.session()["cell"] == str(THERE)
        assert phone.released == [_Radio.SUCCESSFUL_HANDOVER]


@pytest.mark.parametrize(("left_out", "cell", "tai"), [("eutran_cgi", HERE, TAI), ("tai", THERE, TAI)])
async def test_a_target_that_does_not_say_where_the_device_is(run: Any, left_out: str, cell: Ecgi, tai: Tai) -> None:
    async with run() as network:
        await commanded(network)
        network.enb2.link.send(without("handover-notify", left_out, **arrived(network)))
        await network.settle()
        session = network.session()
        assert (session["cell"], session["tai"]) == (str(cell), str(tai))


async def test_a_handover_given_up_before_the_target_has_answered(run: Any) -> None:
    async with run() as network:
        phone = await prepared(network)
        phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        await network.settle()
        assert network.enb2.last("ue-context-release-command")["cause"] is _Radio.HANDOVER_CANCELLED
        assert "handover-cancel-acknowledge" in network.enb.names()


async def test_a_handover_given_up_is_prepared_no_more_and_ends_no_later_one(run: Any) -> None:
    async with run(timers={"handover": 10}) as network:
        phone = await prepared(network)
        phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        network.enb2.send("handover-request-acknowledge", **admitted(network))
        await network.settle()
        assert "handover-command" not in network.enb.names()
        for _ in range(2):  # the first is given up after its command, the second 8 s later
            network.enb.send("handover-required", **required(phone))
            await network.settle()
            network.enb2.send("handover-request-acknowledge", **admitted(network))
            await network.settle()
            if network.enb.names().count("handover-command") == 1:
                phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
                await network.sleep(8)
        await network.sleep(4)
        assert "handover was not completed" not in network.notes()
        phone.up("enb-status-transfer", enb_status_transfer_transparent_container=COUNTS)
        await network.settle()
        assert network.enb2.names()[-1] == "mme-status-transfer"
        network.enb2.send("handover-notify", **arrived(network))
        await network.sleep(20)
        assert "handover was not completed" not in network.notes()
        assert (network.session()["cell"], network.session()["state"]) == (str(THERE), "connected")
        assert len(network.mme.core.connections) == 1


async def test_no_second_handover_beside_a_first_or_beside_session_management(run: Any) -> None:
    async with run() as network:
        subscribe(network, "meters.example", "service.example")
        phone = await prepared(network)
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        await network.settle()
        phone.replies[MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST] = None
        connect(phone, "service.example")
        await network.settle()
        assert phone.got[-1].type is MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        refused = [each["cause"] for each in network.enb.seen if each.name == "handover-preparation-failure"]
        assert refused == [_Radio.INTERACTION_WITH_OTHER_PROCEDURE] * 2
        assert network.enb2.names().count("handover-request") == 1


@pytest.mark.parametrize("answer", ["failure", "silence"])
async def test_after_a_target_that_does_not_admit_a_handover_may_be_tried_again(run: Any, answer: str) -> None:
    async with run(timers={"handover": 10}) as network:
        phone = await prepared(network)
        number = arrived(network)["mme_ue_s1ap_id"]
        if answer == "failure":
            network.enb2.send("handover-failure", mme_ue_s1ap_id=number, cause=_Radio.UNSPECIFIED)
        await network.sleep(11)
        released = [each["cause"] for each in network.enb2.seen if each.name == "ue-context-release-command"]
        assert released == ([_Radio.TS1RELOCPREP_EXPIRY] if answer == "silence" else [])
        assert network.enb.names().count("handover-preparation-failure") == 1
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        assert network.enb2.names().count("handover-request") == 2


@pytest.mark.parametrize("how", ["ue-context-release-complete", "reset"])
async def test_a_target_that_lets_the_device_go_by_itself_is_not_told_to(run: Any, how: str) -> None:
    async with run(timers={"handover": 10}) as network:
        phone = await commanded(network)
        ids = {"mme_ue_s1ap_id": arrived(network)["mme_ue_s1ap_id"], "enb_ue_s1ap_id": 500}
        listed = (UeAssociatedLogicalS1Connection(ids["mme_ue_s1ap_id"], 500),)
        kind = {"cause": CauseMisc.HARDWARE_FAILURE, "reset_type": listed}
        network.enb2.send(how, **(kind if how == "reset" else ids))
        await network.sleep(20)
        assert "ue-context-release-command" not in network.enb2.names()
        assert network.session()["state"] == "connected"
        phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        assert network.enb2.names().count("handover-request") == 2


async def test_tunnels_of_a_handover_that_is_given_up_as_they_are_opened_are_closed(run: Any) -> None:
    async with run() as network:
        handlers = network.sgw.core.node._handlers
        opens = handlers["create-indirect-data-forwarding-tunnel-request"]

        async def late(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
            await network.clock.sleep(1)
            return cast("gtpv2.Message", await opens(message, peer))

        handlers["create-indirect-data-forwarding-tunnel-request"] = late
        phone = await commanded(network, FORWARDED)
        assert "handover-command" not in network.enb.names()
        phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        await network.sleep(2)
        assert asked(network)[-1] == "delete-indirect-data-forwarding-tunnel"
        assert "handover-command" not in network.enb.names()


async def test_tunnels_for_packets_end_in_time_also_after_another_handover_that_needs_none(run: Any) -> None:
    async with run(timers={"forwarding": 5}) as network:
        phone = await commanded(network, FORWARDED)
        listed = network.enb.last("handover-command")["e_rab_subject_to_data_forwarding_list"]
        assert [each.e_rab_id for each in listed] == [5]
        network.enb2.send("handover-notify", **arrived(network))
        await network.settle()
        ids = {"mme_ue_s1ap_id": arrived(network)["mme_ue_s1ap_id"], "enb_ue_s1ap_id": 500}
        back = TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(1)), TAI)
        network.enb2.send("handover-required", **required(phone, target_id=back, **ids))
        await network.settle()
        numbers = {"mme_ue_s1ap_id": network.enb.last("handover-request")["mme_ue_s1ap_id"], "enb_ue_s1ap_id": 70}
        network.enb.send("handover-request-acknowledge", **admitted(network, **numbers))
        await network.settle()
        network.enb.send("handover-notify", **arrived(network, **numbers, eutran_cgi=HERE))
        await network.settle()
        assert network.session()["cell"] == str(HERE)
        tunnels = network.sgw.census()["tunnels"]
        await network.sleep(5)
        assert network.sgw.census()["tunnels"] == tunnels - 1
        assert asked(network).count("delete-indirect-data-forwarding-tunnel") == 1


@pytest.mark.parametrize("ready", [False, True])
async def test_counters_go_to_nobody_before_there_is_a_target(run: Any, ready: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await (prepared(network) if ready else network.attached())
        phone.up("enb-status-transfer", enb_status_transfer_transparent_container=COUNTS)
        await network.settle()
        assert "mme-status-transfer" not in network.enb2.names()
        assert network.session()["state"] == "connected"


# -- path switch


def switch(phone: Any, number: int = 600, **ies: Any) -> dict[str, Any]:
    """Return the elements of a PATH SWITCH REQUEST."""
    return {
        "enb_ue_s1ap_id": number,
        "e_rab_to_be_switched_dl_list": (ErabTunnel(5, bytes([192, 0, 2, 8]), 9),),
        "source_mme_ue_s1ap_id": phone.mme_id,
        "eutran_cgi": THERE,
        "tai": TAI,
        "ue_security_capabilities": UeSecurityCapabilities(0xC000, 0xC000),
    } | ies


async def area(network: Any, *cells: str) -> None:
    """Give the card an area."""
    body = {"cells": list(cells), "approver": "Li Na", "reason": "two cells", "form": "F-1"}
    await network.mme.manage(Role.OPERATOR, "PUT", "/cards/001010000000001/area", body)


async def test_a_path_that_is_switched_leaves_the_former_enb_with_nothing(run: Any) -> None:
    async with run() as network:
        network.enb2.setup(tac=2)
        phone = await network.attached()
        network.enb2.send("path-switch-request", **switch(phone, tai=Tai(PLMN, 2)))
        await network.settle()
        assert (network.session()["cell"], network.session()["tai"]) == (str(THERE), "001-01-0002")
        for enb, number, state in ((network.enb, phone.enb_id, "connected"), (network.enb2, 600, "idle")):
            listed = (UeAssociatedLogicalS1Connection(None, number),)
            enb.send("reset", cause=CauseMisc.HARDWARE_FAILURE, reset_type=listed)
            await network.settle()
            assert network.session()["state"] == state


async def test_the_context_of_a_device_that_went_outside_its_area_by_x2_is_purged(run: Any) -> None:
    async with run(timers={"purge": 60}) as network:
        await area(network, str(HERE))
        phone = await network.attached()
        network.hss.asked.clear()
        network.enb2.send("path-switch-request", **switch(phone))
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is _Radio.HO_TARGET_NOT_ALLOWED
        assert network.session() is None
        await network.sleep(60)
        assert network.hss.names() == ["purge-ue"]


async def test_reports_of_places_are_ordered_at_the_target(run: Any) -> None:
    async with run() as network:
        await area(network, str(HERE), str(THERE))
        await commanded(network)
        network.enb2.send("handover-notify", **arrived(network))
        await network.settle()
        assert "location-reporting-control" in network.enb2.names()
        assert network.session()["cell"] == str(THERE)
        listed = (UeAssociatedLogicalS1Connection(None, 500),)
        network.enb2.send("reset", cause=CauseMisc.HARDWARE_FAILURE, reset_type=listed)
        await network.settle()
        assert network.session()["state"] == "idle"


async def test_a_path_switch_that_does_not_say_the_cell(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.link.send(without("path-switch-request", "eutran_cgi", **switch(phone)))
        await network.settle()
        assert "path-switch-request-acknowledge" in network.enb2.names()


async def test_a_path_switch_to_the_target_of_a_handover_fails(run: Any) -> None:
    """The number is that of a connection by which the device has not come yet."""
    async with run() as network:
        phone = await prepared(network)
        number = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
        network.enb2.send("path-switch-request", **switch(phone, source_mme_ue_s1ap_id=number))
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is _Radio.UNKNOWN_MME_UE_S1AP_ID


async def test_a_bearer_that_the_device_has_not_is_released_at_the_new_enb(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        listed = tuple(ErabTunnel(each, bytes([192, 0, 2, 8]), each) for each in (5, 9))
        network.enb2.send("path-switch-request", **switch(phone, e_rab_to_be_switched_dl_list=listed))
        await network.settle()
        released = network.enb2.last("path-switch-request-acknowledge")["e_rab_to_be_released_list"]
        assert [(each.e_rab_id, each.cause) for each in released] == [(9, _Radio.UNKNOWN_E_RAB_ID)]


async def test_a_path_that_the_sgw_does_not_switch(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()

        async def refuse(message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
            return gtpv2.refusal(message, Cause.NO_RESOURCES_AVAILABLE, ue.s11_teid)

        ue = network.mme.core.by_imsi[phone.imsi]
        network.sgw.core.node._handlers["modify-bearer-request"] = refuse
        network.enb2.send("path-switch-request", **switch(phone))
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is _Radio.HO_TARGET_NOT_ALLOWED
        assert "path-switch-request-acknowledge" not in network.enb2.names()


async def test_a_device_that_goes_on_before_its_path_is_switched_is_acknowledged_once(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.send("path-switch-request", **switch(phone))
        back = switch(phone, 601, eutran_cgi=HERE)
        network.enb.send("path-switch-request", **back)
        await network.settle()
        names = [*network.enb.names(), *network.enb2.names()]
        assert names.count("path-switch-request-acknowledge") == 1
        assert network.session()["cell"] == str(HERE)


async def test_a_device_that_is_gone_before_its_path_is_switched_is_not_acknowledged(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.send("path-switch-request", **switch(phone))
        ids = {"mme_ue_s1ap_id": phone.mme_id, "enb_ue_s1ap_id": 600}
        network.enb2.send("ue-context-release-request", **ids, cause=_Radio.RADIO_CONNECTION_WITH_UE_LOST)
        await network.settle()
        assert "path-switch-request-acknowledge" not in network.enb2.names()
        assert network.session()["state"] == "idle"
