"""Guideline 2.1.2: cards that cannot be taken out, or fit one kind of terminal only."""

from __future__ import annotations

from simwarden.model.form import FormFactor, Slot, fits
from simwarden.model.values import instance_of, members, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells


@tells(expected=members(FormFactor) | instance_of("device"), seen=instance_of("device") | one_of("nowhere"))
def judge_form(*, form: FormFactor, home: str, terminal: str, slot: Slot) -> Ruling:
    """Rule whether a card goes into a terminal, or, with `terminal` empty, comes out of it by hand.

    `home` is the terminal that it was first put into, empty before that.
    """
    facts = {"expected": home or form.value, "seen": terminal or "nowhere"}
    if home and terminal != home and not form.removable:
        return Ruling.refuse(f"a {form.value} card stays in {home}", **facts)
    if not terminal:
        return Ruling.admit(f"a {form.value} card comes out", **facts)
    if form is FormFactor.ODD_SHAPED and home not in ("", terminal) and slot is not Slot.ODD_SHAPED:
        return Ruling.refuse(f"an odd-shaped card made for {home} does not fit into {terminal}", **facts)
    if not fits(form, slot):
        kind = slot.name.lower().replace("_", "-")
        return Ruling.refuse(f"a {form.value} card does not fit into the {kind} slot of {terminal}", **facts)
    return Ruling.admit(f"a {form.value} card fits into {terminal}", **facts)
