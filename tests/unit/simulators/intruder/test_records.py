"""Arguments of CAP from the words of a story, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.intruder.records import octets_of, operation_of
from simwarden.errors import ManagementError
from simwarden.wire import cap
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause

PHASE = cap.Phase.FOUR


@pytest.mark.parametrize(
    ("name", "words", "argument"),
    [
        ("connect", {"destination_routing_address": ["8613800002222"]}, cap.Connect((Number("8613800002222"),))),
        ("release-call", {"cause": "21"}, cap.ReleaseCall(Cause(21))),
        ("release-call", {"cause": {"value": "21", "location": "2"}}, cap.ReleaseCall(Cause(21, 2))),
        ("connect_to_resource", {"resource_address": {"none": "true"}}, cap.ConnectToResource(cap.Resource(none=True))),
        ("cancel", {"all_requests": "yes"}, cap.Cancel(all_requests=True)),
        (
            "requestReportBCSMEvent",
            {"events": [{"event_type_bcsm": "o-answer", "monitor_mode": "INTERRUPTED", "leg": {"sending_side": "2"}}]},
            cap.RequestReportBCSMEvent(
                (cap.BcsmEvent(cap.EventType.O_ANSWER, cap.MonitorMode.INTERRUPTED, cap.Leg(sending_side=2)),)
            ),
        ),
        ("continue", None, None),
        ("continue", "", None),
    ],
)
def test_words_are_what_they_say(name: str, words: Any, argument: Any) -> None:
    operation = operation_of(name)
    wanted = cap.encode(operation, argument, PHASE)
    assert octets_of(operation, words, PHASE) == wanted
    if argument is not None:
        assert cap.CAP_USER.decode_argument(operation, wanted) == argument


def test_octets_are_as_they_are() -> None:
    assert octets_of(cap.INITIAL_DP, "30 03 80 01 01", PHASE) == b"\x30\x03\x80\x01\x01"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("connect", {"destination": ["861"]}),
        ("connect", {"destination_routing_address": ["x"]}),
        ("connect", "zz"),
        ("release-call", {"cause": "loud"}),
        ("event-report-bcsm", {"event_type_bcsm": "o-nothing"}),
        ("apply-charging", {"time_duration_charging": {"max_call_period_duration": "0"}}),
        ("continue-with-argument", {"calling_partys_category": [1]}),
    ],
)
def test_what_is_no_argument_is_an_error_that_names_the_operation(name: str, words: Any) -> None:
    operation = operation_of(name)
    with pytest.raises(ManagementError, match=operation.name):
        octets_of(operation, words, PHASE)


def test_an_operation_that_is_none_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(ManagementError, match=r"no operation of CAP is called conect; known: .*connect"):
        operation_of("conect")


def test_what_a_phase_does_not_have_is_an_error() -> None:
    with pytest.raises(ManagementError, match="phase 2"):
        octets_of(cap.CONTINUE_WITH_ARGUMENT, {"calling_partys_category": "10"}, cap.Phase.TWO)
