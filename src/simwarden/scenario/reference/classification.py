"""The page of tables 1 to 3 as they are enforced: what each scene must have, and the scenario that shows it acting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.model.profile import Assessment, Function, uses
from simwarden.policy.classification import classify, measures, scenes
from simwarden.policy.decision import Verdict
from simwarden.scenario.case_reference import resolved, split_reference
from simwarden.scenario.claims import gather, points_of
from simwarden.scenario.reference.elements import MADE
from simwarden.scenario.reference.markdown import code, codes, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from simwarden.model.profile import Use
    from simwarden.policy.classification import Classification, Measure
    from simwarden.scenario.claims import Case
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.suite import Job

    #: by requirement (`quota`) and function (`quota sms`), the scenes of cards and the paths of scenarios that show a
    #: refusal
    Shown = Mapping[str, Sequence[tuple[str, str]]]

_HEAD: Final = """\
# Classification: what a card must have, and what of it is enforced

What a card is for decides what it must have (guideline 3.1 to 3.3). `simwarden classify smart-metering` tells it of a
use, `simwarden classify cards.csv` judges an operator's list of cards: see [classify](classify.md).

The tables below are those of 3.3.1 to 3.3.3. Their printed marks lost their columns in the copy that is public, so that
they are written down here from the prose beside them; the source says "5 kinds of scene" and describes six. A cell that
is empty is a control that neither the table nor 3.2 asks for. `3.2` in front says that the table does not, and the
general requirements of 3.2 do; `if fixed`, only for a card whose terminal does not move. Then comes a scenario that
shows the control refusing something, by its requirement, or **open**: no element has it yet. A scenario counts for all
scenes, since a control does not ask what a card is for; the number is the scene of the card that it is shown with.
A quota is one for each function that the card has.
"""
_BESIDE: Final = """\
Cards with other functions together (voice and data, voice or SMS alone) are in no table. They take the smallest table
that has all their functions, and are marked as not in the guideline; a card without data that of directed, small
data. Large is more than 100 MB a month (1.3), and 100 MB are 100,000,000 octets. Registration: `unit-may`, may be
registered to the responsible unit and person; `unit-must`, has to be; `user-must`, to the actual user, by real name.
More risk never means a milder registration, nor a looser tie of the card to its terminal (none, binding, form of the
card); the blacklist is asked of a small undirected card and not of scene 4, as the prose has it.
"""
_USES: Final = """\
## The uses

The 27 uses of the appendix with their variants (indented), in our own words; `simwarden explain NAME` tells more.
Functions in brackets are those that some devices need as well. Where the appendix leaves something open the row of
the tables that names the use decides; where it contradicts 3.2(4) (plug-in cards with undirected large data), 3.2(4)
does.
"""


_WORDS = {Function.VOICE: "voice", Function.SMS: "SMS", Function.DATA: "data"}


def classes_page(jobs: Sequence[tuple[Job, Scenario]], loader: Loader, root: Path) -> str:
    """Return the page; `root` is the folder of scenarios, by which they are named."""
    return "\n".join(_page(_shown(gather(jobs, loader), loader, root)))


def _page(shown: Shown) -> Iterator[str]:
    yield from (MADE, "", _HEAD)
    rows: dict[int, list[list[str]]] = {}
    titles = {}
    for number, scene, facts in scenes():
        rows.setdefault(number, []).append(list(_row(scene, facts, shown)))
        titles[number] = _title(facts)
    head = ("scene", "directed data", "large", "fixed", *(each.title for each in measures().values()), "registered")
    for number, found in rows.items():
        yield from (f"## Table {number}: cards with {titles[number]} (3.3.{number})", "")
        yield from table(head, found)
    yield from (_BESIDE, _USES)
    yield from table(
        ("use", "", "clause", "functions", "scene", "form", "an actual user", "risk"), map(_use, uses().values())
    )


def _title(facts: Mapping[str, bool]) -> str:
    names = [word for name, word in _WORDS.items() if facts[name.value]]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) + ("" if len(names) > 1 else " only")


def _row(scene: int, facts: Mapping[str, bool], shown: Shown) -> Iterator[str]:
    yield str(scene)
    for name in ("directed", "large", "fixed"):
        yield {True: "yes", False: "no", None: "any"}[facts.get(name)]
    moving, fixed = (classify(Assessment(**{**facts, "fixed": facts.get("fixed", value)})) for value in (False, True))
    opened = [each for each in Function if facts[each.value]]
    for measure in measures().values():
        yield _cell(measure, moving, fixed, _acting(measure, opened, shown, f"{fixed.table}.{fixed.scene}"))
    yield moving.registration


def _cell(measure: Measure, moving: Classification, fixed: Classification, acting: Iterable[str]) -> str:
    demand = next((each for each in fixed.demands if each.control == measure.word), None)
    if demand is None:
        return ""
    notes = [] if fixed.clause in demand.clauses else [demand.clauses[0]]
    notes += [] if measure.word in moving.required else ["if fixed"]
    return f"{', '.join(notes)}{': ' if notes else ''}{', '.join(acting)}"


def _acting(measure: Measure, opened: Iterable[Function], shown: Shown, scene: str) -> Iterator[str]:
    """Yield the links to scenarios in which a measure acts on a card of a scene, and what is open."""
    if measure.each_function:
        (requirement,) = measure.requirements
        for each in opened:
            found = shown.get(f"{requirement} {each}")
            yield f"{_WORDS[each]} {_link(requirement, found, scene) if found else '**open**'}"
        return
    acting = [each for each in measure.requirements if each in shown]
    for requirement in acting[: None if measure.whole else 1]:
        yield _link(requirement, shown[requirement], scene)
    if not acting or (measure.whole and len(acting) < len(measure.requirements)):
        yield f"{'others ' if acting else ''}**open**"


def _link(requirement: str, shown: Sequence[tuple[str, str]], own: str) -> str:
    scene, path = next((each for each in shown if each[0] == own), shown[0])
    return f"[{requirement}](../scenarios/{split_reference(path)[0]}) ({scene})"


def _shown(cases: Mapping[str, Case], loader: Loader, root: Path) -> dict[str, list[tuple[str, str]]]:
    """Return for each requirement the scenarios that show a refusal for it, each with the scene of its card.

    Where a section of the card asks for a control, cards without that section show nothing. Those come first that show
    the refusal of such a control itself, and then those that prove and set up the least.
    """
    points = points_of(loader.registry)
    sections: dict[str, set[str]] = {}
    for point in points.values():
        sections.setdefault(point.control.requirement, set()).update(filter(None, [point.control.section]))
    ranked: dict[str, list[tuple[bool, int, int, str, str]]] = {}
    for case in cases.values():
        proves = case.scenario.proves
        path = resolved(case.job.reference).removeprefix(f"{root.resolve()}/")
        refusing = [point.control for name, point in points.items() if case.claimed(name, Verdict.REFUSE)]
        keyed = ((each, each) for control in refusing for each in control.requirements)
        of_function = ((f"{each.requirement} {each.function}", each.requirement) for each in refusing if each.function)
        for key, requirement in dict.fromkeys((*keyed, *of_function)):
            if requirement not in proves:
                continue
            asked = sections.get(requirement, set())
            beside = not any(each.requirement == requirement and each.section in asked for each in refusing)
            for card in case.scenario.cards.values():
                if not asked or asked & {entry.section for entry in card.entries}:
                    place = classify(card.keys.assessment)
                    rank = (beside, len(proves), len(case.scenario.facts), path, f"{place.table}.{place.scene}")
                    ranked.setdefault(key, []).append(rank)
    return {requirement: [(scene, path) for *_, path, scene in sorted(rows)] for requirement, rows in ranked.items()}


def _use(each: Use) -> tuple[str, ...]:
    place = classify(each.assessment)
    functions = codes(each.assessment.functions) + (f" ({codes(each.optional)})" if each.optional else "")
    return (
        ("&nbsp;&nbsp;" if each.variant_of else "") + code(each.name) + (f", {code(each.alias)}" if each.alias else ""),
        f"{each.title}, {each.title_zh}",
        each.clause.removeprefix("appendix "),
        functions,
        f"{place.table}.{place.scene}" + ("" if place.in_guideline else "*"),
        each.form.value,
        each.personal,
        f"{each.risk}: {each.why}",
    )
