"""Operations and SCCP management as a network of others has sent them: octets of a public capture (pcapr, of 2007).

They came over M2PA, in a context of its own that has these operations of CAP.
"""

from __future__ import annotations

import pytest

from simwarden.wire import cap, sccp, tcap
from simwarden.wire.cap import EventType, MonitorMode
from simwarden.wire.sccp import Address, Management, ManagementType

EVENTS = "a124020101020117301ca01a300b800112810100a203800101300b800111810100a203800101"
RESOURCE = "a112020102020113300a8300be06820101840102"
ANNOUNCEMENT = "a11502010302012f300da00ba009a0048002106781017f"


def test_events_are_armed() -> None:
    component = tcap.decode_component(bytes.fromhex(EVENTS))
    assert tcap.encode_component(component).hex() == EVENTS
    assert isinstance(component, tcap.Invoke)
    operation, argument = cap.decode_invoke(component)
    assert operation is cap.REQUEST_REPORT_BCSM_EVENT
    assert [(each.event_type_bcsm, each.monitor_mode, each.leg) for each in argument.events] == [
        (EventType.T_ABANDON, MonitorMode.INTERRUPTED, cap.Leg(sending_side=1)),
        (EventType.T_DISCONNECT, MonitorMode.INTERRUPTED, cap.Leg(sending_side=1)),
    ]
    assert cap.CAP_USER.encode_argument(operation, argument) == component.argument


def test_a_resource_and_an_announcement() -> None:
    found = []
    for octets in (RESOURCE, ANNOUNCEMENT):
        component = tcap.decode_component(bytes.fromhex(octets))
        assert isinstance(component, tcap.Invoke)
        assert tcap.encode_component(component).hex() == octets
        found.append(cap.decode_invoke(component))
    (resource, where), (announcement, what) = found
    assert (resource, where.resource_address) == (cap.CONNECT_TO_RESOURCE, cap.Resource(none=True))
    assert announcement is cap.PLAY_ANNOUNCEMENT
    assert what.information.inband_info == cap.InbandInfo(cap.MessageId(0x1067), 127)


@pytest.mark.parametrize(
    ("octets", "called", "calling", "expected"),
    [
        ("09000305090242010443860301050307840300", 1, 902, (ManagementType.SUBSYSTEM_STATUS_TEST, 7, 900)),
        ("09000305090242010443840301050107840300", 1, 900, (ManagementType.SUBSYSTEM_ALLOWED, 7, 900)),
    ],
)
def test_subsystems_are_asked_for(
    octets: str, called: int, calling: int, expected: tuple[ManagementType, int, int]
) -> None:
    message = sccp.decode(bytes.fromhex(octets))
    assert sccp.encode(message).hex() == octets
    assert (message.called, message.calling) == (Address(called), Address(1, calling))
    assert sccp.decode_management(message.data) == Management(*expected)
    assert sccp.encode_management(Management(*expected)) == message.data
