"""What a run comes to, for the terminal: the misuses that were stopped, by clause where there are many stories."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simwarden.campaign.tables import Column, Table, print_table
from simwarden.cli.shipped import shipped
from simwarden.policy.requirements import clauses, requirements
from simwarden.scenario.case_reference import resolved
from simwarden.scenario.result import Misuse, Verdict
from simwarden.scenario.stopped import sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simwarden.scenario.result import ScenarioResult, Stopped

#: stories of which each has its line; of more the terminal shows what did not pass, and sums up the rest
FEW = 20


def rejected_with(result: ScenarioResult) -> str:
    """Say of a line of a run how its misuses were stopped: `rejected with #8 (hss)`; empty where none was."""
    return ", ".join(dict.fromkeys(f"{_word(each)} ({each.element})" for each in result.stopped))


def _word(stopped: Stopped) -> str:
    if stopped.told.startswith("#"):
        return f"rejected with {stopped.told.partition(' ')[0]}"
    return f"refused with {stopped.told}" if stopped.message or stopped.told.startswith("HTTP") else "stopped"


def misuses(results: Iterable[ScenarioResult]) -> Iterator[str]:
    """Yield a sentence for each misuse that was stopped, under a head; nothing if none was."""
    said = [sentence_of(result.title, each) for result in results for each in result.stopped]
    if said:
        yield f"{len(said)} misuse{'s' if len(said) > 1 else ''} stopped:"
        yield from (f"  {each}" for each in said)


def leaks(results: Sequence[ScenarioResult]) -> Iterator[str]:
    """Yield the names of the scenarios whose misuse was not stopped as expected, by how it ended."""
    for misuse in Misuse:
        names = [f"  {each.name}: {each.title}" for each in results if each.misuse is misuse]
        if names:
            yield f"{misuse.value} ({len(names)}):"
            yield from names


def twins_not_run(results: Sequence[ScenarioResult]) -> Iterator[str]:
    """Say which stories had their refusal, and not the twin beside it by which it is known to spare who is in order."""
    ran = {resolved(each.reference) for each in results}
    for each in results:
        if each.verdict is Verdict.PASSED and each.expects_refusal and resolved(each.twin) not in ran:
            told = "its twin, which shows what is not refused, was not run"
            yield f"{each.name}: {told}: simwarden run {_called(each.reference)} {_called(each.twin)}"


def _called(reference: str) -> str:
    """Return how a command names a story: a shipped one that was named so as in their folder, else by its path."""
    return reference.removeprefix(f"{shipped()}/")


def by_clause(results: Sequence[ScenarioResult]) -> Iterator[str]:
    """Yield a table of what the stories show by clause of the guideline, in its order."""
    stories: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    for result in results:
        named = {requirements()[each].clause for each in result.proves if each in requirements()}
        stories.update(named)
        wrong.update(named if result.verdict is not Verdict.PASSED else ())
        stopped.update(each.clause for each in result.stopped if each.clause)
    titles = clauses()
    shown = [clause for clause in titles if stories[clause] or stopped[clause]]
    if not shown:
        return
    columns = (
        Column("clause"),
        Column(),
        *(Column(word, figures=True) for word in ("stories", "not passed", "misuses stopped")),
    )
    rows = [
        [clause, titles[clause], str(stories[clause]), str(wrong[clause] or ""), str(stopped[clause] or "")]
        for clause in shown
    ]
    yield from (line for line in print_table(Table(columns, rows)) if line)


def stopped_by(results: Iterable[ScenarioResult]) -> Iterator[str]:
    """Yield a sentence for all misuses that the same element stopped with the same cause by the same clause."""
    groups: dict[tuple[str, str, str], list[tuple[ScenarioResult, Stopped]]] = {}
    for result in results:
        for each in result.stopped:
            groups.setdefault((each.clause, each.element, each.told), []).append((result, each))
    if groups:
        yield "misuses stopped, with one of each kind (-v lists all):"
    order = list(clauses())
    for key in sorted(groups, key=lambda each: order.index(each[0]) if each[0] in order else len(order)):
        result, stopped = groups[key][0]
        yield f"{len(groups[key]):4} × {sentence_of(result.title, stopped)}"
