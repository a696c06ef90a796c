"""A session as a scenario of one's own, with the twin of its refusal: what is to be expected is found by playing it.

No switch is in it, nor what only a switch made possible: it is played without any, and says what is seen then. It is a
process of its own, since a run is under way in the one that is asked.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

from simwarden.errors import SimwardenError
from simwarden.policy.requirements import requirements
from simwarden.scenario.drafted import refusals_shown, text_of, unheld
from simwarden.scenario.load import Loader
from simwarden.scenario.session import Session, still
from simwarden.scenario.yamlfile import Source
from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.trace.events import Event

STORY, TWIN = "story.yaml", "story-twin.yaml"
#: what may be exchanged for a twin: numbers, and `enb/1`
_NUMBER: Final = re.compile(r"\+?\d{5,}")
_PART: Final = re.compile(r"\w+/\w+")
#: a text in JSON
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class _Played:
    """What became of a step: how it ended, who refused what as a page tells it, and what happened."""

    outcome: str
    refused: Sequence[Mapping[str, str]]
    events: Sequence[Event]

    def by(self, control: str) -> set[str]:
        """Return the elements whose control of that name admitted something."""
        decided = (each for each in self.events if isinstance(each, Decided) and each.decision.admitted)
        return {each.element for each in decided if each.decision.control.id == control}


def saved(data: dict[str, Any]) -> dict[str, str]:
    """Return the files by their names. Raises SimwardenError for a story that has nothing in it, or no twin."""
    played = _play(data)
    if not played:
        raise SimwardenError("nothing has been done yet that could be saved")
    number = len(played)
    data = {**data, "steps": data["steps"][:number]}
    first = next((place for place, each in enumerate(played) if each.refused), -1)
    if first < 0:
        return _checked({STORY: _text(data, played, {})})
    refused = played[first].refused[0]
    others = [place for place, each in enumerate(played) if any(_other(one, refused) for one in each.refused)]
    # all of it, or up to where something else refuses, or up to its first refusal
    for steps in dict.fromkeys((number, max(first + 1, min(others, default=number)), first + 1)):
        found = _with_twin({**data, "steps": data["steps"][:steps]}, played[:steps], refused, first)
        if found:
            return found
    raise SimwardenError("what was refused here has no twin that differs in one fact: it cannot be saved as it is")


def _other(one: Mapping[str, str], refused: Mapping[str, str]) -> bool:
    return one["control"] != refused["control"]


def _with_twin(
    data: dict[str, Any], played: Sequence[_Played], refused: Mapping[str, str], first: int
) -> dict[str, str]:
    """Return a story and its twin, in which the same control refuses nothing; empty: there is none."""
    control, requirement = refused["control"], refused["requirement"]
    head = {"twin": TWIN, **({"proves": [requirement]} if requirement in requirements() else {})}
    for twin in _honest(data, first):
        try:
            other = _play(twin)
            if len(other) == len(twin["steps"]) and all(_other(one, refused) for each in other for one in each.refused):
                return _checked({STORY: _text(data, played, head), TWIN: _text(twin, other, {}, control)})
        except SimwardenError:
            continue
    return {}


def _honest(data: Mapping[str, Any], first: int) -> Iterator[dict[str, Any]]:
    """Yield the story with another fact: one name or value is another, or a card lacks one of its restrictions."""
    for old, new in _exchanges(data, data["steps"][first]):
        yield {**data, "steps": json.loads(json.dumps(data["steps"]).replace(json.dumps(old), json.dumps(new)))}
    for name, card in data["cards"].items():
        for section in card:
            less = {key: each for key, each in card.items() if key != section}
            yield {**data, "cards": {**data["cards"], name: less}}


def _play(data: Mapping[str, Any]) -> list[_Played]:
    """Play a story as far as it makes sense, and say what became of each step. Raises SimwardenError."""
    played: list[_Played] = []

    async def talk(session: Session) -> None:
        for step in data["steps"]:
            before = session.host.trace.last_number
            try:
                told = await session.act(json.dumps(step))
            except SimwardenError:  # as it was, a switch made it possible
                return
            played.append(_Played(told["outcome"], told["refused"], session.host.trace.events[before:]))

    result = Session(Loader().assemble(Source(STORY, still(data))), talk).play()
    if result.failure is not None:
        raise SimwardenError(result.failure.summary)
    return played


def _exchanges(data: Mapping[str, Any], step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what may stand in the place of what: devices, cells, numbers, and the operator of the customer."""
    texts = sorted(_texts([data[key] for key in ("network", "cards", "devices")]))
    for old in _texts(step):
        if old == "customer":
            yield old, "operator"
        if old in data["devices"]:
            yield from ((old, each) for each in data["devices"] if each != old)
        for form in (_NUMBER, _PART):
            if form.fullmatch(old):
                yield from ((old, each) for each in texts if form.fullmatch(each) and each != old)


def _texts(value: Any) -> dict[str, None]:
    """Return the texts of a part of a story, each once."""
    return dict.fromkeys(map(json.loads, _TEXT.findall(json.dumps(value))))


def _text(data: Mapping[str, Any], played: Sequence[_Played], head: Mapping[str, Any], admits: str = "") -> str:
    """Return a scenario as people write it, with what became of each step expected; `admits` is a control that did."""
    steps: list[dict[str, Any]] = []
    for step, each in zip(data["steps"], played, strict=True):
        steps.append({**step, "expect": each.outcome} if each.outcome else step)
        if admits:
            steps += [_decision(by, admits, "admit") for by in sorted(each.by(admits))]
        else:
            steps += [_decision(one["element"], one["control"], "refuse") for one in each.refused]
            if each.refused:
                steps[-1]["expect"] |= refusals_shown(each.events)
    title = f"{data['scenario']}{', as it should be' if admits else ''}"
    return text_of({"scenario": title, **head} | {**data, "scenario": title, "steps": steps})


def _decision(by: str, control: str, verdict: str) -> dict[str, Any]:
    return {"expect": {"decision": {"by": by, "control": control, "verdict": verdict}}}


def _checked(files: dict[str, str]) -> dict[str, str]:
    """Return the files. Raises SimwardenError if they do not hold."""
    if wrong := unheld(files):
        raise SimwardenError(wrong)
    return files


def _end_with(given: TextIO) -> None:
    given.read()
    os._exit(0)


def main() -> None:
    """Read a line of JSON with a `story` from standard input, and write its files to standard output, or `error`.

    It ends with who waits for that: when standard input does.
    """
    asked = sys.stdin.readline()
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    try:
        found = saved(json.loads(asked)["story"])
    except SimwardenError as error:
        found = {"error": str(error)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
