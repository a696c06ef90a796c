"""Which mutants are tried: all, or first those that a change touched and then a sample of the rest."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simwarden.campaign.prove.changes import changed_files, touched_by
from simwarden.campaign.prove.mutants import SWITCHES
from simwarden.campaign.record import CASE, Record
from simwarden.errors import ConfigError
from simwarden.policy.decision import ALWAYS_ADMIT, REFUSAL_IGNORED
from simwarden.scenario.claims import spots_of
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from simwarden.campaign.grid import Order
    from simwarden.campaign.prove.mutants import Mutant
    from simwarden.scenario.claims import Spot
    from simwarden.scenario.registry import Registry

#: the record of a suite, in its folder: its mutants that change nothing that counts
EQUIVALENT: Final = "equivalent-mutants.yaml"
_OUTCOME: Final = "equivalent"


@dataclass(frozen=True, slots=True)
class Choice:
    """`wants` chooses among mutants, `equivalent` has those that change nothing that counts, with the reason.

    If time is limited those that a change `touched` come first, the rest in an order that the seed draws.
    """

    wants: Callable[[Spot], bool] = lambda _spot: True
    equivalent: Mapping[str, str] = field(default_factory=dict)
    touched: Callable[[Spot], bool] = lambda _spot: False
    #: whether all mutants are wanted
    whole: bool = True

    def reason_for(self, mutant: Mutant) -> str:
        """Return the reviewed reason for which a mutant of one control is equivalent, or an empty string.

        If an admission has no consequence, an ignored refusal has none either.
        """
        name = f"{mutant.spots[0].name} {ALWAYS_ADMIT}"
        inherited = self.equivalent.get(name, "") if mutant.switch == REFUSAL_IGNORED else ""
        return self.equivalent.get(mutant.name, inherited)

    def in_order(self, mutants: Iterable[Mutant], order: Order) -> list[Mutant]:
        """Return mutants in the order in which they are tried."""
        ordered = order.sample_order(mutants)
        if order.limited:
            ordered.sort(key=lambda each: not any(self.touched(spot) for spot in each.spots))
        return ordered


def choose(registry: Registry, folders: Iterable[str], controls: Sequence[str], changed: str) -> Choice:
    """Return the choice of a command: mutants of `controls` (id, KIND/ID or KIND/ID@OCCASION; * and ? work).

    Those touched since the commit `changed` come first. Raises ConfigError for a pattern that fits no control.
    """
    spots = spots_of(registry)
    for glob in controls:
        if not any(_fits(spot, glob) for spot in spots.values()):
            known = {spot.point.name: None for spot in spots.values()}
            raise ConfigError(f"no control is called {glob!r}", hint=guess(glob, known, len(known)))
    return Choice(
        lambda spot: not controls or any(_fits(spot, glob) for glob in controls),
        equivalents(folders, [f"{name} {switch}" for name in spots for switch in SWITCHES]),
        touched_by(changed_files(changed), registry) if changed else lambda _spot: False,
        not controls,
    )


def _fits(spot: Spot, glob: str) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in (spot.name, spot.point.name, spot.control.id))


def equivalents(folders: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Read the records of equivalent mutants in folders of scenarios. Raises ConfigError for an unknown mutant."""
    found: dict[str, str] = {}
    for folder in folders:
        for name, entry in record_in(folder).by_case.items():
            if name not in known:
                raise ConfigError(f"there is no mutant {name!r}", entry.place)
            found[name] = entry.why
    return found


def record_in(folder: str) -> Record:
    """Return the record of a folder. Raises ScenarioErrors."""
    return Record(Path(folder) / EQUIVALENT, outcomes=(_OUTCOME,)).load()


def accept(folder: Path, names: Sequence[str], why: str) -> Path:
    """Add mutants to the record of a folder, with the reason. Raises ConfigError if that cannot be written."""
    if not why or not folder.is_dir():
        raise ConfigError("--accept: say why these mutants change nothing that counts, and prove one folder")
    return Record(folder / EQUIVALENT).append([{CASE: name, "outcome": _OUTCOME, "why": why} for name in names])
