"""Form factors of cards, and what fits where: TS 102.221 4 (plug-in sizes), TS 102.671 6 (MFF2), SGP.01 (eUICC)."""

from __future__ import annotations

from enum import Enum, IntEnum


class FormFactor(Enum):
    """How a card is made. The value is the word for files; sizes are known by their short names as well (2ff...)."""

    PLUG_IN = "plug-in"
    MINI = "mini-uicc"
    NANO = "4ff"
    SOLDERED = "soldered"
    EUICC = "esim"
    ODD_SHAPED = "odd-shaped"

    @classmethod
    def _missing_(cls, value: object) -> FormFactor | None:
        return _ALIASES.get(value) if isinstance(value, str) else None

    @property
    def removable(self) -> bool:
        """It can be taken out of its terminal without destroying something."""
        return self not in (FormFactor.SOLDERED, FormFactor.EUICC)

    @property
    def limited(self) -> bool:
        """It binds the card to its terminal, or to one kind of terminal (guideline 2.1.2)."""
        return not self.removable or self is FormFactor.ODD_SHAPED


_ALIASES = {
    "2ff": FormFactor.PLUG_IN,
    "3ff": FormFactor.MINI,
    "nano": FormFactor.NANO,
    "mff2": FormFactor.SOLDERED,
    "euicc": FormFactor.EUICC,
}


class Slot(IntEnum):
    """What a terminal has for a card; the value goes over the contacts (see wire.apdu.control)."""

    ANY = 0
    PLUG_IN = 1
    MINI = 2
    NANO = 3
    ODD_SHAPED = 4
    BOARD = 5


_SIZES = (Slot.NANO, Slot.MINI, Slot.PLUG_IN)


def fits(form: FormFactor, slot: Slot) -> bool:
    """Tell whether a card goes into a slot. A smaller plug-in goes into a larger slot with an adapter."""
    made_for = Slot[form.name] if form.removable else Slot.BOARD
    if slot in (Slot.ANY, made_for):
        return True
    return made_for in _SIZES and slot in _SIZES and _SIZES.index(made_for) < _SIZES.index(slot)
