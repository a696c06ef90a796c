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
    from simwarden.policy.decision import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """`what` restricts, and the controls that an element has on its changes.

    `changed` are the actions of the audit records by which changes are counted: that it begins is none.
    """

    audit: Audit
    what: str
    approval: Control
    operator: Control | None = None
    held: Control | None = None
    frequency: Control | None = None
    limit: ChangeLimit = field(default_factory=ChangeLimit)
    changed: tuple[str, ...] = ()

    def approve(self, subject: str, by: By, action: str, *, wanted: str = "") -> None:
        """Let the operator alone change it, with an approval record. Raises ManagementError (403)."""
        if self.operator is not None:
            self.audit.require(self.operator, subject, by, action, by.asks(action), wanted=wanted)
        self.audit.require(self.approval, subject, by, action, by.approval, wanted=wanted)

    def once_more(self, subject: str, by: By, action: str) -> None:
        """Let what is held be changed so many times a period. Raises ManagementError (429)."""
        if self.frequency is not None:
            self.audit.within(
                self.frequency,
                subject,
                by,
                action,
                limit=self.limit,
                changes=lambda since: self.audit.count(subject, self.changed, since),
                what=self.what,
            )

    def stays(self, subject: str, by: By, *, changed: bool) -> None:
        """Let provisioning anew leave what is held as it is. Raises ManagementError (409)."""
        if self.held is not None:
            facts = {"changed": changed, "what": self.what}
            self.audit.require(self.held, subject, by, "provision", facts, status=409)

    def record(self, action: str, subject: str, by: By, details: Mapping[str, Any]) -> dict[str, Any]:
        """Make the record of a change with its approval; whoever stores the change keeps it."""
        return self.audit.record(action, subject, {**details, **by.approval}, by)
