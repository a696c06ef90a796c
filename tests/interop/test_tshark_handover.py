"""Wireshark reads handovers down to the RRC inside their containers, and with masked keys still."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.model.interfaces import INTERFACES
from simwarden.trace.events import Event, Frame
from simwarden.trace.mask import masked_octets
from simwarden.trace.pcapng import write_capture
from simwarden.wire import s1ap, x2
from simwarden.wire.rrc import HANDOVER_PREPARATION_INFORMATION, HandoverCommand, encode_handover_command
from simwarden.wire.s1ap.enums import CellSize, PreEmptionCapability, PreEmptionVulnerability
from simwarden.wire.s1ap.ies import SOURCE_ENB_TO_TARGET_ENB_CONTAINER, TARGET_ENB_TO_SOURCE_ENB_CONTAINER
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    ErabLevelQosParameters,
    GlobalEnbId,
    LastVisitedCell,
    MacroEnbId,
    SourceEnbToTargetEnbContainer,
    TargetEnbId,
    TargetEnbToSourceEnbContainer,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
)
from simwarden.wire.x2.ies import (
    AsSecurityInformation,
    ErabAdmitted,
    ErabToBeSetup,
    GuGroupId,
    TunnelEndpoint,
    UeContextInformation,
    X2Gummei,
)

if TYPE_CHECKING:
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]
PLMN = Plmn("001", "01")
CELL = Ecgi(PLMN, 0x201)
IDS: dict[str, Any] = {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 2}
COMMAND = encode_handover_command(HandoverCommand(9, 0x3D, 1))
HISTORY = (LastVisitedCell(Ecgi(PLMN, 0x101), CellSize.MEDIUM, 12),)
QOS = ErabLevelQosParameters(9, AllocationAndRetentionPriority(8, PreEmptionCapability(0), PreEmptionVulnerability(1)))
KEY = b"\xa5" * 32


def messages() -> list[tuple[str, bytes]]:
    source = SourceEnbToTargetEnbContainer(HANDOVER_PREPARATION_INFORMATION, None, CELL, None, HISTORY)
    required = {
        **IDS,
        "handover_type": s1ap.HandoverType.INTRALTE,
        "cause": s1ap.CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        "target_id": TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(2)), Tai(PLMN, 2)),
        "source_to_target_transparent_container": SOURCE_ENB_TO_TARGET_ENB_CONTAINER.to_octets(source),
    }
    target = TARGET_ENB_TO_SOURCE_ENB_CONTAINER.to_octets(TargetEnbToSourceEnbContainer(COMMAND))
    command = {
        **IDS,
        "handover_type": s1ap.HandoverType.INTRALTE,
        "target_to_source_transparent_container": target,
    }
    context = UeContextInformation(
        1,
        UeSecurityCapabilities(0xE000, 0xE000),
        AsSecurityInformation(KEY, 1),
        UeAggregateMaximumBitrate(1000, 1000),
        None,
        (ErabToBeSetup(5, QOS, None, TunnelEndpoint(b"\xc0\0\2\1", 7)),),
        HANDOVER_PREPARATION_INFORMATION,
    )
    request = {
        "old_enb_ue_x2ap_id": 1,
        "cause": x2.CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASONS,
        "target_cell_id": CELL,
        "gummei_id": X2Gummei(GuGroupId(PLMN, 4), 1),
        "ue_context_information": context,
        "ue_history_information": HISTORY,
    }
    acknowledge = {
        "old_enb_ue_x2ap_id": 1,
        "new_enb_ue_x2ap_id": 2,
        "e_rabs_admitted_list": (ErabAdmitted(5),),
        "target_enb_to_source_enb_transparent_container": COMMAND,
    }
    return [
        ("S1-MME", s1ap.encode(s1ap.Message("handover-required", required))),
        ("S1-MME", s1ap.encode(s1ap.Message("handover-command", command))),
        ("X2", x2.encode(x2.Message("handover-request", request))),
        ("X2", x2.encode(x2.Message("handover-request-acknowledge", acknowledge))),
    ]


@pytest.mark.parametrize("mask", [False, True], ids=["plain", "masked"])
def test_handovers_are_read_to_the_end(tmp_path: Path, *, mask: bool) -> None:
    path = tmp_path / "handover.pcapng"
    events: list[Event] = []
    for number, (name, octets) in enumerate(messages(), 1):
        interface = INTERFACES[name]
        ends = {"source": "enb", "target": "mme" if name == "S1-MME" else "enb2"}
        about = {"interface": name, "protocol": interface.protocol, "ppid": interface.ppid, "link": interface.port}
        events.append(Frame(number=number, **ends, **about, data=octets))  # type: ignore[arg-type]  # fields by name
    with path.open("wb") as stream:
        write_capture(events, stream, dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC), mask=mask)
    bad = '_ws.malformed or _ws.expert.severity >= "Warning" or data'
    shown = ["-T", "fields", "-e", "frame.protocols", "-e", "_ws.expert.message"]
    assert tshark(path, "-Y", bad, *shown) == []
    names = tshark(path, "-Y", "lte-rrc.HandoverCommand_element or lte-rrc.HandoverPreparationInformation_element")
    assert len(names) == 4
    assert (KEY in path.read_bytes()) != mask


def test_only_the_key_of_a_handover_request_is_masked() -> None:
    request = dict(messages()[2:3])["X2"]
    assert masked_octets(request, "x2") == request.replace(KEY, bytes(32))
    assert masked_octets(b"\xff", "x2") == b"\xff"


def tshark(path: Path, *arguments: str) -> list[str]:
    command = [TSHARK, "-2", "-n", "-r", str(path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - tshark's path
    return done.stdout.splitlines()
