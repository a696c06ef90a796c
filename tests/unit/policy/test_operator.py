"""The operator's hand: who may change what restricts a card, on whose word, and how often."""

from simwarden.policy.operator import (
    change_controls,
    judge_binder,
    judge_change,
    judge_frequency,
    judge_owner,
    judge_provisioned,
    judge_role,
    judge_scope,
)


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


def test_a_customer_knows_of_its_own_cards_only() -> None:
    own = judge_owner(account="water", accounts={"water", "gas"})
    assert (own.admitted, dict(own.details)) == (True, {"expected": ["gas", "water"], "seen": "water"})
    for account, accounts in (("gas", {"water"}), ("", {"water"}), ("", {""})):
        assert not judge_owner(account=account, accounts=accounts).admitted
    said = [judge_owner(account="", accounts=(), caller=caller).reason for caller in ("buyer", "")]
    assert said == ["the card is none of buyer's", "the card is none of the customer's"]


def test_a_token_is_good_for_its_scopes() -> None:
    assert judge_scope(scope="sim:bind", scopes={"sim:bind", "sim:query"}).admitted
    for client, whose in (("meters", "meters"), ("", "the client")):
        refused = judge_scope(scope="sim:bind", scopes={"sim:query"}, client=client)
        assert (refused.admitted, refused.reason) == (False, f"the token of {whose} is not for sim:bind")


def test_controls_of_changes_are_made_by_one_scheme() -> None:
    area = change_controls("area", "area", approval=("change",), operator=("change", "end"), cardless=("end",))
    assert [each.id for each in area.declared] == ["area.operator", "area.approval", "area.held"]
    assert [each.requirement for each in area.declared] == ["area.change"] * 3
    assert [each.cardless for each in area.declared] == [("end",), (), ()]
    assert (area.approval.title, area.changes.title[:9]) == ("A changed area has its approval record", "An area i")
    bind = change_controls(
        "bind", "binding", approval=("change",), requirement="bind.operator", change="fn.change", approved="Approved"
    )
    assert (bind.approval.title, bind.changes.title[:10]) == ("Approved", "A binding ")
    assert (bind.operator.requirement, bind.approval.requirement) == ("bind.operator", "fn.change")
