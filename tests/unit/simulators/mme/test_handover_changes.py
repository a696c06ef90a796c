"""What changes between HANDOVER COMMAND and HANDOVER NOTIFY holds at the target eNB too (TS 23.401 5.5.1.2.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause as GtpCause
from simwarden.wire.gtpv2 import CauseIe
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.s1ap import CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.values import ErabAdmitted, GlobalEnbId, MacroEnbId, TargetEnbId

from .test_gateways import asked

PLMN = Plmn("001", "01")
TAI = Tai(PLMN, 1)
IMSI = "001010000000001"
HOME, NEXT = "001-01-0000101", "001-01-0000201"
APPROVAL = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
AT_TARGET = 500


async def _withdraw(network: Any) -> None:
    await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])


async def _served_elsewhere(network: Any) -> None:
    await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 0)])


async def _bar(network: Any) -> None:
    data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", data)])


async def _withdraw_apn(network: Any) -> None:
    avps = [("User-Name", IMSI), ("DSR-Flags", 8), ("Context-Identifier", 1)]
    await network.hss.order("Delete-Subscriber-Data-Request", avps)


async def _move_area(network: Any) -> None:
    path, body = f"/cards/{IMSI}/area", {**APPROVAL, "cells": ["001-01-0000301"]}
    await network.mme.manage(Role.OPERATOR, "PUT", path, body)


async def _narrow_area(network: Any) -> None:
    """The source cell stays allowed: only the target is not."""
    await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {**APPROVAL, "cells": [HOME]})


async def _require(network: Any, phone: Any) -> None:
    phone.up(
        "handover-required",
        handover_type=HandoverType.INTRALTE,
        cause=CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        target_id=TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(2)), TAI),
        source_to_target_transparent_container=b"from source",
    )
    await network.settle()


async def _commanded(network: Any, phone: Any) -> None:
    """Bring a handover to the point where the UE leaves the source eNB: its radio is gone there."""
    await _require(network, phone)
    network.enb2.send(
        "handover-request-acknowledge",
        mme_ue_s1ap_id=network.enb2.last("handover-request")["mme_ue_s1ap_id"],
        enb_ue_s1ap_id=AT_TARGET,
        e_rab_admitted_list=(ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),),
        target_to_source_transparent_container=b"from target",
    )
    await network.settle()
    assert network.enb.names()[-1] == "handover-command"
    phone.replies[MessageType.DETACH_REQUEST] = None  # what is sent by the source eNB reaches nobody


@pytest.mark.parametrize("accepted", [True, False])
async def test_what_the_sgw_does_not_forward_the_source_is_not_told_of(run: Any, *, accepted: bool) -> None:
    async with run() as network:
        phone = await network.attached()

        async def none(message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
            context = {"ebi": 5, "cause": CauseIe(GtpCause.REQUEST_REJECTED)}
            if not accepted:
                context["s1_u_sgw_for_dl"] = message["bearer_contexts"][0]["enodeb_for_dl"]
            cause = CauseIe(GtpCause.REQUEST_ACCEPTED if accepted else GtpCause.REQUEST_REJECTED)
            return gtpv2.Message(message.spec.answer, {"cause": cause, "bearer_contexts": (context,)})

        handlers = network.host.elements["sgw"].core.node._handlers
        handlers["create-indirect-data-forwarding-tunnel-request"] = none
        await _require(network, phone)
        network.enb2.send(
            "handover-request-acknowledge",
            mme_ue_s1ap_id=network.enb2.last("handover-request")["mme_ue_s1ap_id"],
            enb_ue_s1ap_id=AT_TARGET,
            e_rab_admitted_list=(ErabAdmitted(5, bytes([192, 0, 2, 8]), 3, bytes([192, 0, 2, 8]), 4),),
            target_to_source_transparent_container=b"from target",
        )
        await network.settle()
        command = network.enb.last("handover-command")
        assert command.get("e_rab_subject_to_data_forwarding_list") is None
        await _arrive(network, phone)
        await network.sleep(60)
        assert network.session()["state"] == "connected"
        assert "delete-indirect-data-forwarding-tunnel" not in asked(network)


async def _arrive(network: Any, phone: Any) -> Any:
    """Let the UE come to the target eNB, and return it as it is there."""
    mme_id = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
    ue = replace(phone, radio=network.enb2, enb_id=AT_TARGET, mme_id=mme_id, got=[], released=[], replies={})
    ue.secured = True
    network.enb2.phones[AT_TARGET] = ue
    ue.up("handover-notify", eutran_cgi=Ecgi(PLMN, 2 << 8 | 1), tai=TAI)
    await network.settle()
    return ue


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (_withdraw, EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED),
        (_bar, "as configured"),
        (_withdraw_apn, None),
        (_move_area, EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA),
        (_narrow_area, EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA),
    ],
)
async def test_a_right_lost_during_a_handover_is_lost_at_the_target(run: Any, change: Any, cause: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await _commanded(network, phone)
        await change(network)
        await network.settle()
        ue = await _arrive(network, phone)
        (detach,) = [message for message in ue.got if message.type is MessageType.DETACH_REQUEST]
        if cause == "as configured":
            assert detach["emm_cause"] is network.mme.config.causes.barred_while_registered
        else:
            assert detach.get("emm_cause") is cause
        assert ue.released
        assert network.session() is None
        assert network.mme.core.connections == {}
        assert all(each.bearer is None and each.connection is None for each in network.mme.core.by_imsi.values())


@pytest.mark.parametrize("change", [_withdraw, _served_elsewhere, _bar, _withdraw_apn, _move_area])
async def test_a_right_lost_after_the_source_is_gone_is_lost_at_the_target(run: Any, change: Any) -> None:
    """The source eNB failed meanwhile, so that the device is idle when its card loses the right."""

    async with run() as network:
        phone = await network.attached()
        await _commanded(network, phone)
        network.enb.link.close()
        await network.settle()
        await change(network)
        await network.settle()
        ue = await _arrive(network, phone)
        assert ue.released
        assert network.session() is None
        assert network.mme.core.connections == {}
        assert all(each.bearer is None and each.connection is None for each in network.mme.core.by_imsi.values())


async def test_a_ue_whose_source_is_gone_is_served_at_the_target(run: Any) -> None:
    async with run() as network:
        network.host.clock.skip_keep_alives = False
        phone = await network.attached()
        await _commanded(network, phone)
        network.enb.link.close()
        await network.settle()
        ue = await _arrive(network, phone)
        await network.sleep(2 * 3600)  # who is connected updates nothing from time to time
        assert ue.released == []
        assert network.session()["state"] == "connected"


async def test_a_ue_that_has_come_elsewhere_does_not_arrive_at_the_target(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await _commanded(network, phone)
        network.enb.link.close()
        await network.settle()
        elsewhere = replace(phone, radio=network.enb2, enb_id=70, mme_id=0, got=[], released=[], replies={})
        elsewhere.service()
        await network.settle()
        await _arrive(network, phone)
        assert network.enb2.names()[-1] == "error-indication"
        assert network.mme.core.by_imsi[IMSI].connection.enb_id == 70
        await network.sleep(30)
        assert len(network.mme.core.connections) == 1
        assert elsewhere.released == []


async def test_a_detached_ue_that_never_comes_leaves_no_connection(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await _commanded(network, phone)
        await _withdraw(network)
        await network.sleep(60)
        assert network.mme.core.connections == {}
        assert network.session() is None


async def test_a_ue_whose_card_another_mme_serves_finds_no_connection_at_the_target(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await _commanded(network, phone)
        network.enb2.auto = False  # the target confirms its release after the UE has come
        await _served_elsewhere(network)
        await network.settle()
        mme_id = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
        cell = Ecgi(PLMN, 2 << 8 | 1)
        network.enb2.send("handover-notify", mme_ue_s1ap_id=mme_id, enb_ue_s1ap_id=AT_TARGET, eutran_cgi=cell, tai=TAI)
        await network.settle()
        assert network.session() is None
        assert network.enb2.names().count("ue-context-release-command") == 1
        await network.sleep(6)
        assert network.mme.core.connections == {}
        assert network.mme.core.by_imsi == {}


async def test_no_handover_is_prepared_while_a_nas_procedure_runs(run: Any) -> None:
    """Else the handover would end the procedure, and with it the check of a terminal (TS 23.401 5.5.1.2.2)."""

    async with run(equipment={"at_tracking_area_update": True}) as network:
        phone = await network.attached_idle()
        phone.replies[MessageType.IDENTITY_REQUEST] = None
        phone.update(ACTIVE)
        await network.settle()
        assert phone.types() == [MessageType.IDENTITY_REQUEST]
        await _require(network, phone)
        failure = network.enb.last("handover-preparation-failure")
        assert failure["cause"] is CauseRadioNetwork.INTERACTION_WITH_OTHER_PROCEDURE
        assert "handover-request" not in network.enb2.names()


ACTIVE = 8


async def test_a_procedure_that_the_handover_ends_is_begun_anew(run: Any) -> None:
    """A check of the terminal that was under way has no outcome: the UE attaches anew, and is asked again."""

    async with run(equipment={"at_tracking_area_update": True}) as network:
        phone = await network.attached()
        await _commanded(network, phone)
        phone.replies[MessageType.IDENTITY_REQUEST] = None
        phone.send(_update(phone))
        await network.settle()
        assert phone.types()[-1] is MessageType.IDENTITY_REQUEST
        ue = await _arrive(network, phone)
        assert ue.types() == [MessageType.DETACH_REQUEST]
        assert network.session() is None
        assert network.mme.core.connections == {}


async def test_a_procedure_that_the_handover_ends_asks_nothing_at_the_source_any_more(run: Any) -> None:
    """The SGW sends packets to the target late, and the source is let go after that."""
    async with run(equipment={"at_tracking_area_update": True}) as network:
        handlers = network.sgw.core.node._handlers
        modify = handlers["modify-bearer-request"]

        async def late(message: gtpv2.Message, peer: Any) -> Any:
            await network.clock.sleep(8)
            return await modify(message, peer)

        phone = await network.attached()
        await _commanded(network, phone)
        phone.replies[MessageType.IDENTITY_REQUEST] = None
        phone.send(_update(phone))
        await network.settle()
        handlers["modify-bearer-request"] = late
        await _arrive(network, phone)
        await network.sleep(7)  # longer than T3470
        assert phone.released == []
        assert phone.types().count(MessageType.IDENTITY_REQUEST) == 1


async def test_a_procedure_of_an_emergency_call_that_the_handover_ends_detaches_nobody(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        await _commanded(network, phone)
        phone.replies[MessageType.TRACKING_AREA_UPDATE_ACCEPT] = None
        phone.send(_update(phone))
        await network.settle()
        assert phone.types()[-1] is MessageType.TRACKING_AREA_UPDATE_ACCEPT
        ue = await _arrive(network, phone)
        assert ue.types() == []
        assert network.session()["emergency"]


def _update(phone: Any) -> Any:
    from simwarden.wire.nas.message import Message

    return Message(
        MessageType.TRACKING_AREA_UPDATE_REQUEST,
        eps_update_type=0,
        nas_key_set_identifier=phone.security.ksi,
        old_guti=phone.guti,
    )


async def test_no_handover_of_a_connection_that_is_being_released(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        phone.idle()
        await network.settle()
        await _require(network, phone)
        assert "handover-request" not in network.enb2.names()
