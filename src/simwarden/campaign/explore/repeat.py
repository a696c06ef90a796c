"""Makes a scenario of a finding, by which `run` repeats it, and leaves out of it what does not matter."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simwarden.campaign.explore.bench import AND
from simwarden.campaign.explore.oracle import BROKER, BUSY, ENFORCED, LATE
from simwarden.campaign.explore.trial import EVENT, WHILE
from simwarden.errors import UserFileError
from simwarden.model.units import show
from simwarden.scenario.document import Fail, Mishap, Power, Wait
from simwarden.scenario.drafted import text_of
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import run_scenario

if TYPE_CHECKING:
    from simwarden.campaign.explore.bench import Bench
    from simwarden.campaign.explore.oracle import Deviation
    from simwarden.campaign.explore.runs import DeviationGroup
    from simwarden.scenario.document import Action
    from simwarden.scenario.runner import RunOptions

#: what a file says of a finding that no expectation can tell
_UNSAID = "# A scenario has no word for this: the file repeats the run, and what came of it is judged by"


def scenario_of(bench: Bench, finding: DeviationGroup) -> str:
    """Return the text of a scenario that fails as the finding says; without steps that it fails without."""
    data = _whole(bench, finding)
    expected = data["steps"].pop() if _has_words(finding.deviation) else None
    if expected is not None:
        _shorten(data, expected, bench.options)
        data["steps"].append(expected)
    return _head(finding) + text_of(data)


def _has_words(deviation: Deviation) -> bool:
    """Whether an expectation can tell it: a refusal of what was asked would want its decision and a twin."""
    refused = isinstance(deviation.value, str) and deviation.value in REFUSAL_WORDS
    return deviation.fact is not None and not refused


def _head(finding: DeviationGroup) -> str:
    deviation = finding.deviation
    lines = [
        f"# Found by `simwarden explore`: {finding.what}, before {finding.first.point} of {finding.procedure}.",
        f"# {deviation.kind}: {deviation.subject}",
        f"#   want {deviation.want}",
        f"#   got  {deviation.got}",
    ]
    if not _has_words(deviation):
        pairs = "simwarden explore --pairs, with the same seed"
        lines += [_UNSAID, f"#   {alone(finding) if len(finding.first.put) == 1 else pairs}"]
    return "\n".join(lines) + "\n"


def kept_as(number: int, finding: DeviationGroup) -> str:
    """Return the name of the scenario that is kept of the finding of this number."""
    return f"{number:03}-{finding.what.replace(AND, '-')}-{finding.message}"


def alone(finding: DeviationGroup) -> str:
    """Return the command that explores what a finding is about, and little else."""
    first = finding.first
    kind, name = ("--change", first.change) if first.change else ("--fault", finding.what)
    if len(first.put) > 1:
        return "simwarden run the scenario that --report keeps of it"
    return f"simwarden explore {first.story} {kind} {name}"


def _whole(bench: Bench, finding: DeviationGroup) -> dict[str, Any]:
    source, written = bench.told.composed.document.data, bench.told.composed.written
    steps = _copied([*written("before"), *written("steps")])
    for number, what in finding.first.put:
        point = bench.points[number]
        entry: dict[str, Any] = {"before": f"{point.interface.lower()}.{point.message}"}
        if point.nth > 1:
            entry["nth"] = point.nth
        entry["do"] = _done(bench.meaning(what), written(f"do {what}"))
        steps[point.step].setdefault("during", []).append(entry)
    for each in steps:
        each.pop("name", None)
        if len(each.get("during", ())) == 1:
            each["during"] = each["during"][0]
    steps = _copied(_up_to(bench, finding, steps))
    if _has_words(finding.deviation):
        steps = _judged(steps, finding.deviation)
    title = f"{source['scenario'].partition(';')[0]}; {finding.what} before {finding.first.point}"
    data: dict[str, Any] = {"scenario": title}
    data |= {key: value for key, value in source.items() if key not in ("scenario", "steps")}
    if finding.deviation.fact is not None and finding.deviation.fact[0] == BROKER:
        data["network"] = {BROKER: {}, **data.get("network", {})}
    return {**data, "steps": steps}


def _copied(steps: list[Any]) -> list[dict[str, Any]]:
    return [dict(each) if isinstance(each, dict) else {each: ""} for each in steps]


def _up_to(bench: Bench, finding: DeviationGroup, steps: list[Any]) -> list[Any]:
    """Return the steps of a story with those that lead to the moment at which the finding is judged."""
    written, kind, by = bench.told.composed.written, finding.deviation.kind, finding.deviation.by
    busy, morning = [*written("busy"), {"wait": "5 s"}], written("morning")
    if kind == ENFORCED:
        last = max(bench.points[number].step for number, _ in finding.first.put)
        asked = finding.deviation.fact[1] if finding.deviation.fact is not None else ""
        doing = [each for each in busy if isinstance(each, dict) and each.get("name") == asked]
        return [*steps[: last + 1], {"wait": "5 s"}, *doing]
    if kind == BUSY:
        return [*steps, *busy]
    if kind != LATE or by is None:
        return [*steps, {"wait": "1 day"}, *morning]
    if by.helped >= 0:
        help_ = written(f"return {by.helped}")
        return [*steps, *busy, {"wait": "1 day"}, *morning, *help_, {"wait": show(by.took)}]
    if by.took <= WHILE:
        return [*steps, *busy, {"wait": show(by.took)}]
    return [*steps, *busy, {"wait": show(WHILE)}, *morning, {"wait": show(by.took - WHILE)}]


def _judged(steps: list[dict[str, Any]], deviation: Deviation) -> list[Any]:
    """Return steps with what is expected: of what a terminal was asked to do last how it ends, of all else a fact."""
    assert deviation.fact is not None  # noqa: S101 - see `_whole`
    places = [place for place, each in enumerate(steps) if each.pop("name", "") == deviation.fact[1]]
    if places:
        return [*steps[: places[-1]], {**steps[places[-1]], "expect": deviation.value}]
    return [*steps, {"expect": _expected(deviation)}]


def _done(meant: tuple[Action, ...] | Mishap, change: list[Any]) -> Any:
    if change:
        return change[0] if len(change) == 1 else change
    if isinstance(meant, Mishap):
        return {meant.what: show(meant.seconds)} if meant.seconds else meant.what
    return [_written(each) for each in meant] if len(meant) > 1 else _written(meant[0])


def _written(action: Action) -> dict[str, Any]:
    match action:
        case Wait(seconds):
            return {"wait": show(seconds)}
        case Fail(element, _, after):
            return {"fail": {"element": element, "after": show(after)} if after else element}
        case Power(element, verb):
            return {verb: element}
    raise TypeError(f"no fault is written with {action!r}")


def _expected(deviation: Deviation) -> dict[str, Any]:
    assert deviation.fact is not None  # noqa: S101 - facts are what is enforced and settled
    element, observable, _ = deviation.fact
    said = "none" if deviation.value is None else _word(deviation.value)
    return {"within": "0 s", element: {observable: said}}


def _word(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _word(each) for name, each in value.items() if each not in (None, "", [], ())}
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, enum.Enum):
        return value.name if isinstance(value.value, int) else str(value.value)
    if isinstance(value, (list, tuple)):
        return [_word(each) for each in value]
    return str(value)


def _shorten(data: dict[str, Any], expected: dict[str, Any], options: RunOptions) -> None:
    """Leave out one step after another, from the end, as long as the scenario fails alike.

    Rejections on its way are no failure here: steps that do not matter to the finding would stay for theirs.
    """
    options = replace(options, tells=False)
    whole = _mismatches({**data, "steps": [*data["steps"], expected]}, options)
    for place in range(len(data["steps"]) - 1, -1, -1) if whole else ():
        if "during" not in data["steps"][place]:
            shorter = [each for index, each in enumerate(data["steps"]) if index != place]
            if _mismatches({**data, "steps": [*shorter, expected]}, options) == whole:
                data["steps"] = shorter


def _mismatches(data: dict[str, Any], options: RunOptions) -> list[tuple[str, str]]:
    """Run a scenario; return what was got of all that it expects and is not so, nothing if it ends in another way.

    Of an event that is missing all others are got, which have nothing to do with it.
    """
    try:
        scenario = Loader().load("finding.yaml", text_of(data))
    except UserFileError:  # without some step it is no scenario any more
        return []
    record = run_scenario(scenario, "finding", options).failure
    found = record.mismatches if record is not None else ()
    return [(each.subject, "" if each.subject == f"{BROKER}.{EVENT}" else each.got) for each in found]
