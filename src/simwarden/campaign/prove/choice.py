"""Which mutants are tried: all, or first those that a change touched and then a sample of the rest."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simwarden.campaign.prove.mutants import SWITCHES
from simwarden.campaign.record import CASE, Record
from simwarden.errors import ConfigError
from simwarden.policy.decision import ALWAYS_ADMIT, REFUSAL_IGNORED
from simwarden.scenario.claims import spots_of
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from simwarden.campaign.grid import Order
    from simwarden.campaign.prove.mutants import Mutant
    from simwarden.scenario.claims import Spot
    from simwarden.scenario.registry import Registry

#: the record of a suite, in its folder: its mutants that change nothing that counts
EQUIVALENT: Final = "equivalent-mutants.yaml"
_OUTCOME: Final = "equivalent"
_WORD = re.compile(r"\w+")


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


# -- what a change touches


def changed_files(base: str) -> frozenset[Path]:
    """Return the files that differ from a commit, those that git does not follow too. Raises ConfigError."""
    top = Path(_git("rev-parse", "--show-toplevel").strip())
    names = _git("diff", "--name-only", base, "--") + _git("ls-files", "--others", "--exclude-standard", "--full-name")
    return frozenset(top / name for name in names.splitlines())


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise ConfigError(f"git does not tell what has changed: {said.strip()}") from error


def touched_by(files: frozenset[Path], registry: Registry) -> Callable[[Spot], bool]:
    """Return what tells the occasions of controls that changed files declare, rule or ask.

    A file of an element asks a control if it says its name; the controls of an element whose declarations changed, and
    those whose rule stands in a changed file, are touched whole.
    """

    @cache
    def words(kind: str) -> frozenset[str]:
        folder = _file_of(registry.kinds[kind].__module__).parent
        said = [path.read_text("utf-8") for path in files if path.suffix == ".py" and folder in path.parents]
        return frozenset(word for text in said for word in _WORD.findall(text))

    @cache
    def touches(kind: str, control: str) -> bool:
        held = next(each for each in registry.declaration(kind).controls if each.id == control)
        names = {name for name, value in _globals(registry.kinds[kind].__module__) if value is held}
        return _file_of(held.rule.__module__) in files or bool(names & words(kind))

    return lambda spot: touches(spot.kind, spot.control.id)


def _file_of(module: str) -> Path:
    return Path(str(sys.modules[module].__file__)).resolve()


def _globals(module: str) -> Iterator[tuple[str, object]]:
    """Yield what the modules of an element's package call their things."""
    package = module.rpartition(".")[0]
    for name, loaded in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            yield from list(vars(loaded).items())
