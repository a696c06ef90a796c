"""What restricts a card, and how it is changed: by the operator, with an approval record, so many times a period.

A binding, an area and a pool are such. What one element asks about one of them is declared once; each change and each
refusal leaves an audit record, of which events tell where somebody takes them (see `audit_table`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwarden.operations.approval import ChangeLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.operations.approval import Audit, By
    from simwarden.policy.operator import ChangeControls


@dataclass(frozen=True, slots=True)
class Restriction:
    """What the `controls` of one element are about.

    `changed` are the actions of the audit records by which changes are counted: that it begins is none.
    """

    audit: Audit
    controls: ChangeControls
    limit: ChangeLimit = field(default_factory=ChangeLimit)
    changed: tuple[str, ...] = ()

    def approve(self, subject: str, by: By, action: str, *, wanted: str = "") -> None:
        """Let the operator alone change it, with an approval record. Raises ManagementError (403)."""
        for control, facts in ((self.controls.operator, by.asks(action)), (self.controls.approval, by.approval)):
            if control.occasions:
                self.audit.require(control, subject, by, action, facts, wanted=wanted)

    def once_more(self, subject: str, by: By, action: str) -> None:
        """Let what is held be changed so many times a period. Raises ManagementError (429)."""
        control, limit = self.controls.changes, self.limit
        if control.occasions:
            made = self.audit.count(subject, self.changed, self.audit.period_start(limit.period))
            facts = {"changes": made, "most": limit.changes, "period": limit.period, "what": self.controls.what}
            self.audit.require(control, subject, by, action, facts, status=429)

    def stays(self, subject: str, by: By, *, changed: bool) -> None:
        """Let provisioning anew leave what is held as it is. Raises ManagementError (409)."""
        facts = {"changed": changed, "what": self.controls.what}
        self.audit.require(self.controls.held, subject, by, "provision", facts, status=409)

    def record(self, action: str, subject: str, by: By, details: Mapping[str, Any]) -> dict[str, Any]:
        """Make the record of a change with its approval; whoever stores the change keeps it."""
        return self.audit.record(action, subject, {**details, **by.approval}, by)
