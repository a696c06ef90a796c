"""What the radio's frame and S1AP cost.

`-s` prints the figures. Nothing here fails for being slow: a machine may be.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    ErabLevelQosParameters,
    ErabToBeSetup,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
    transport_layer_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PLMN = Plmn("001", "01")
IDS = {"mme_ue_s1ap_id": 70000, "enb_ue_s1ap_id": 300, "nas_pdu": bytes(60)}
DOWNLINK = s1ap.Message("downlink-nas-transport", dict(IDS))
UPLINK = s1ap.Message("uplink-nas-transport", IDS | {"eutran_cgi": Ecgi(PLMN, 0x101), "tai": Tai(PLMN, 1)})
ARP = AllocationAndRetentionPriority(8, s1ap.PreEmptionCapability(0), s1ap.PreEmptionVulnerability(1))
BEARER = ErabToBeSetup(5, ErabLevelQosParameters(9, ARP), transport_layer_address("192.0.2.1"), 7, bytes(90))
CONTEXT = s1ap.Message(
    "initial-context-setup-request",
    {
        "mme_ue_s1ap_id": 70000,
        "enb_ue_s1ap_id": 300,
        "ue_aggregate_maximum_bitrate": UeAggregateMaximumBitrate(1_000_000, 500_000),
        "e_rab_to_be_setup_list_ctxt_su_req": (BEARER,),
        "ue_security_capabilities": UeSecurityCapabilities(0xE000, 0xE000),
        "security_key": bytes(range(32)),
    },
)
FRAME = uu.UlInformationTransfer(bytes(60))
ON_S1 = {message.name: s1ap.encode(message) for message in (DOWNLINK, UPLINK, CONTEXT)}
ON_AIR = uu.encode(FRAME)


@pytest.mark.parametrize(
    ("what", "work"),
    [
        ("encode DOWNLINK NAS TRANSPORT", lambda: s1ap.encode(DOWNLINK)),
        ("decode DOWNLINK NAS TRANSPORT", lambda: s1ap.decode(ON_S1[DOWNLINK.name])),
        ("encode UPLINK NAS TRANSPORT", lambda: s1ap.encode(UPLINK)),
        ("decode UPLINK NAS TRANSPORT", lambda: s1ap.decode(ON_S1[UPLINK.name])),
        ("encode INITIAL CONTEXT SETUP REQUEST", lambda: s1ap.encode(CONTEXT)),
        ("decode INITIAL CONTEXT SETUP REQUEST", lambda: s1ap.decode(ON_S1[CONTEXT.name])),
        ("encode a NAS frame of the radio", lambda: uu.encode(FRAME)),
        ("decode a NAS frame of the radio", lambda: uu.decode(ON_AIR)),
    ],
)
def test_rate(what: str, work: Callable[[], Any]) -> None:
    best = 9.0
    for _ in range(5):
        start = time.process_time()
        for _ in range(3000):
            work()
        best = min(best, time.process_time() - start)
    rate = 3000 / best
    sys.stdout.write(f"{what}: {rate:,.0f}/s\n")
