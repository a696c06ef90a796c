"""Each SCCP message as pycrate reads it: the same octets, and the values that we meant."""

from __future__ import annotations

from typing import Any

import pytest
from pycrate_mobile import SCCP
from sigtran_messages import MANAGEMENTS, SCCPS

from simwarden.wire import sccp


def check_address(ours: sccp.Address, theirs: Any) -> None:
    indicator = theirs[0]
    assert indicator["RoutingInd"].get_val() == ours.route_on_ssn
    if ours.ssn is not None:
        assert theirs["SSN"].get_val() == ours.ssn
    if ours.point_code is not None:
        assert theirs["PC"].get_val() == ours.point_code
    if ours.global_title is not None:
        title = theirs["GT"].get_alt()
        assert f"BCD : {ours.global_title.digits}" in repr(title)  # with its filler
        assert title["NAI"].get_val() == ours.global_title.nature
        assert title["NumberingPlan"].get_val() == ours.global_title.numbering_plan


@pytest.mark.parametrize("name", SCCPS)
def test_pycrate_reads_sccp(name: str) -> None:
    message = SCCPS[name]
    octets = sccp.encode(message)
    assert sccp.decode(octets) == message
    theirs, error = SCCP.parse_SCCP(octets)
    assert not error
    assert theirs.to_bytes() == octets
    assert theirs["Type"].get_val() == message.type
    check_address(message.called, theirs["CalledPartyAddr"][1])
    check_address(message.calling, theirs["CallingPartyAddr"][1])
    assert theirs["Data"][1].to_bytes() == message.data
    if message.is_service:
        assert theirs["RetCause"].get_val() == message.return_cause
    else:
        assert theirs["ProtocolClass"]["Class"].get_val() == message.protocol_class
        assert theirs["ProtocolClass"]["Handling"].get_val() == 8 * message.return_on_error


@pytest.mark.parametrize("name", MANAGEMENTS)
def test_pycrate_reads_management(name: str) -> None:
    message = MANAGEMENTS[name]
    octets = sccp.encode_management(message)
    assert sccp.decode_management(octets) == message
    theirs, error = SCCP.parse_SCMG(octets)
    assert not error
    assert theirs.to_bytes() == octets
