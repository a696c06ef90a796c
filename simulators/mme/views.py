"""What an MME holds that others hold too, as each of them has it: see Element.views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.mme.clients.s1 import aggregate_bit_rate, quality
from simulators.mme.contexts import Bearer, EmmState, SmsState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core

Views = dict[str, list[tuple[Any, ...]]]


def views(core: Core) -> Mapping[str, Iterable[tuple[Any, ...]]]:
    """Return what eNBs, gateways, HSS and devices hold of this MME's contexts."""
    ues = core.by_imsi.values()
    served = {ue.connection.mme_id: ue for ue in ues if ue.connection is not None}
    connected = {number: ue for number, ue in served.items() if ue.state is EmmState.REGISTERED}
    return {
        "S1 connections": [(each.mme_id, each.enb_id) for each in core.connections.values()],
        "UE-AMBR": [(number, *aggregate_bit_rate(ue)) for number, ue in connected.items()],
        "SMS in MME": [(ue.imsi, core.home.node.local.host) for ue in ues if ue.sms is SmsState.REGISTERED],
        "S11 tunnels": [(ue.s11_teid, ue.sgw.teid) for ue in ues if ue.sgw is not None],
        "PDN connections": [
            (ue.imsi, each.identity, each.apn.lower(), each.paa.ipv4, each.paa.ipv6, *each.ambr)
            for ue in ues
            for each in ue.bearers.values()
        ],
        "NAS security": [_security(ue) for ue in connected.values()],
        "TAI lists": [(str(ue.guti), *sorted(map(str, ue.tai_list))) for ue in connected.values()],
        "EPS bearers": [
            (str(ue.guti), number, each.linked.identity, each.apn.lower() if isinstance(each, Bearer) else each.qos.qci)
            for ue in connected.values()
            for number, each in ue.all_bearers.items()
        ],
        **_of_bearers(ues),
    }


def _security(ue: UeContext) -> tuple[Any, ...]:
    keys = ue.keys
    return str(ue.guti), keys.ksi, keys.eia, keys.eea


def _of_bearers(ues: Iterable[UeContext]) -> Views:
    found: Views = {"QoS": [], "E-RABs": [], "S1-U tunnels": []}
    for ue in ues:
        for number, each in ue.all_bearers.items():
            found["QoS"].append((ue.imsi, number, *each.qos))
            if each.enb is not None:
                found["S1-U tunnels"].append((number, *each.enb.end, *each.sgw.end))
                found["E-RABs"].append((each.enb.teid, number, quality(each.qos)))
    return found
