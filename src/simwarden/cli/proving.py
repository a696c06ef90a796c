"""`prove`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.cli.choosing import load_checked, write_pages
from simwarden.cli.progress import RunBar
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import guess
from simwarden.scenario.proving import prove
from simwarden.scenario.proving.choice import Choice, equivalents
from simwarden.scenario.proving.claims import spots_of
from simwarden.scenario.proving.proof import ADMIT, REFUSE, Word, summary, told
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simwarden.scenario.proving import Finding, Proof
    from simwarden.scenario.proving.claims import Spot
    from simwarden.scenario.registry import Registry


@dataclass(frozen=True, slots=True)
class ProveOrder:
    """What the command line of `prove` asks for."""

    paths: Sequence[str]
    workers: int = 1
    match: Sequence[str] = field(default_factory=list)
    controls: Sequence[str] = field(default_factory=list)
    seed: int = 0
    network: str = ""
    html: str = ""
    report: str = ""
    changed: str = ""
    budget: float = 0.0


def prove_suite(order: ProveOrder) -> None:
    """Prove scenarios, print what became of the mutants. Ends with the command's exit code."""
    loader = Loader(network_file=order.network)
    paths = order.paths or [str(shipped())]
    choice = _choice(order, loader.registry, paths)
    jobs = load_checked(loader, paths, match=order.match)
    with RunBar() as bar:
        proof = prove(
            jobs,
            loader,
            RunOptions(seed=order.seed),
            choice,
            network=order.network,
            workers=order.workers,
            tell=bar.tell,
        )
    exits.show("\n".join(lines_of(proof)))
    if order.html or order.report:
        from simwarden.scenario.proving.page import page_of  # noqa: PLC0415 - templates load when they are needed

        write_pages(page_of(proof), order.html, order.report, "prove.html")
    raise typer.Exit(exit_code(proof))


def exit_code(proof: Proof) -> int:
    """Return the exit code: a mutant that survives, or a claim that does not hold, is a failure; so is none tried."""
    if proof.faults:
        return exits.INTERNAL
    if not proof.judged and not proof.those(Word.EQUIVALENT, Word.UNJUDGED):
        return exits.NOTHING
    return exits.FAILED if proof.survivors or proof.weak or proof.broken else exits.PASSED


def _choice(order: ProveOrder, registry: Registry, paths: Sequence[str]) -> Choice:
    spots = spots_of(registry)
    known = [f"{name} {switch}" for name in spots for switch in (ADMIT, REFUSE)]
    wants = _chooser(order.controls, list(spots.values()))
    choice = Choice(wants, equivalents(paths, known), budget=order.budget, seed=order.seed)
    if order.changed:
        from simwarden.scenario.proving.changes import changed_files, touched_by  # noqa: PLC0415 - only who asks for git

        choice = replace(choice, touched=touched_by(changed_files(order.changed), registry))
    return choice


def _chooser(patterns: Iterable[str], spots: list[Spot]) -> Callable[[Spot], bool]:
    """Return what tells the chosen controls: by id, KIND/ID or KIND/ID@OCCASION, * and ? work.

    Raises ConfigError if one fits none.
    """
    globs = list(patterns)
    for glob in globs:
        if not any(_fits(spot, glob) for spot in spots):
            raise ConfigError(f"no control is called {glob!r}", hint=guess(glob, [spot.point.name for spot in spots]))
    return lambda spot: not globs or any(_fits(spot, glob) for glob in globs)


def _fits(spot: Spot, glob: str) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in (spot.name, spot.point.name, spot.control.id))


def lines_of(proof: Proof) -> Iterable[str]:
    """Yield what is printed of a proof."""
    shown = [finding for finding in proof.findings if finding.word is not Word.LEFT]
    width = max((len(finding.name) for finding in shown if len(finding.spots) == 1), default=0)
    for finding in shown:
        yield f"{finding.word.value:<10}  {finding.name:<{width}}  {_by(finding)}".rstrip()
    for finding in proof.survivors:
        yield f"\nsurvivor: {finding.name}\n  why:     {finding.reason}\n  to kill: {finding.advice}"
    for name, why in proof.broken:
        yield f"\n{name} does not pass by itself: {why}"
    if proof.weak:
        yield "\n" + "\n".join(f"claim that does not hold: {line}" for line in proof.weak)
    yield f"\n{summary(proof)}"


def _by(finding: Finding) -> str:
    """Name the first scenario that killed a mutant, how it noticed, and how many more there are."""
    if not finding.killers:
        return "" if finding.word is Word.SURVIVES else finding.reason
    first = next((each for each in finding.killers if each.through), finding.killers[0])
    others = len(finding.killers) - 1
    return f"by {first.scenario} ({told(first.seen[:3])})" + (f" and {others} more" if others else "")
