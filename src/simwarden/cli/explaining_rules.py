"""`explain` for the guideline itself: its clauses, concepts by their words, uses, tables and controls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from simwarden.cli.explaining_files import paragraph
from simwarden.model.profile import Assessment, find_written_use, use_names, uses
from simwarden.policy.classification import classify, measures
from simwarden.policy.requirements import requirements
from simwarden.scenario.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.model.profile import Use
    from simwarden.policy.requirements import Requirement
    from simwarden.scenario.registry import Registry

_CLAUSE = re.compile(
    r"(?i)(clause |guideline |appendix )?(\d+(?:\.\d+)*)((?: ?[(（]\d+[)）])?)(?: ?(one|two|three|four|[1-4]))?"
)
_COUNTED = {"1": "one", "2": "two", "3": "three", "4": "four"}


def clause(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a clause by its number: `2.1.3(1)`, `3.2 (4)`, `clause 2.1.3(1) two`, `appendix 2(4)`."""
    wanted = _normal(name)
    if wanted is None:
        return
    found = [each for each in requirements().values() if any(_within(part, wanted) for part in _parts(each))]
    cited = [each for each in uses().values() if _within(each.clause, wanted)]
    if found or cited:
        used = (f"{each.name}: use, {each.title} ({each.title_zh})" for each in cited)
        yield paragraph(f"{wanted}: clause of the guideline", *map(_line, found), *used)


def _normal(name: str) -> str | None:
    match = _CLAUSE.fullmatch(name.strip())
    if match is None or not (match[1] or match[3] or "." in match[2]):  # a number alone is a cause
        return None
    part = match[3].strip().translate(str.maketrans("（）", "()"))
    text = match[2] + part + (f" {_COUNTED.get(match[4], match[4].lower())}" if match[4] else "")
    return f"appendix {text}" if (match[1] or "").lower().startswith("appendix") else text


def _parts(each: Requirement) -> Iterator[str]:
    """Yield the clauses of a requirement: `1.1-1.3` are three, `4.5, 4.6` two."""
    for part in each.clause.split(", "):
        low, dash, high = part.partition("-")
        if dash:
            chapter, first = low.rsplit(".", 1)
            yield from (f"{chapter}.{number}" for number in range(int(first), int(high.rsplit(".", 1)[1]) + 1))
        else:
            yield part


def _within(clause: str, wanted: str) -> bool:
    return clause == wanted or (clause.startswith(wanted) and clause[len(wanted)] in ".( ")


def _line(each: Requirement) -> str:
    return f"{each.id} (clause {each.clause}): {each.title}; {each.rule}"


def concept(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a word of the guideline, English or Chinese: all requirements in whose title or rule it stands."""
    if name in WORDS or name in requirements() or len(name) < (2 if re.search("[\u4e00-\u9fff]", name) else 3):
        return
    stem = name.lower().removesuffix("s")
    word = re.compile(rf"(?i)(?<![a-z]){re.escape(stem)}(?:s|es|ed|ing)?(?![a-z])")
    found = [
        each
        for each in requirements().values()
        if word.search(f"{each.title} {each.rule}") or name in each.title_zh or stem in each.id.split(".")
    ]
    if found:
        yield paragraph(f"{name}: in the guideline", *map(_line, found))


def use(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a use of cards, with what follows from it."""
    found = find_written_use(name)
    if found is not None:
        yield "\n".join(_use_lines(found))


def catalogue(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of all uses of the appendix, each with its variants."""
    if name.lower() in ("uses", "class.uses", "appendix"):
        lines = (
            f"  {'  ' if each.variant_of else ''}{each.name}: {each.title} ({each.title_zh}), {each.clause}"
            for each in uses().values()
        )
        yield "\n".join(["uses of cards, and their variants", *lines])


def _use_lines(each: Use) -> Iterator[str]:
    short = f", or {each.alias}" if each.alias else ""
    yield f"{each.name}{short}: use of cards, {each.title} ({each.title_zh}), {each.clause}"
    if each.variant_of:
        yield f"  variant of {each.variant_of}"
    variants = [one.name for one in uses().values() if one.variant_of == each.name]
    if variants:
        yield f"  variants: {', '.join(variants)}"
    optional = f"; some devices also {', '.join(each.optional)}" if each.optional else ""
    yield f"  functions {', '.join(each.assessment.functions)}{optional}; form {each.form.value}"
    yield f"  {'; '.join(attributes(each.assessment))}"
    yield f"  risk {each.risk}: {each.why}; an actual user can be named: {each.personal}"
    yield from consequences(each.assessment)
    yield f"  cards: {{card: {{use: {each.name}}}}}"


def attributes(assessment: Assessment) -> Iterator[str]:
    """Yield the attributes of tables 1 to 3 in words."""
    if assessment.data:
        yield "its data can be limited to listed destinations" if assessment.directed else "its data go anywhere"
        yield "more than 100 MB a month" if assessment.large else "at most 100 MB a month"
    yield "its terminal does not move" if assessment.fixed else "its terminal moves"


def consequences(assessment: Assessment) -> Iterator[str]:
    """Yield what follows from an assessment, a line a control, with the clauses that say so."""
    found = classify(assessment)
    flag = "" if found.in_guideline else "; these functions together are not in the guideline"
    yield f"  table {found.table}, scene {found.scene} ({found.clause}){flag}"
    for demand in found.demands:
        yield f"  must have {measures()[demand.control].title} ({', '.join(demand.clauses)})"
    yield f"  {found.registration.words} ({found.clause})"


def story(name: str, registry: Registry) -> Iterator[str]:
    """Tell of the cards of a scenario file: the effective profile of each, and what follows from it."""
    if not (name.endswith((".yaml", ".yml")) and Path(name).is_file()):
        return
    from simwarden.scenario.load import Loader  # noqa: PLC0415 - few names are files

    for card in Loader(registry).load(name).cards.values():
        made_for, effective, form = card.keys.made_for, card.keys.assessment, card.keys.form or card.keys.made_for.form
        usual = made_for.assessment
        other = [each for each in _FACTS if getattr(effective, each) != getattr(usual, each)]
        other += ["form"] if form is not card.keys.made_for.form else []
        lines = [f"{card.name}: card of {name}, for {made_for.name} ({made_for.title})"]
        lines += [f"  functions {', '.join(effective.functions) or 'none'}; form {form.value}"]
        lines += [f"  {'; '.join(attributes(effective))}"]
        lines += [f"  otherwise than its use says: {', '.join(other)}"] if other else []
        yield "\n".join([*lines, *consequences(effective)])


_FACTS = tuple(Assessment.__dataclass_fields__)


def control(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a control by the guideline's word for it: `card-form`, `directed-voice`."""
    found = measures().get(name)
    if found is not None:
        kinds = [
            f"{kind}, control {each.id}"
            for kind in registry.kinds
            for each in registry.declaration(kind).controls
            if not set(found.requirements).isdisjoint(each.requirements)
        ]
        head = f"{name}: control of tables 1 to 3, {found.title} ({found.title_zh}), clause {found.clause}"
        yield paragraph(head, f"requirements {', '.join(found.requirements)}", *(kinds or ["not built yet"]))


def misuse(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of misuse itself: what the guideline watches for, and where it is tried."""
    if name.lower() == "misuse":
        watched = [_line(each) for each in requirements().values() if each.id.startswith("mon.")]
        yield paragraph(
            "misuse: a card used otherwise than its contract says (guideline 3.1.1, 3.1.2)",
            *watched,
            "tried against each method of binding and area: simwarden matrix",
        )


def names(_registry: Registry) -> Iterator[str]:
    """Yield all names that are told of here."""
    yield from ("misuse", "uses", "appendix")
    yield from measures()
    yield from use_names()


TELLERS = (story, clause, use, catalogue, control, misuse, concept)
