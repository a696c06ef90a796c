"""The interlock of card and terminal, from either side."""

import pytest

from simwarden.model.identity import Imei
from simwarden.policy.interlock import card_serves_terminal, terminal_accepts_card

BOUND = Imei("35145120840121")


@pytest.mark.parametrize(
    ("seen", "fail_open", "admitted"),
    [
        ("351451208401216", False, True),
        ("35145120840121", False, True),
        ("3514512084012199", False, True),
        ("359900000000016", False, False),
        ("359900000000016", True, False),
        ("", False, False),
        ("", True, True),
    ],
)
def test_the_rule(seen: str, fail_open: bool, admitted: bool) -> None:  # noqa: FBT001
    ruling = card_serves_terminal(bound="35145120840121", seen=seen, fail_open=fail_open)
    assert ruling.admitted is admitted
    assert ruling.details == {"expected": BOUND.imei, "seen": Imei(seen[:14]).imei if seen else ""}


@pytest.mark.parametrize(
    ("bound", "seen", "admitted"),
    [
        ("", "359900000000016", True),
        ("35145120840121", "351451208401216", True),
        ("35145120840121", "3514512084012199", True),
        ("35145120840121", "359900000000016", False),
    ],
)
def test_the_terminals_rule(bound: str, seen: str, admitted: bool) -> None:  # noqa: FBT001
    ruling = terminal_accepts_card(bound=bound, seen=seen)
    assert ruling.admitted is admitted
    assert ruling.details == {"expected": BOUND.imei if bound else "", "seen": Imei(seen[:14]).imei}
