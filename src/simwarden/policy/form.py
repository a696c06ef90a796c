"""Guideline 2.1.2: cards that cannot be taken out, or fit one kind of terminal only."""

from __future__ import annotations

from simwarden.model.form import FormFactor, Slot, fits
from simwarden.policy.decision import Ruling


def may_be_placed(*, form: FormFactor, slot: Slot, terminal: str, home: str) -> Ruling:
    """Rule whether a card goes into a terminal. `home` is the terminal that it was first put into, empty before."""
    facts = {"expected": home or form.value, "seen": terminal}
    if home and terminal != home:
        if not form.removable:
            return Ruling.refuse(f"a {form.value} card stays in {home}", **facts)
        if form is FormFactor.ODD_SHAPED and slot is not Slot.ODD_SHAPED:
            return Ruling.refuse(f"an odd-shaped card made for {home} does not fit into {terminal}", **facts)
    if not fits(form, slot):
        kind = slot.name.lower().replace("_", "-")
        return Ruling.refuse(f"a {form.value} card does not fit into the {kind} slot of {terminal}", **facts)
    return Ruling.admit(f"a {form.value} card fits into {terminal}", **facts)


def may_be_pulled(*, form: FormFactor, terminal: str) -> Ruling:
    """Rule whether a card comes out of a terminal by hand."""
    if form.removable:
        return Ruling.admit(f"a {form.value} card comes out of {terminal}", seen=terminal)
    return Ruling.refuse(f"a {form.value} card cannot be taken out of {terminal}", expected=terminal, seen=terminal)
