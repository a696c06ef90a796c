"""Credit control without a node: RFC 8506 7."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.machine.credit_control import (
    Ask,
    Closed,
    CreditSession,
    CreditSettings,
    Ended,
    Granted,
    State,
    Uncharged,
)
from simwarden.wire.diameter import Avps, Message, answer_to, request
from simwarden.wire.diameter.apps.credit import CcRequestType, FailureHandling, SessionFailover

INITIAL, UPDATE, TERMINATION = (
    CcRequestType.INITIAL_REQUEST,
    CcRequestType.UPDATE_REQUEST,
    CcRequestType.TERMINATION_REQUEST,
)
LENIENT = CreditSettings(obeys_continue=True, obeys_not_applicable=True)
CONTINUE: Avps = [("Credit-Control-Failure-Handling", int(FailureHandling.CONTINUE))]
RETRY: Avps = [
    ("Credit-Control-Failure-Handling", int(FailureHandling.RETRY_AND_TERMINATE)),
    ("CC-Session-Failover", int(SessionFailover.FAILOVER_SUPPORTED)),
]


def ccr(kind: int = 1, number: int = 0, session: str = "pgw;1;1") -> Message:
    avps = [("Session-Id", session), ("CC-Request-Type", kind), ("CC-Request-Number", number)]
    return request("Credit-Control-Request", avps, application=4)


def cca(result: int = 2001, *more: tuple[str, Any]) -> Message:
    return answer_to(ccr(), result, ("ocs", "example"), more)


def grant(validity: int | None = None, group: int = 10) -> tuple[str, Any]:
    units: Avps = [("Granted-Service-Unit", [("CC-Total-Octets", 1000)]), ("Rating-Group", group)]
    return "Multiple-Services-Credit-Control", units + ([("Validity-Time", validity)] if validity else [])


def opened(settings: CreditSettings | None = None, *more: tuple[str, Any]) -> CreditSession:
    session = CreditSession(settings or CreditSettings())
    session.start(0.0)
    session.answered(0, cca(2001, *more), 1.0)
    session.events()
    return session


def test_a_session_counts_its_requests_from_0() -> None:
    session = CreditSession()
    session.start(0.0)
    assert session.events() == [Ask(INITIAL, 0)]
    answer = cca(2001, grant())
    session.answered(0, answer, 1.0)
    assert session.events() == [Granted(answer)]
    assert session.next_timer() is None
    session.update(5.0, "QUOTA_EXHAUSTED")
    assert session.events() == [Ask(UPDATE, 1, "QUOTA_EXHAUSTED")]
    session.answered(1, answer, 6.0)
    session.stop(7.0)
    assert session.events() == [Granted(answer), Ask(TERMINATION, 2)]
    session.answered(2, cca(), 8.0)
    assert session.events() == [Closed()]
    assert session.state is State.ENDED
    assert session.next_timer() is None


def test_what_is_ordered_while_an_answer_is_awaited_waits_for_it() -> None:
    session = CreditSession()
    session.start(0.0)
    session.update(1.0, "THRESHOLD")
    session.events()
    session.answered(0, cca(2001, grant()), 2.0)
    assert session.events()[1:] == [Ask(UPDATE, 1, "THRESHOLD")]
    session.stop(3.0)
    assert session.events() == []
    session.answered(1, cca(2001, grant()), 4.0)
    assert session.events()[1:] == [Ask(TERMINATION, 2)]


@pytest.mark.parametrize(("result", "handling"), [(4010, []), (4012, []), (5030, []), (5003, CONTINUE), (5012, RETRY)])
def test_a_denial_ends_the_service_whatever_the_failure_handling(result: int, handling: Avps) -> None:
    session = opened(LENIENT, grant(), *handling)
    session.update(2.0)
    session.events()
    denied = cca(result)
    session.answered(1, denied, 3.0)
    assert session.events() == [Ended(f"result {result}", denied)]
    assert session.state is State.ENDED


@pytest.mark.parametrize(("settings", "goes_on"), [(CreditSettings(), False), (LENIENT, True)])
def test_4011_is_free_traffic_only_where_the_owner_says_so(settings: CreditSettings, *, goes_on: bool) -> None:
    session = CreditSession(settings)
    session.start(0.0)
    session.events()
    session.answered(0, cca(4011), 1.0)
    (event,) = session.events()
    assert isinstance(event, Uncharged if goes_on else Ended)


@pytest.mark.parametrize("settings", [CreditSettings(), LENIENT])
@pytest.mark.parametrize("handling", [[], CONTINUE, RETRY])
def test_a_late_answer_is_handled_as_the_server_said(settings: CreditSettings, handling: Avps) -> None:
    session = opened(settings, grant(), *handling)
    session.update(10.0)
    session.events()
    timer = session.next_timer()
    assert timer is not None
    assert timer.deadline == 20.0
    session.on_timer(19.9)
    assert session.events() == []
    session.on_timer(20.0)
    (event,) = session.events()
    if settings.obeys_continue and handling:
        assert isinstance(event, Uncharged)
        session.answered(1, cca(2001, grant()), 25.0)
        assert isinstance(session.events()[0], Granted), "it still counts when it comes"
    else:
        assert isinstance(event, Ended)
        session.answered(1, cca(2001, grant()), 25.0)
        assert session.events() == [], "nothing is granted to a session that has ended"


def test_a_server_that_is_not_reached_is_tried_again_once_where_that_was_agreed() -> None:
    session = opened(CreditSettings(), grant(), *RETRY)
    session.update(2.0, "THRESHOLD")
    session.events()
    session.failed(1, "not connected", 3.0)
    assert session.events() == [Ask(UPDATE, 1, "THRESHOLD", again=True)]
    session.answered(1, cca(3004), 4.0)
    assert session.events() == [Ended("result 3004", session._answer)]


@pytest.mark.parametrize(
    ("settings", "handling", "goes_on"),
    [(LENIENT, CONTINUE, True), (CreditSettings(), CONTINUE, False), (LENIENT, [], False)],
)
@pytest.mark.parametrize("how", ["lost", 3002, 3004, 3005])
def test_a_server_that_is_not_reached_is_no_credit(
    settings: CreditSettings, handling: Avps, how: str | int, *, goes_on: bool
) -> None:
    session = opened(settings, grant(), *handling)
    session.update(2.0)
    session.events()
    if isinstance(how, int):
        session.answered(1, cca(how), 3.0)
    else:
        session.failed(1, how, 3.0)
    (event,) = session.events()
    assert isinstance(event, Uncharged if goes_on else Ended)


def test_the_shortest_validity_asks_again() -> None:
    session = opened(None, grant(3600), grant(60))
    timer = session.next_timer()
    assert timer is not None
    assert timer.deadline == 61.0
    session.on_timer(61.0)
    assert session.events() == [Ask(UPDATE, 1, "VALIDITY_TIME")]


def test_units_of_a_group_end_whatever_another_is_granted_and_not_amid_a_request() -> None:
    session = opened(None, grant(60), grant(90, group=20))
    for number, now, answered, granted, deadline in (
        (1, 2.0, 3.0, grant(10, group=20), 13.0),
        (2, 4.0, 5.0, grant(group=20), 61.0),
        (3, 59.0, 62.0, grant(group=20), 61.0),
    ):
        session.update(now)
        session.on_timer(answered)
        session.answered(number, cca(2001, granted), answered)
        assert [type(each) for each in session.events()] == [Ask, Granted]
        timer = session.next_timer()
        assert timer is not None
        assert timer.deadline == deadline
    session.on_timer(62.0)
    assert session.events() == [Ask(UPDATE, 4, "VALIDITY_TIME")]
    session.answered(4, cca(2001, grant(), grant(group=20)), 63.0)
    assert session.next_timer() is None


def test_units_that_are_valid_for_no_time_are_not_asked_for_without_end() -> None:
    session = opened(None, ("Multiple-Services-Credit-Control", [("Rating-Group", 10), ("Validity-Time", 0)]))
    timer = session.next_timer()
    assert timer is not None
    assert timer.deadline == 2.0


def test_an_rar_asks_again_and_while_a_ccr_is_under_way_does_not() -> None:
    session = opened(None, grant())
    assert session.re_auth(2.0)
    assert session.events() == [Ask(UPDATE, 1, "FORCED_REAUTHORISATION")]
    assert not session.re_auth(3.0)
    session.answered(1, cca(2001, grant()), 4.0)
    assert len(session.events()) == 1


def test_an_rar_asks_again_after_a_ccr_about_a_part_of_the_session() -> None:
    session = opened(None, grant(), grant(group=20))
    session.update(2.0, "credit")
    assert session.re_auth(3.0, partly=True)
    session.update(3.0, "credit")
    session.answered(1, cca(2001, grant()), 4.0)
    assert session.events()[2:] == [Ask(UPDATE, 2, "FORCED_REAUTHORISATION")]


def test_an_answer_to_an_earlier_request_means_nothing() -> None:
    session = opened(None, grant())
    session.update(2.0)
    session.events()
    session.answered(0, cca(4012), 3.0)
    session.failed(0, "lost", 3.0)
    assert session.events() == []
    assert session.state is State.PENDING_U


def test_a_session_that_never_began_ends_in_silence() -> None:
    session = CreditSession()
    session.stop(0.0)
    assert session.events() == []
    session.start(1.0)
    assert session.events() == []
