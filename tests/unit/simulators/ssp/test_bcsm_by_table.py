"""The state models and the gsmSSF against tables written from the specifications by another hand (bcsm_table.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulators.ssp.bcsm import O_BCSM, T_BCSM, Happening, Pic, failure
from simulators.ssp.ssf import Ssf, State
from simwarden.wire import cap
from simwarden.wire.cap import LEG_1, LEG_2, ErrorCode, EventType, MonitorMode, Phase
from simwarden.wire.isup import Number
from simwarden.wire.map import OTriggerPoint, TTriggerPoint

TABLE: Final = yaml.safe_load(Path(__file__).with_name("bcsm_table.yaml").read_text())
MODELS: Final = {"O": O_BCSM, "T": T_BCSM}
H, M = Happening, MonitorMode
UNSURE: Final = "known low"
EVENTS: Final = {
    "info_collected": H.SET_UP,
    "termination_authorised": H.SET_UP,
    "info_analysed": H.ANALYSED,
    "route_select_failure": H.ROUTE_FAILED,
    "called_party_busy": H.BUSY,
    "called_party_not_reachable": H.BUSY,
    "no_answer": H.NO_ANSWER,
    "answer": H.ANSWERED,
    "abandon": H.ABANDONED,
    "disconnect_leg1": H.CALLING_PARTY_CLEARS,
    "disconnect_leg2": H.CALLED_PARTY_CLEARS,
    "exception": H.RELEASED,
}
#: what does not happen to a model of ours: it says nothing of the call to anybody, or is not built (README of the SSP)
SILENT: Final = {"origination_authorised", "alerting", "clearing_done"}
NOT_BUILT: Final = {"mid_call", "change_of_position", "service_change", "call_forwarded", "call_forwarded_no_reply"}
POINTS_NOT_BUILT: Final = {8, 16, 19, 27, 50, 51, 52, 53}

#: a number is analysed at once: no call of ours fails before it is routed
NEVER: Final = ("ANALYSE_INFORMATION", "route_select_failure")
#: points in call that phase 4 has beside ours for its detection points of alerting, which are not built
COLLAPSED: Final = {
    "ROUTING": "ROUTING_AND_ALERTING",
    "O_ALERTING": "ROUTING_AND_ALERTING",
    "T_ALERTING": "TERMINATING_CALL_HANDLING",
}
PHASES: Final = (2, 3, 4)


def pic(name: str) -> Pic:
    return Pic[COLLAPSED.get(name, name)]


def met(dp: int | None, phase: int) -> EventType | None:
    """Return the detection point of a row, as a model of ours has it, which is the same in all phases."""
    return None if dp is None or dp in POINTS_NOT_BUILT or (dp == 3 and phase < 3) else EventType(dp)


def rows(which: str, phase: int) -> list[list[Any]]:
    return [row for row in TABLE[which]["transitions"] if phase in row[5] and row[6] != UNSURE]


def ours(which: str, at: str, event: str, phase: int) -> tuple[EventType | None, Pic] | None:
    """Return what a model of ours does; of what it does not do in a phase, as the table has it."""
    transition = MODELS[which].next(pic(at), EVENTS[event])
    if transition is None:
        return None
    dp = None if transition.dp is EventType.ANALYZED_INFORMATION and phase < 3 else transition.dp
    return dp, transition.to


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("which", MODELS)
def test_transitions_are_those_of_the_table(which: str, phase: int) -> None:
    assert MODELS[which].start is pic(TABLE[which]["start"])
    seen = 0
    for at, event, dp, leg, following, _, _ in rows(which, phase):
        if event in SILENT | NOT_BUILT:
            continue
        if (at, event) == NEVER:
            continue
        assert ours(which, at, event, phase) == (met(dp, phase), pic(following)), (at, event)
        transition = MODELS[which].next(pic(at), EVENTS[event])
        if transition is not None and dp is not None and leg is not None:
            assert transition.leg == leg, (at, event)
        seen += 1
    assert seen >= 12


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("which", MODELS)
def test_what_the_table_has_not_does_not_happen(which: str, phase: int) -> None:
    for at, treatment, phases, events in TABLE[which]["absent"]:
        for event in set(events) & set(EVENTS) if phase in phases else ():
            got = ours(which, at, event, phase)
            waits = at.endswith("EXCEPTION") and event == "abandon"  # a call that waits for orders at 4, 5, 6, 13, 14
            stays = got == (None, pic(at)) and treatment == "ignore"
            assert got is None or waits or stays, (at, event, got)


@given(
    which=st.sampled_from(["O", "T"]),
    phase=st.sampled_from(PHASES),
    story=st.lists(st.sampled_from([*EVENTS, "alerting"]), max_size=40),
)
def test_any_sequence_of_events_meets_what_the_table_says(which: str, phase: int, story: list[str]) -> None:
    """Walk both beside each other; what the table refuses changes neither."""
    table = {(row[0], row[1]): row for row in rows(which, phase)}
    at, mine = TABLE[which]["start"], MODELS[which].start
    for event in story:
        row = table.get((at, event))
        if at.endswith("EXCEPTION"):  # the table leaves it by itself, ours when the call is over
            at, mine = TABLE[which]["start"], MODELS[which].start
            continue
        if event == ("termination_authorised" if which == "O" else "info_collected"):  # of the other half
            continue
        if event == "alerting":
            at = row[4] if row is not None else at
            assert pic(at) is mine
            continue
        transition = MODELS[which].next(mine, EVENTS[event])
        if row is None or (at, event) == NEVER:
            assert transition is None, (at, event)
            continue
        assert transition is not None, (at, event)
        at, mine = row[4], transition.to
        assert mine is pic(at), (row, mine)


@pytest.mark.parametrize("which", MODELS)
def test_who_gives_up_while_orders_are_awaited_is_met(which: str) -> None:
    model = MODELS[which]
    start = pic(TABLE[which]["start"])
    arrivals = {each.dp: each.to for each in model.transitions.values() if each.dp is not None}
    for dp in TABLE["abandoned_at"][which]:
        transition = model.next(arrivals[EventType(dp)], H.ABANDONED)
        assert transition is not None
        assert (transition.dp in (EventType.O_ABANDON, EventType.T_ABANDON), transition.to) == (True, start), dp


# -- the gsmSSF


def waiting(which: str, phase: int = 4) -> Ssf:
    ssf = Ssf(MODELS[which], Phase(phase))
    ssf.trigger(EventType.COLLECTED_INFO if which == "O" else EventType.TERM_ATTEMPT_AUTHORIZED)
    return ssf


def arm(ssf: Ssf, dp: int, mode: MonitorMode, leg: int | None = None) -> ErrorCode | None:
    which = cap.Leg(sending_side=leg) if leg is not None else None
    asked = cap.RequestReportBCSMEvent((cap.BcsmEvent(EventType(dp), mode, which),))
    return ssf.order(cap.REQUEST_REPORT_BCSM_EVENT, asked, 1, 0.0)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("which", MODELS)
def test_events_are_armed_as_the_phase_has_them(which: str, phase: int) -> None:
    for dp, armed in TABLE[which]["armed"].items():
        if dp not in {int(each) for each in EventType}:
            assert dp in POINTS_NOT_BUILT
            continue
        for mode, since in ((M.INTERRUPTED, armed["request"]), (M.NOTIFY_AND_CONTINUE, armed["notification"])):
            built = dp not in POINTS_NOT_BUILT and (dp, mode) != (2, M.INTERRUPTED)
            lawful = built and since is not None and since <= phase
            error = arm(waiting(which, phase), dp, mode)
            assert error is (None if lawful else ErrorCode.UNEXPECTED_DATA_VALUE), (dp, mode, phase)


@pytest.mark.parametrize(("which", "points"), [("O", OTriggerPoint), ("T", TTriggerPoint)])
def test_a_csi_triggers_where_the_table_has_it(which: str, points: type[OTriggerPoint | TTriggerPoint]) -> None:
    lawful = {dp for dp, armed in TABLE[which]["armed"].items() if armed["trigger"] is not None}
    assert {int(each) for each in points} == lawful - {3}  # 3 is of D-CSI and N-CSI, which nobody has


def key(name: str | int) -> tuple[int, int | None]:
    """Read `9/leg1`: a detection point, and of which leg, where there are two."""
    dp, _, leg = str(name).partition("/leg")
    return int(dp), int(leg) if leg else None


@pytest.mark.parametrize("which", MODELS)
def test_what_is_met_disarms_what_the_table_says(which: str) -> None:
    table = TABLE[which]["disarms"]
    columns = [key(each) for each in table if key(each)[0] not in POINTS_NOT_BUILT]
    for row, effects in table.items():
        dp, leg = key(row)
        if dp in POINTS_NOT_BUILT:
            continue
        ssf = waiting(which)
        for column in columns:
            assert arm(ssf, column[0], M.NOTIFY_AND_CONTINUE, column[1]) is None
        caller = dp in (EventType.O_ABANDON, EventType.T_ABANDON)
        ssf.meet(EventType(dp), leg or (LEG_1 if caller else LEG_2), None, 1.0)
        both = (EventType.O_DISCONNECT, EventType.T_DISCONNECT)
        left = {(int(each), of if each in both else None) for each, of in ssf.armed}
        assert not left & {key(each) for each in effects["gone"]}, row
        if effects["sure"] != UNSURE:
            assert {key(each) for each in effects["stays"] if key(each)[0] not in POINTS_NOT_BUILT} <= left, row


@pytest.mark.parametrize(("which", "dp"), [("O", 2), ("O", 3), ("T", 12)])
def test_a_call_that_goes_on_disarms_nothing(which: str, dp: int) -> None:
    ssf = waiting(which)
    for each in TABLE[which]["disarms"]:
        if key(each)[0] not in POINTS_NOT_BUILT:
            arm(ssf, key(each)[0], M.NOTIFY_AND_CONTINUE, key(each)[1])
    before = dict(ssf.armed)
    assert not ssf.meet(EventType(dp), LEG_1, None, 1.0)
    assert ssf.armed == before


@pytest.mark.parametrize("row", TABLE["connect"], ids=str)
def test_connect_is_taken_where_the_table_has_it(row: list[Any]) -> None:
    which, points, leg, following, _ = row
    for dp in set(points) - POINTS_NOT_BUILT - {3}:
        ssf = waiting(which)
        if dp not in (EventType.COLLECTED_INFO, EventType.TERM_ATTEMPT_AUTHORIZED):
            arm(ssf, dp, M.INTERRUPTED, leg)
            ssf.order(cap.CONTINUE, None, 2, 0.0)
            caller = dp in (EventType.O_ABANDON, EventType.T_ABANDON)
            assert ssf.meet(EventType(dp), leg or (LEG_1 if caller else LEG_2), None, 1.0), dp
        refused = following == "refused"
        error = ssf.order(cap.CONNECT, cap.Connect((Number("861"),)), 3, 2.0)
        assert error is (ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE if refused else None), dp
        assert ssf.state is (State.WAITING_FOR_INSTRUCTIONS if refused else State.MONITORING)


def test_causes_are_the_events_of_the_table() -> None:
    for cause, event, sure in TABLE["causes"]:
        for value in (1, 21, 27, 34, 41, 102) if cause == "other" else (cause,):
            assert sure == UNSURE or failure(value) is EVENTS[event], value
