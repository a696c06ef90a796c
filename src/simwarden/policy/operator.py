"""The operator's hand (guideline 2.1.3, 1.1 to 1.3): who may change what restricts a card, on whose word, how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.model.values import GIVEN, NUMBER, one_of, shaped
from simwarden.policy.decision import Control, Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ROLE = one_of("operator", "customer", "network")
_SCOPE = shaped("a scope such as iot-sim-fraud-prevention:bind", r"[a-z0-9.-]+:[a-z-]+")


@tells(expected=_ROLE, seen=_ROLE)
def judge_binder(*, role: str, caller: str = "", action: str = "bind") -> Ruling:
    """Rule whether somebody may change what restricts a card; `role` is that of the management interface."""
    facts = {"expected": "operator", "seen": role}
    if role == "operator":
        return Ruling.admit("it is the operator", **facts)
    return Ruling.refuse(f"{caller or 'the ' + role} may not {action}, the operator does", **facts)


@tells(seen=GIVEN.or_none())
def judge_change(*, approver: str, reason: str, form: str) -> Ruling:
    """Rule on a change: it needs an approval record, with who is responsible, why, and the signed form."""
    missing = [name for name, text in (("approver", approver), ("reason", reason), ("form", form)) if not text.strip()]
    if missing:
        return Ruling.refuse(f"the change has no approval record: {', '.join(missing)} missing", seen=approver)
    return Ruling.admit(f"approved by {approver}", seen=approver)


@tells(seen=one_of("another one"))
def judge_provisioned(*, changed: bool, what: str) -> Ruling:
    """Rule on provisioning a card anew that is held: what restricts it is changed with an approval record only."""
    if changed:
        return Ruling.refuse(f"the {what} of a held card is changed with an approval record", seen="another one")
    return Ruling.admit(f"the {what} stays as it is")


@tells(expected=_ROLE, seen=_ROLE)
def judge_role(*, role: str, roles: Collection[str], call: str) -> Ruling:
    """Rule whether somebody may make a call of a management interface, which is for some roles only."""
    facts = {"expected": sorted(roles), "seen": role}
    if role in roles:
        return Ruling.admit(f"{call} is for the {role}", **facts)
    return Ruling.refuse(f"{call} is for the {' or '.join(sorted(roles))} only", **facts)


@tells(seen=NUMBER, expected=NUMBER)
def judge_frequency(*, changes: int, most: int, period: str, what: str = "binding") -> Ruling:
    """Rule on one more change of a binding (or of `what`) in a period, by the number of those that there were."""
    if changes >= most:
        return Ruling.refuse(f"the {what} was changed {changes} times this {period}", seen=changes, expected=most)
    return Ruling.admit(f"change {changes + 1} of {most} this {period}", seen=changes, expected=most)


@tells(expected=GIVEN, seen=GIVEN.or_none())
def judge_owner(*, account: str, accounts: Collection[str], caller: str = "") -> Ruling:
    """Rule whether a customer may know of a card: one of an account that is its own.

    What is refused looks the same for a card of somebody else and for none (`account` empty).
    """
    own = sorted(accounts)
    if account and account in accounts:
        return Ruling.admit("the card is the customer's own", expected=own, seen=account)
    return Ruling.refuse(f"the card is none of {caller or 'the customer'}'s", expected=own)


@tells(expected=_SCOPE, seen=_SCOPE)
def judge_scope(*, scope: str, scopes: Collection[str], client: str = "") -> Ruling:
    """Rule whether a token is good for an operation: for its scope (OAuth 2.0, RFC 6749 3.3)."""
    facts = {"expected": scope, "seen": sorted(scopes)}
    if scope in scopes:
        return Ruling.admit("the token has the scope", **facts)
    return Ruling.refuse(f"the token of {client or 'the client'} is not for {scope}", **facts)


@dataclass(frozen=True, slots=True)
class ChangeControls:
    """The controls of changes of `what` restricts a card: of those without occasions an element has none."""

    what: str
    operator: Control
    approval: Control
    changes: Control
    held: Control

    @property
    def declared(self) -> tuple[Control, ...]:
        """Those that an element declares."""
        return tuple(each for each in (self.operator, self.approval, self.changes, self.held) if each.occasions)


def declared_controls(module: Mapping[str, object]) -> tuple[Control, ...]:
    """Return the controls that a module defines, those of changes among them, in their order; pass its `globals()`."""
    found: list[Control] = []
    for value in module.values():
        if isinstance(value, ChangeControls):
            found += value.declared
        elif isinstance(value, Control):
            found.append(value)
    return tuple(dict.fromkeys(found))  # an alias counts once


def change_controls(
    prefix: str,
    what: str,
    *,
    approval: tuple[str, ...],
    operator: tuple[str, ...] = (),
    changes: tuple[str, ...] = (),
    held: tuple[str, ...] = ("provision",),
    requirement: str = "",
    change: str = "",
    alone: str = "",
    approved: str = "",
    cardless: tuple[str, ...] = (),
) -> ChangeControls:
    """Return them with their occasions and by one scheme of ids: `bind.operator`, `.approval`, `.changes` and `.held`.

    `requirement` is that of the operator's alone, `change` that of changes, where it is not called by the prefix;
    `alone` and `approved` are titles that say more than others; `cardless` are occasions that are about no card.
    """

    def about_no_card(occasions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in occasions if each in cardless)

    change, a = change or f"{prefix}.change", "An" if what[0] in "aeiou" else "A"
    approved = approved or f"A changed {what} has its approval record"
    return ChangeControls(
        what,
        Control(
            f"{prefix}.operator", requirement or change, judge_binder, operator, alone, cardless=about_no_card(operator)
        ),
        Control(f"{prefix}.approval", change, judge_change, approval, approved, cardless=about_no_card(approval)),
        Control(f"{prefix}.changes", change, judge_frequency, changes, f"{a} {what} is changed so many times a period"),
        Control(
            f"{prefix}.held", change, judge_provisioned, held, f"Provisioning anew changes no {what} that a card has"
        ),
    )


#: occasions on which the list of numbers that a card has is given, changed and taken away
PROVISION, CHANGE_LIST, END_LIST = "provision", "change-the-list", "end-the-list"


def list_controls(prefix: str, alone: str) -> ChangeControls:
    """Return those of the list of numbers with which a card has calls or exchanges messages."""
    on = (CHANGE_LIST, END_LIST)
    return change_controls(prefix, "list", operator=on, approval=on, changes=on, change="fn.change", alone=alone)
