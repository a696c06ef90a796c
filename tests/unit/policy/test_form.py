"""Where a card goes, by its form."""

from typing import Any

import pytest

from simwarden.model.form import FormFactor, Slot
from simwarden.policy.form import judge_form


@pytest.mark.parametrize(
    ("form", "home", "terminal", "slot", "admitted"),
    [
        (FormFactor.PLUG_IN, "", "meter", Slot.ANY, True),
        (FormFactor.PLUG_IN, "meter", "phone", Slot.PLUG_IN, True),
        (FormFactor.PLUG_IN, "meter", "phone", Slot.MINI, False),
        (FormFactor.NANO, "meter", "phone", Slot.PLUG_IN, True),
        (FormFactor.PLUG_IN, "meter", "phone", Slot.BOARD, False),
        (FormFactor.SOLDERED, "", "meter", Slot.BOARD, True),
        (FormFactor.SOLDERED, "", "meter", Slot.PLUG_IN, False),
        (FormFactor.SOLDERED, "meter", "meter", Slot.ANY, True),
        (FormFactor.SOLDERED, "meter", "phone", Slot.BOARD, False),
        (FormFactor.SOLDERED, "meter", "", Slot.ANY, False),
        (FormFactor.EUICC, "meter", "", Slot.ANY, False),
        (FormFactor.ODD_SHAPED, "meter", "", Slot.ANY, True),
        (FormFactor.ODD_SHAPED, "", "meter", Slot.ANY, True),
        (FormFactor.ODD_SHAPED, "meter", "meter", Slot.ANY, True),
        (FormFactor.ODD_SHAPED, "meter", "phone", Slot.ANY, False),
        (FormFactor.ODD_SHAPED, "meter", "meter2", Slot.ODD_SHAPED, True),
        (FormFactor.ODD_SHAPED, "", "phone", Slot.NANO, False),
    ],
)
def test_what_fits_where(form: FormFactor, home: str, terminal: str, slot: Slot, admitted: bool) -> None:  # noqa: FBT001
    assert judge_form(form=form, home=home, terminal=terminal, slot=slot).admitted is admitted
    assert FormFactor("mff2") is FormFactor.SOLDERED


def test_it_is_told_where_a_card_belongs_and_before_its_first_terminal_what_form_it_has() -> None:
    soldered: dict[str, Any] = {"form": FormFactor.SOLDERED, "slot": Slot.BOARD}
    assert judge_form(home="meter", terminal="phone", **soldered).details == {"expected": "meter", "seen": "phone"}
    assert judge_form(home="", terminal="meter", **soldered).details["expected"] == FormFactor.SOLDERED.value
    assert judge_form(home="meter", terminal="", **soldered).details["seen"] == "nowhere"
