"""The RRC messages inside handover containers, against pycrate's RRC."""

from __future__ import annotations

from typing import Any

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.wire.rrc import (
    HANDOVER_PREPARATION_INFORMATION,
    HandoverCommand,
    decode_handover_command,
    encode_handover_command,
)

commands = st.builds(HandoverCommand, st.integers(0, 503), st.integers(0, 65535), st.integers(0, 7))


@pytest.fixture(scope="module")
def rrc() -> Any:
    from pycrate_asn1dir import RRCLTE

    return RRCLTE


def _theirs(command: HandoverCommand) -> Any:
    pusch = {"n-SB": 1, "hoppingMode": "interSubFrame", "pusch-HoppingOffset": 0, "enable64QAM": False}
    signals = {
        "groupHoppingEnabled": False,
        "groupAssignmentPUSCH": 0,
        "sequenceHoppingEnabled": False,
        "cyclicShift": 0,
    }
    return {
        "message": (
            "c1",
            (
                "rrcConnectionReconfiguration",
                {
                    "rrc-TransactionIdentifier": 0,
                    "criticalExtensions": (
                        "c1",
                        (
                            "rrcConnectionReconfiguration-r8",
                            {
                                "mobilityControlInfo": {
                                    "targetPhysCellId": command.target_phys_cell_id,
                                    "t304": "ms1000",
                                    "newUE-Identity": (command.new_ue_identity, 16),
                                    "radioResourceConfigCommon": {
                                        "prach-Config": {"rootSequenceIndex": 0},
                                        "pusch-ConfigCommon": {
                                            "pusch-ConfigBasic": pusch,
                                            "ul-ReferenceSignalsPUSCH": signals,
                                        },
                                        "ul-CyclicPrefixLength": "len1",
                                    },
                                },
                                "securityConfigHO": {
                                    "handoverType": (
                                        "intraLTE",
                                        {
                                            "keyChangeIndicator": False,
                                            "nextHopChainingCount": command.next_hop_chaining_count,
                                        },
                                    )
                                },
                            },
                        ),
                    ),
                },
            ),
        )
    }


@settings(max_examples=budget.examples(20))
@given(command=commands)
def test_handover_command_is_pycrates(rrc: Any, command: HandoverCommand) -> None:
    inner = rrc.EUTRA_RRC_Definitions.DL_DCCH_Message
    inner.set_val(_theirs(command))
    outer = rrc.EUTRA_InterNodeDefinitions.HandoverCommand
    ies = {"handoverCommandMessage": inner.to_uper()}
    outer.set_val({"criticalExtensions": ("c1", ("handoverCommand-r8", ies))})
    octets = outer.to_uper()
    assert encode_handover_command(command).hex() == octets.hex()
    assert decode_handover_command(octets) == command


def test_preparation_is_pycrates(rrc: Any) -> None:
    preparation = rrc.EUTRA_InterNodeDefinitions.HandoverPreparationInformation
    ies: dict[str, list[Any]] = {"ue-RadioAccessCapabilityInfo": []}
    preparation.set_val({"criticalExtensions": ("c1", ("handoverPreparationInformation-r8", ies))})
    assert preparation.to_uper() == HANDOVER_PREPARATION_INFORMATION


@given(st.binary(max_size=30), commands)
def test_other_octets_are_peer_errors(noise: bytes, command: HandoverCommand) -> None:
    good = encode_handover_command(command)
    for octets in (noise, good[:-3], bytes((good[0] ^ 0x40,)) + good[1:]):
        try:
            decode_handover_command(octets)
        except PeerError:
            continue
        assert octets is noise
