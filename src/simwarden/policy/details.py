"""What the details of a rule's rulings may hold: each rule declares them beside its code, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simwarden.model.values import Values
    from simwarden.policy.decision import Ruling

R = TypeVar("R", bound="Callable[..., Ruling]")
_MARK = "_details"
#: the details of all rules that were declared, by name
DETAILS: dict[str, Values] = {}


def tells(**details: Values) -> Callable[[R], R]:
    """Declare all that the details of a rule's rulings may hold; a rule without it may tell anything."""

    def mark(rule: R) -> R:
        setattr(rule, _MARK, details)
        for name, values in details.items():
            DETAILS[name] = DETAILS[name] | values if name in DETAILS else values
        return rule

    return mark


def details_of(rule: Callable[..., Ruling]) -> Mapping[str, Values] | None:
    """Return the details that a rule declares; None where there is no telling."""
    found: Mapping[str, Values] | None = getattr(rule, _MARK, None)
    return found
