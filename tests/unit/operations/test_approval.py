"""What elements share of changes by somebody's hand: bodies, approval records, audit, and who may do what."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from simwarden.errors import ManagementError
from simwarden.operations.approval import Audit, BindingChange, By, ChangeLimit
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.management import Call, Role, validated
from simwarden.operations.provision import CardProvision
from simwarden.operations.restriction import Restriction
from simwarden.policy.decision import Control, Decision, Verdict
from simwarden.policy.operator import change_controls, judge_binder, judge_change
from simwarden.runtime.clock import CHINA

IMSI, IMEI = "001010000000001", "990002010000022"
FORM: dict[str, Any] = {"approver": "A. Liu", "reason": "meter replaced", "form": "F-1"}
OPERATOR = Control("bind.operator", "bind.operator", judge_binder, ("bind",))
APPROVAL = Control("bind.approval", "bind.operator", judge_change, ("bind",))
NOW = dt.datetime(2026, 3, 17, 9, 30, tzinfo=dt.UTC)


class Site:
    """Decides by the rule itself, at one moment."""

    clock = SimpleNamespace(wall=lambda: NOW, local=lambda: NOW.astimezone(CHINA))

    def decide(self, control: Control, subject: str = "", *, on: str, **facts: Any) -> Decision:
        ruling = control.rule(**facts)
        verdict = Verdict.ADMIT if ruling.admitted else Verdict.REFUSE
        return Decision(control, verdict, ruling.reason, subject, ruling.details, on)


def _call(role: Role, **body: Any) -> Call:
    return Call(role, {"imsi": IMSI}, body, "example-water")


def _body(**more: Any) -> dict[str, Any]:
    keys = {"k": "0" * 32, "opc": "1" * 32}
    return (
        {"name": "card", "imsi": IMSI, "iccid": "", "msisdn": "", "profile": "meter", "form": "soldered"} | keys | more
    )


def test_a_call_carries_its_approval_record() -> None:
    by = By.of(_call(Role.OPERATOR, imei=IMEI, **FORM))
    assert by == By(Role.OPERATOR, "example-water", **FORM)
    assert by.approval == FORM
    assert by.asks("bind") == {"role": "operator", "caller": "example-water", "action": "bind"}
    assert By.of(_call(Role.CUSTOMER, form=17)).form == "17"


@pytest.mark.parametrize("imei", ["0" * 15, "00000000123456", "9" * 16])
def test_nobody_binds_a_card_to_what_many_terminals_say(imei: str) -> None:
    with pytest.raises(ManagementError, match=f"IMEI {imei} is no terminal's"):
        validated(BindingChange, {"imei": imei, **FORM})


def test_a_refusal_is_kept_with_what_was_wanted() -> None:
    kept: list[dict[str, Any]] = []
    audit = Audit(Site(), kept.append)  # type: ignore[arg-type]
    customer, operator = By(Role.CUSTOMER, "example-water", **FORM), By(Role.OPERATOR, "desk")
    with pytest.raises(ManagementError) as refusal:
        audit.require(OPERATOR, IMSI, customer, "bind", customer.asks("bind"), wanted=IMEI)
    assert refusal.value.status == 403
    assert kept == [
        {
            "at": NOW.isoformat(),
            "role": "customer",
            "caller": "example-water",
            "action": "bind-refused",
            "imsi": IMSI,
            "details": {"control": "bind.operator", "refusal": str(refusal.value), **FORM, "wanted": IMEI},
        }
    ]
    with pytest.raises(ManagementError) as refusal:
        audit.require(APPROVAL, IMSI, operator, "bind", operator.approval, status=409)
    assert refusal.value.status == 409
    assert kept[1]["details"]["control"] == "bind.approval"
    assert "wanted" not in kept[1]["details"]


def test_what_is_admitted_is_not_kept_by_the_question() -> None:
    kept: list[dict[str, Any]] = []
    audit = Audit(Site(), kept.append)  # type: ignore[arg-type]
    by = By(**FORM)
    assert audit.require(APPROVAL, IMSI, by, "bind", by.approval).admitted
    assert kept == []


def test_without_anybody_it_is_the_network_that_acts() -> None:
    record = Audit(Site(), lambda _: None, key="subject").record("learn", IMEI, {"mme": "mme"})  # type: ignore[arg-type]
    assert (record["role"], record["caller"], record["subject"]) == ("network", "", IMEI)
    assert "imsi" not in record


@pytest.mark.parametrize(("period", "start"), [("day", "2026-03-16"), ("month", "2026-02-28"), ("year", "2025-12-31")])
def test_changes_are_counted_from_the_midnight_at_which_the_period_began(period: Any, start: str) -> None:
    asked: list[str] = []
    kept: list[dict[str, Any]] = []
    by = By(**FORM)

    def count(_subject: str, _actions: tuple[str, ...], since: str) -> int:
        asked.append(since)
        return len(asked) - 1

    audit = Audit(Site(), kept.append, count=count)  # type: ignore[arg-type]
    controls = change_controls("area", "area", approval=(), changes=("change-the-area",))
    restriction = Restriction(audit, controls, ChangeLimit(changes=1, period=period))
    restriction.once_more(IMSI, by, "change the area")
    with pytest.raises(ManagementError) as refusal:
        restriction.once_more(IMSI, by, "change the area")
    assert (refusal.value.status, str(refusal.value)) == (429, f"the area was changed 1 times this {period}")
    assert asked == [f"{start}T16:00:00+00:00"] * 2
    assert [each["action"] for each in kept] == ["change-the-area-refused"]


def test_the_operator_is_asked_before_the_approval_record() -> None:
    kept: list[dict[str, Any]] = []
    controls = change_controls("bind", "binding", operator=("bind",), approval=("bind",))
    binding = Restriction(Audit(Site(), kept.append), controls)  # type: ignore[arg-type]
    binding.approve(IMSI, By(**FORM), "bind")
    for by in (By(Role.CUSTOMER), By()):
        with pytest.raises(ManagementError):
            binding.approve(IMSI, by, "bind")
    assert [each["details"]["control"] for each in kept] == ["bind.operator", "bind.approval"]


def test_a_binding_is_given_or_learned_and_not_both() -> None:
    assert validated(BindingChange, {"imei": IMEI, **FORM}).mode == "given"
    assert validated(BindingChange, {"learn": "first-use"}).mode == "learned"
    assert validated(BindingChange, {"imei": "", "learn": "first-use"}).mode == "learned"
    for body in ({}, {"imei": IMEI, "learn": "first-use"}, {"imei": "12"}, {"imei": IMEI, "imsi": IMSI}):
        with pytest.raises(ManagementError) as refusal:
            validated(BindingChange, body)
        assert refusal.value.status == 400


def test_the_reason_of_a_wrong_body_tells_where_and_never_what() -> None:
    with pytest.raises(ManagementError) as refusal:
        validated(CardProvision, _body(k=["00112233445566778899aabbccddeeff"]))
    assert str(refusal.value).startswith("k: ")
    assert "0011" not in str(refusal.value)


def test_a_card_has_one_entry_a_section_where_an_element_takes_no_more() -> None:
    entry = {"imei": IMEI}
    wanted = validated(CardProvision, _body(sections={"binding": [entry], "area": [entry, entry]}))
    found = wanted.entry("binding", BindingChange)
    assert found is not None
    assert found.imei == IMEI[:14]
    assert wanted.entry("platform", BindingChange) is None
    assert len(wanted.entries("area", BindingChange)) == 2
    with pytest.raises(ManagementError, match="one area"):
        wanted.entry("area", BindingChange)


def test_audit_records_are_read_in_order_and_counted_from_a_time_on() -> None:
    metadata = sa.MetaData()
    table = AuditTable(metadata)
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    base = {"role": "operator", "caller": "", "details": {"n": 1}}
    for at, action, imsi in (
        ("1", "rebind", IMSI),
        ("2", "rebind", "other"),
        ("2", "unbind", IMSI),
        ("3", "rebind", IMSI),
    ):
        table.keep(engine, {**base, "at": at, "action": action, "imsi": imsi})
    with engine.begin() as connection:
        table.add(connection, [])
    assert [(each["at"], each["action"]) for each in table.read(engine, IMSI)] == [
        ("1", "rebind"),
        ("2", "unbind"),
        ("3", "rebind"),
    ]
    assert len(table.read(engine)) == 4
    assert [table.count(engine, IMSI, "rebind", since) for since in ("1", "2", "4")] == [2, 1, 0]
    engine.dispose()
