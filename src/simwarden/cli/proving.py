"""`prove`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
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
from simwarden.scenario.proving.claims import points_of
from simwarden.scenario.proving.proof import summary, told
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simwarden.scenario.proving import Finding, Proof
    from simwarden.scenario.proving.claims import Point


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


def prove_suite(order: ProveOrder) -> None:
    """Prove scenarios, print what became of the mutants. Ends with the command's exit code."""
    loader = Loader(network_file=order.network)
    only = _chooser(order.controls, list(points_of(loader.registry).values()))
    jobs = load_checked(loader, order.paths or [str(shipped())], match=order.match)
    with RunBar() as bar:
        proof = prove(
            jobs,
            loader,
            RunOptions(seed=order.seed),
            network=order.network,
            workers=order.workers,
            only=only,
            tell=bar.tell,
        )
    exits.show("\n".join(lines_of(proof)))
    if order.html or order.report:
        from simwarden.scenario.proving.page import page_of  # noqa: PLC0415 - templates load when they are needed

        write_pages(page_of(proof), order.html, order.report, "prove.html")
    raise typer.Exit(exit_code(proof))


def exit_code(proof: Proof) -> int:
    """Return the exit code: a mutant that survives, or a claim that does not hold, is a failure."""
    if proof.faults:
        return exits.INTERNAL
    return exits.FAILED if proof.survivors or proof.weak or proof.broken else exits.PASSED


def _chooser(patterns: Iterable[str], points: list[Point]) -> Callable[[Point], bool]:
    """Return what tells the chosen controls: by id or KIND/ID, * and ? work. Raises ConfigError if one fits none."""
    globs = list(patterns)
    for glob in globs:
        if not any(_fits(point, glob) for point in points):
            raise ConfigError(f"no control is called {glob!r}", hint=guess(glob, [point.name for point in points]))
    return lambda point: not globs or any(_fits(point, glob) for glob in globs)


def _fits(point: Point, glob: str) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in (point.name, point.control.id))


def lines_of(proof: Proof) -> Iterable[str]:
    """Yield what is printed of a proof."""
    width = max((len(finding.name) for finding in proof.findings), default=0)
    for finding in proof.findings:
        word = "killed" if finding.killed else "SURVIVES" if finding.judged else "not judged"
        yield f"{word:<10}  {finding.name:<{width}}  {_by(finding)}".rstrip()
    for finding in proof.survivors:
        yield f"\nsurvivor: {finding.name}\n  why:     {finding.reason}\n  to kill: {finding.advice}"
    for name, why in proof.broken:
        yield f"\n{name} does not pass by itself: {why}"
    if proof.weak:
        yield "\n" + "\n".join(f"claim that does not hold: {line}" for line in proof.weak)
    if proof.remarks:
        yield "\n" + "\n".join(f"remark: {line}" for line in proof.remarks)
    yield f"\n{summary(proof)}"


def _by(finding: Finding) -> str:
    """Name the first scenario that killed a mutant, how it noticed, and how many more there are."""
    if not finding.killers:
        return "" if finding.judged else finding.reason
    first = next((each for each in finding.killers if each.enforced), finding.killers[0])
    others = len(finding.killers) - 1
    return f"by {first.scenario} ({told(first.seen[:3])})" + (f" and {others} more" if others else "")
