"""S1 setup and reset (TS 36.413 8.7.3, 8.7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.clients import s1
from simulators.mme.controls import STATION, Occasion
from simulators.mme.procedures.release import lost, lost_all
from simwarden.model.identity import Tai
from simwarden.wire.s1ap import CauseMisc, CauseRadioNetwork, Message, ResetAll, TimeToWait
from simwarden.wire.s1ap.values import ServedGummei

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Enb
    from simulators.mme.core import Core
    from simwarden.wire.s1ap.values import UeAssociatedLogicalS1Connection

_CAPACITY = 255


def set_up(core: Core, enb: Enb, message: Message) -> None:
    """Take an eNB into service, if it broadcasts the network and a tracking area that are served here."""
    lost_all(core, enb)  # 8.7.3.1: the set-up erases what was there
    config = core.config
    global_id = message["global_enb_id"]
    tais = frozenset(
        Tai(plmn, area.tac) for area in message["supported_tas"] for plmn in area.broadcast_plmns if plmn == config.plmn
    )
    served = frozenset(tai for tai in tais if not config.tracking_areas or tai.tac in config.tracking_areas) or tais
    if not tais or not _may_serve(core, global_id.enb_id.value, tais):
        cause = CauseRadioNetwork.UNSPECIFIED if tais else CauseMisc.UNKNOWN_PLMN  # 8.7.3.3, 8.7.3.4
        core.site.note("eNB is not taken into service", enb=enb.name)
        enb.tais = frozenset()
        s1.send_common(enb, "s1-setup-failure", cause=cause, time_to_wait=TimeToWait.V60S)
        return
    enb.identity, enb.global_id, enb.tais = global_id.enb_id.value, global_id, served
    enb.link.know()
    areas = sorted(str(tai) for tai in served)
    core.site.observe("s1", {"enb": enb.name, "enb_id": enb.identity, "tais": areas, "state": "up"}, key=enb.name)
    s1.send_common(
        enb,
        "s1-setup-response",
        mme_name=core.site.name if core.site.name.isalnum() else None,
        served_gummeis=(ServedGummei((config.plmn,), (config.mme_group_id,), (config.mme_code,)),),
        relative_mme_capacity=_CAPACITY,
    )


def _may_serve(core: Core, station: int, tais: frozenset[Tai]) -> bool:
    config = core.config
    return core.site.decide(
        STATION,
        on=Occasion.SETUP,
        station=station,
        stations=config.enbs,
        areas={tai.tac for tai in tais},
        served=config.tracking_areas,
    ).admitted


def reset(core: Core, enb: Enb, message: Message) -> None:
    """Forget all connections of an eNB, or those that it lists, and acknowledge."""
    kind = message["reset_type"]
    if isinstance(kind, ResetAll):
        lost_all(core, enb)
        s1.send_common(enb, "reset-acknowledge")
        return
    for item in kind:
        conn = _find(core, enb, item)
        if conn is not None:
            lost(core, conn)
    s1.send_common(enb, "reset-acknowledge", ue_associated_logical_s1_connection_list_res_ack=kind)


def _find(core: Core, enb: Enb, item: UeAssociatedLogicalS1Connection) -> Connection | None:
    if item.mme_ue_s1ap_id is not None:
        conn = core.connections.get(item.mme_ue_s1ap_id)
        return conn if conn is not None and conn.enb is enb else None
    return enb.connections.get(item.enb_ue_s1ap_id)
