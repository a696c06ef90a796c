"""What is asked before something that restricts a card is changed, whatever it is: here a quota."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from simwarden.errors import ManagementError
from simwarden.operations.approval import Audit, By, ChangeLimit
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.management import Role
from simwarden.operations.restriction import Restriction
from simwarden.policy.decision import Control, Decision, Verdict
from simwarden.policy.operator import change_controls
from simwarden.runtime.clock import CHINA

IMSI = "001010000000001"
FORM: dict[str, Any] = {"approver": "A. Liu", "reason": "more meters", "form": "F-1"}
ON = ("change-the-quota",)
QUOTA = change_controls("quota", "quota", operator=ON, approval=ON, changes=ON)


class Site:
    """Decides by the rule itself, at a moment."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 31, 9, 30, tzinfo=dt.UTC)
        self.clock = SimpleNamespace(wall=lambda: self.now, local=lambda: self.now.astimezone(CHINA))

    def decide(self, control: Control, subject: str = "", *, on: str, **facts: Any) -> Decision:
        assert on in control.occasions
        ruling = control.rule(**facts)
        verdict = Verdict.ADMIT if ruling.admitted else Verdict.REFUSE
        return Decision(control, verdict, ruling.reason, subject, ruling.details, on)


def _status(call: Any, *given: Any, **more: Any) -> int:
    with pytest.raises(ManagementError) as refusal:
        call(*given, **more)
    return refusal.value.status


def test_it_is_changed_by_the_operator_with_an_approval_so_often_and_all_of_it_is_kept() -> None:
    metadata, site = sa.MetaData(), Site()
    table, engine = AuditTable(metadata), sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata.create_all(engine)
    audit = Audit(
        site,  # type: ignore[arg-type]
        lambda record: table.keep(engine, record),
        count=lambda *asked: table.count(engine, *asked),
    )
    quota = Restriction(audit, QUOTA, ChangeLimit(changes=2, period="month"), ("raise", "lower"))
    by = By(**FORM)
    assert _status(quota.approve, IMSI, By(Role.CUSTOMER, **FORM), "change the quota") == 403
    assert _status(quota.approve, IMSI, By(), "change the quota", wanted="1 GB") == 403
    for action in ("quota", "raise", "lower"):  # that it begins does not count
        quota.approve(IMSI, by, "change the quota")
        quota.once_more(IMSI, by, "change the quota")
        table.keep(engine, quota.record(action, IMSI, by, {"before": "", "after": "1 GB"}))
    assert _status(quota.once_more, IMSI, by, "change the quota") == 429
    quota.once_more("001010000000002", by, "change the quota")  # another card's changes count apart
    quota.stays(IMSI, by, changed=False)
    assert _status(quota.stays, IMSI, by, changed=True) == 409
    site.now += dt.timedelta(days=1)
    quota.once_more(IMSI, by, "change the quota")
    kept = table.read(engine, IMSI)
    engine.dispose()
    refused = "change-the-quota-refused"
    assert [each["action"] for each in kept] == [
        *[refused] * 2,
        "quota",
        "raise",
        "lower",
        refused,
        "provision-refused",
    ]
    assert [each["details"].get("control", "") for each in kept] == [
        "quota.operator",
        "quota.approval",
        "",
        "",
        "",
        "quota.changes",
        "quota.held",
    ]
    assert (kept[1]["details"]["wanted"], kept[2]["details"]) == ("1 GB", {"before": "", "after": "1 GB", **FORM})


def test_what_an_element_has_no_control_for_is_not_asked() -> None:
    kept: list[dict[str, Any]] = []
    pool = Restriction(Audit(Site(), kept.append), change_controls("bind", "pool", approval=ON))  # type: ignore[arg-type]
    pool.approve(IMSI, By(Role.CUSTOMER, **FORM), "change the quota")
    pool.once_more(IMSI, By(), "change the quota")
    assert kept == []
