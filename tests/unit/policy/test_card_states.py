"""The table of a card's states: what must hold whatever is done to a card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.card_states import (
    SERVED,
    TRANSITIONS,
    CardState,
    Operation,
    judge_bindable,
    judge_state,
    judge_transition,
)

OPERATIONS = st.lists(st.sampled_from(Operation), max_size=30)


def _after(state: CardState, operation: Operation) -> CardState:
    ruling = judge_transition(state=state, operation=operation)
    return CardState(ruling.details["after"]) if ruling.admitted else state


@given(state=st.sampled_from(CardState), operation=st.sampled_from(Operation))
def test_the_rule_is_the_table(state: CardState, operation: Operation) -> None:
    ruling = judge_transition(state=state, operation=operation)
    assert ruling.admitted == ((state, operation) in TRANSITIONS)
    assert ruling.details["seen"] == state.value


@given(OPERATIONS)
def test_what_is_closed_stays_closed_and_is_never_served(operations: list[Operation]) -> None:
    state = CardState.CLOSED
    for operation in operations:
        state = _after(state, operation)
    assert state is CardState.CLOSED
    assert not judge_state(state=state).admitted


@given(OPERATIONS)
def test_a_card_is_served_only_after_it_was_given_out(operations: list[Operation]) -> None:
    state, given_out = CardState.STOCK, False
    for operation in operations:
        state = _after(state, operation)
        given_out = given_out or operation in (Operation.TEST, Operation.ISSUE)
        assert given_out or state not in SERVED


@given(state=st.sampled_from(CardState))
def test_the_operator_can_stop_and_end_each_card_that_is_not_at_its_end(state: CardState) -> None:
    if state is CardState.CLOSED:
        return
    stopped = _after(state, Operation.SUSPEND)
    assert not judge_state(state=stopped).admitted
    assert _after(stopped, Operation.CLOSE) is CardState.CLOSED
    assert _after(state, Operation.CLOSE) is CardState.CLOSED


def test_each_state_but_the_first_is_reached_and_only_the_last_is_final() -> None:
    assert set(TRANSITIONS.values()) == set(CardState)
    assert {state for state, _ in TRANSITIONS} == set(CardState) - {CardState.CLOSED}


def test_cards_in_their_test_period_and_after_their_end_are_not_bound() -> None:
    assert [state for state in CardState if not judge_bindable(state=state).admitted] == [
        CardState.TEST,
        CardState.TEST_SUSPENDED,
        CardState.CLOSED,
    ]


@pytest.mark.parametrize("state", [CardState.STOCK, CardState.TEST, CardState.ACTIVE])
def test_a_card_that_is_resumed_is_what_it_was(state: CardState) -> None:
    stopped = _after(state, Operation.SUSPEND)
    assert stopped not in SERVED
    assert _after(stopped, Operation.RESUME) is state
    assert not judge_transition(state=stopped, operation=Operation.ISSUE).admitted


#: each state with where operations lead from it, as the guideline and operators' platforms have it
_TABLE = {
    "stock": "test=test issue=to-activate suspend=stock-suspended close=closed",
    "test": "issue=to-activate suspend=test-suspended pre-cancel=pre-cancelled close=closed",
    "to-activate": "first-use=active activate=active suspend=suspended pre-cancel=pre-cancelled close=closed",
    "active": "suspend=suspended pre-cancel=pre-cancelled close=closed",
    "suspended": "resume=active pre-cancel=pre-cancelled close=closed",
    "test-suspended": "resume=test pre-cancel=pre-cancelled close=closed",
    "stock-suspended": "resume=stock close=closed",
    "pre-cancelled": "suspend=suspended restore=suspended close=closed",
    "closed": "",
}


@pytest.mark.parametrize("state", CardState)
def test_the_table_is_this_one(state: CardState) -> None:
    wanted = dict(each.split("=") for each in _TABLE[state.value].split())
    rulings = {operation.value: judge_transition(state=state, operation=operation) for operation in Operation}
    assert {word: ruling.details["after"] for word, ruling in rulings.items() if ruling.admitted} == wanted
    assert {ruling.details["after"] for ruling in rulings.values() if not ruling.admitted} == {""}
    assert judge_state(state=state).admitted is (state.value in ("test", "to-activate", "active"))
    assert judge_bindable(state=state).admitted is (state.value not in ("test", "test-suspended", "closed"))
