"""What an EIR says of a terminal: lists by IMEI and TAC, kinds of terminal, pools tied to cards.

The lists are those of TS 22.016; a pool is guideline 2.1.3(1) three: the terminals in which a card may be used.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from simwarden.model.identity import Imei, imei_key
from simwarden.model.values import IMEI, KIND, TACS, members
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Status(enum.Enum):
    """The list that a terminal is on; `unknown` is a terminal that the EIR should know and does not."""

    ALLOWED = "allowed"
    PROHIBITED = "prohibited"
    TRACKED = "tracked"
    UNKNOWN = "unknown"


#: how much a status lets pass: of two that count alike the strictest does
_LENIENCE = {Status.PROHIBITED: 0, Status.UNKNOWN: 1, Status.TRACKED: 2, Status.ALLOWED: 3}


@dataclass(frozen=True, slots=True, order=True)
class EquipmentRange:
    """Terminals from one IMEI to another, both of 14 digits and within."""

    low: str
    high: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an IMEI (14 to 16 digits), a TAC (8 digits), or a range of TACs (`99000101-99000199`).

        Raises ValueError.
        """
        low, dash, high = (part.strip() for part in text.partition("-"))
        if dash:
            if not (_is_tac(low) and _is_tac(high) and low <= high):
                raise ValueError(f"{text!r} is no range of type allocation codes, 8 digits each, the lower one first")
            return cls(low + "000000", high + "999999")
        if _is_tac(low):
            return cls(low + "000000", low + "999999")
        key = imei_key(low)
        return cls(key, key)

    @property
    def size(self) -> int:
        """The number of terminals in it."""
        return int(self.high) - int(self.low) + 1

    def __contains__(self, key: str) -> bool:
        return self.low <= key <= self.high

    def __str__(self) -> str:
        if self.low == self.high:
            return Imei(self.low).imei
        low, high = self.low[:8], self.high[:8]
        return low if low == high else f"{low}-{high}"


def _is_tac(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit()


class EquipmentLists:
    """Entries with what is said of each; of several that hold a terminal the narrowest one counts.

    Of equally narrow ones, and of what is said twice of one entry from the beginning, the strictest counts.
    """

    def __init__(self, entries: Iterable[tuple[EquipmentRange, Status]] = ()) -> None:
        self._single: dict[str, Status] = {}
        self._tacs: dict[str, Status] = {}
        self._ranges: dict[EquipmentRange, Status] = {}
        for entry, status in sorted(entries, key=lambda each: _LENIENCE[each[1]], reverse=True):
            self.put(entry, status)

    def put(self, entry: EquipmentRange, status: Status) -> None:
        """Add an entry, or change what is said of it."""
        table, key = self._place(entry)
        table[key] = status

    def remove(self, entry: EquipmentRange) -> bool:
        """Remove an entry; return whether it was there."""
        table, key = self._place(entry)
        return table.pop(key, None) is not None

    def find(self, key: str) -> Status | None:
        """Return what the narrowest entry says of a terminal (14 digits), None if no entry holds it."""
        found = self._single.get(key) or self._tacs.get(key[:8])
        if found is not None:
            return found
        holding = [entry for entry in self._ranges if key in entry]
        if not holding:
            return None
        return self._ranges[min(holding, key=lambda entry: (entry.size, _LENIENCE[self._ranges[entry]]))]

    def __iter__(self) -> Iterator[tuple[EquipmentRange, Status]]:
        for key, status in self._single.items():
            yield EquipmentRange(key, key), status
        for tac, status in self._tacs.items():
            yield EquipmentRange.parse(tac), status
        yield from self._ranges.items()

    def _place(self, entry: EquipmentRange) -> tuple[dict[Any, Status], Any]:
        if entry.low == entry.high:
            return self._single, entry.low
        if entry.low[:8] == entry.high[:8]:
            return self._tacs, entry.low[:8]
        return self._ranges, entry


@tells(seen=IMEI, status=members(Status), kind=KIND.or_none())
def judge_listed(
    *, imei: str, listed: Status | None, kind: str, kinds: Mapping[str, Status], unlisted: Status
) -> Ruling:
    """Rule on a terminal: by the entry that holds it, else by its kind (`phone`), else as unlisted ones.

    The status that its answer carries is `status` in the details: an allowed and a tracked terminal are admitted, a
    prohibited and an unknown one refused.
    """
    if listed is not None:
        status, why = listed, "by an entry of the lists"
    elif kind in kinds:
        status, why = kinds[kind], f"as a {kind}"
    else:
        status, why = unlisted, "as an unlisted terminal"
    facts = {"seen": Imei(imei_key(imei)).imei, "status": status.value, "kind": kind}
    if status in (Status.PROHIBITED, Status.UNKNOWN):
        return Ruling.refuse(f"the terminal is {status.value}, {why}", **facts)
    return Ruling.admit(f"the terminal is {status.value}, {why}", **facts)


@tells(seen=IMEI, kind=KIND.or_none(), expected=IMEI | TACS | KIND)
def judge_pool(*, imei: str, pool: Iterable[EquipmentRange], kind: str, kinds: Iterable[str]) -> Ruling:
    """Rule on the terminal of a card that is tied to a pool of IMEIs, or to kinds of terminal (`module`)."""
    entries, allowed = list(pool), sorted(kinds)
    key = imei_key(imei)
    facts = {"seen": Imei(key).imei, "kind": kind, "expected": [*map(str, entries), *allowed]}
    if any(key in entry for entry in entries) or kind in allowed:
        return Ruling.admit("the terminal is of the card's pool", **facts)
    return Ruling.refuse("the terminal is outside the card's pool", **facts)
