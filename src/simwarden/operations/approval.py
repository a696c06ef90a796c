"""Changes by somebody's hand: who makes them, the approval record that they need, and the audit that is kept of them.

Whatever restricts a card is changed in the same way, a binding or an area (guideline 2.1.3, 1.1 to 1.3): by the
operator only, with an approval record, so many times a period. Each change leaves an audit record, and so does each
that was refused.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, field_validator, model_validator

from simwarden.errors import ManagementError
from simwarden.model.identity import bindable_imei
from simwarden.operations.management import Call, Caller, Role
from simwarden.runtime.declare import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.site import Site

Period = Literal["day", "month", "year"]


#: it is kept with each refusal of a customer too, who is to fill no disk
_Words = Annotated[str, Field(max_length=500)]


class Approval(Model):
    """The record that a change needs: who is responsible, why, and the reference of the signed form."""

    approver: _Words = ""
    reason: _Words = ""
    form: _Words = ""


M = TypeVar("M", bound=Model)


def without_approval(model: type[M], given: Model) -> M:
    """Return what the body of a change asks for, without its approval record."""
    return model.model_validate(given.model_dump(include=set(model.model_fields)))


class TerminalBinding(Model):
    """Which terminal a card is bound to: the one of an IMEI given beforehand, or that of its first use."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["imei"]}, {"required": ["learn"]}]})

    imei: str = ""
    """The IMEI given, 14 to 16 digits."""
    learn: Literal["", "first-use"] = ""
    """Learn it from the first use."""

    @model_validator(mode="after")
    def _one(self) -> TerminalBinding:
        if bool(self.imei) == bool(self.learn):
            raise ValueError("give imei, or learn: first-use")
        return self

    @field_validator("imei")
    @classmethod
    def _is_imei(cls, value: str) -> str:
        return bindable_imei(value) if value else ""

    @property
    def mode(self) -> str:
        """How the card is bound: `given` or `learned`."""
        return "given" if self.imei else "learned"


#: an IMEI as a body gives it; in a scenario a terminal's name may stand for it
ImeiGiven = Annotated[str, Field(json_schema_extra={"pattern": "^([0-9]{14,16})?$"})]


class BindingChange(Approval, TerminalBinding):
    """Body of `PUT /cards/{imsi}/binding`."""

    imei: ImeiGiven = ""
    """The IMEI given, 14 to 16 digits."""


class ChangeLimit(Model):
    """How often what restricts a card may be changed; that it is restricted for the first time does not count."""

    changes: int = Field(default=2, ge=0)
    """Changes in a period."""
    period: Period = "month"
    """The period in which they are counted, by the calendar."""


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, with the approval record: a role and a name, who is responsible, why, and the form.

    `accounts` are those whose cards are a customer's own.
    """

    role: Role = Role.OPERATOR
    caller: str = ""
    approver: str = ""
    reason: str = ""
    form: str = ""
    accounts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, call: Call) -> By:
        """Return who makes a call, with the approval record in its body."""
        given = {name: str(call.body.get(name, "")) for name in Approval.model_fields}
        return cls(call.role, call.caller, **given, accounts=call.accounts)

    @property
    def approval(self) -> dict[str, str]:
        """The approval record."""
        return {"approver": self.approver, "reason": self.reason, "form": self.form}

    def asks(self, action: str) -> dict[str, str]:
        """Return what the control that lets the operator alone do something wants to know."""
        return {"role": self.role.value, "caller": self.caller, "action": action}


class Audit:
    """The audit of one element: it makes the records, and has refusals kept by `keep` (the store's).

    `count` tells how often some actions were carried out on a subject since a time; by default it is not known.
    """

    def __init__(
        self,
        site: Site,
        keep: Callable[[dict[str, Any]], None] = lambda _: None,
        key: str = "imsi",
        count: Callable[[str, tuple[str, ...], str], int] = lambda *_: 0,
    ) -> None:
        """`key` names the kind of subject that its records have."""
        self._site, self._keep, self._key, self.count = site, keep, key, count

    def record(self, action: str, subject: str, details: Mapping[str, Any], by: By | None = None) -> dict[str, Any]:
        """Make a record about an IMSI, or another kind of subject; without `by` it is the network that acts.

        It is kept by whoever stores the change, in the same transaction.
        """
        role, caller = (by.role.value, by.caller) if by is not None else ("network", "")
        at = self._site.clock.wall().isoformat()
        return {
            "at": at,
            "role": role,
            "caller": caller,
            "action": action,
            self._key: subject,
            "details": dict(details),
        }

    def period_start(self, period: Period) -> str:
        """Return the start of the present period of a limit of changes, by the operator's calendar (ISO, UTC)."""
        today = self._site.clock.local().replace(hour=0, minute=0, second=0, microsecond=0)
        if period != "day":
            today = today.replace(day=1)
        return (today.replace(month=1) if period == "year" else today).astimezone(dt.UTC).isoformat()

    def refused_call(self, caller: Caller, call: str, subject: str, decision: Decision) -> None:
        """Keep that somebody made a call which is not for its role."""
        details = {"control": decision.control.id, "refusal": decision.reason, "call": call}
        self._keep(self.record("call-refused", subject, details, By(caller.role, caller.name)))

    def require(
        self,
        control: Control,
        imsi: str,
        by: By,
        action: str,
        facts: Mapping[str, Any],
        *,
        on: str = "",
        status: int = 403,
        wanted: str = "",
    ) -> Decision:
        """Ask a control about an operation; a refusal is kept, with what was `wanted`. Raises ManagementError.

        The occasion is the action (`change the area`: `change-the-area`), unless it is one of several actions `on` it.
        """
        done = action.replace(" ", "-")
        decision = self._site.decide(control, imsi, on=on or done, **facts)
        if not decision.admitted:
            details = {"control": control.id, "refusal": decision.reason, **by.approval}
            if wanted:
                details["wanted"] = wanted
            self._keep(self.record(f"{done}-refused", imsi, details, by))
            raise ManagementError(status, decision.reason)
        return decision
