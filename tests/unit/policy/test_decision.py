"""What travels to another process of a control and of a decision, and what does not."""

from __future__ import annotations

import pickle

import pytest

from simwarden.policy.decision import Control, Decision, Ruling, Verdict


def test_a_decision_travels_without_the_rule() -> None:
    control = Control(
        "bind.x", "bind.hss.given", lambda: Ruling.admit("yes"), ("attach",), "A control", section="binding"
    )
    decision = Decision(control, Verdict.REFUSE, "why", "001010000000001", {"seen": "a"})
    found = pickle.loads(pickle.dumps(decision))  # noqa: S301 - our own octets
    assert (found.verdict, found.admitted, found.reason, found.subject) == (
        Verdict.REFUSE,
        False,
        "why",
        decision.subject,
    )
    assert (found.details, found.control.id, found.control.section) == ({"seen": "a"}, "bind.x", "binding")
    with pytest.raises(TypeError, match="stayed"):  # asked there, it must not seem to say anything
        found.control.rule()


def test_a_ruling_says_what_its_name_says() -> None:
    assert (Ruling.admit("a", seen=1).admitted, Ruling.refuse("b").admitted) == (True, False)
    assert Ruling.admit("a", seen=1).details == {"seen": 1}
