"""The operator's hand: who may change what restricts a card, on whose word, and how often."""

from simwarden.policy.operator import judge_binder, judge_change, judge_frequency, judge_provisioned, judge_role


def test_only_the_operator_binds() -> None:
    assert judge_binder(role="operator").admitted
    refused = judge_binder(role="customer", caller="buyer")
    assert not refused.admitted
    assert refused.reason == "buyer may not bind, the operator does"
    unnamed = judge_binder(role="customer", action="change the area")
    assert unnamed.reason == "the customer may not change the area, the operator does"


def test_a_change_needs_its_approval_record() -> None:
    assert judge_change(approver="Li", reason="meter replaced", form="F-17").admitted
    refused = judge_change(approver="Li", reason=" ", form="")
    assert not refused.admitted
    assert "reason, form missing" in refused.reason


def test_so_many_changes_a_period() -> None:
    assert judge_frequency(changes=1, most=2, period="month").admitted
    refused = judge_frequency(changes=2, most=2, period="month", what="area")
    assert not refused.admitted
    assert refused.reason == "the area was changed 2 times this month"
    assert not judge_frequency(changes=0, most=0, period="day").admitted


def test_a_held_card_keeps_what_restricts_it() -> None:
    assert judge_provisioned(changed=False, what="area").admitted
    refused = judge_provisioned(changed=True, what="area")
    assert (refused.admitted, refused.reason) == (False, "the area of a held card is changed with an approval record")


def test_a_call_is_for_its_roles_only() -> None:
    assert judge_role(role="operator", roles={"operator"}, call="GET /audit").admitted
    assert judge_role(role="customer", roles={"operator", "customer"}, call="GET /").admitted
    refused = judge_role(role="customer", roles={"operator"}, call="GET /audit")
    assert (refused.admitted, refused.reason) == (False, "GET /audit is for the operator only")
