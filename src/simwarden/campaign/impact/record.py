"""Recorded figures: reviewed data beside the experiments, by which a slower change or a wider blast is noticed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simwarden.campaign.impact.measures import Figure

NAME = "recorded.json"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not the recorded one; `was` or `now` is None where there is none."""

    experiment: str
    case: str
    figure: str
    was: Figure
    now: Figure


class Record:
    """The figures of a folder of experiments: by experiment its parameters, and by case its figures."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data: dict[str, Any] = dict(data or {})

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read a file of recorded figures; one that is not there records nothing. Raises ConfigError."""
        if not path.is_file():
            return cls()
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"recorded figures cannot be read: {error}", Place(str(path))) from error
        sound = isinstance(data, dict) and all(
            isinstance(each, dict)
            and isinstance(each.get("set"), dict)
            and isinstance(each.get("cases"), dict)
            and all(isinstance(figures, dict) for figures in each["cases"].values())
            for each in data.values()
        )
        if not sound:
            raise ConfigError("experiments with `set` and `cases` are expected", Place(str(path)))
        return cls(data)

    def put(
        self, experiment: str, settings: Mapping[str, str], cases: Mapping[str, Mapping[str, Figure]], why: str = ""
    ) -> None:
        """Record the figures of an experiment, all of its cases, and `why` they are so if they were not before."""
        new = {"set": dict(settings), "cases": {name: dict(each) for name, each in cases.items()}}
        old = self.data.get(experiment, {})
        same = old.items() >= new.items()
        self.data[experiment] = old if same else new | ({"why": why} if why else {})

    def settings(self, experiment: str) -> Mapping[str, str] | None:
        """Return the parameters under which an experiment's figures were recorded; None if none were."""
        found: Mapping[str, str] | None = self.data.get(experiment, {}).get("set")
        return found

    def cases(self, experiment: str) -> Mapping[str, Mapping[str, Figure]]:
        """Return the recorded figures of an experiment by case."""
        found: Mapping[str, Mapping[str, Figure]] = self.data.get(experiment, {}).get("cases", {})
        return found

    def text(self) -> str:
        """Return the file: one line a case, so that a review shows what has changed."""
        lines = ["{"]
        for last, (name, each) in _ends(sorted(self.data.items())):
            why = [f'  "why": {json.dumps(each["why"])},'] if each.get("why") else []
            lines += [f" {json.dumps(name)}: {{", *why, f'  "set": {json.dumps(each["set"])},', '  "cases": {']
            for end, (case, figures) in _ends(list(each["cases"].items())):
                lines.append(f"   {json.dumps(case)}: {json.dumps(figures)}{'' if end else ','}")
            lines += ["  }", f" }}{'' if last else ','}"]
        return "\n".join([*lines, "}", ""])


def _ends(items: list[Any]) -> list[tuple[bool, Any]]:
    return [(place == len(items), each) for place, each in enumerate(items, 1)]


def compare(
    experiment: str, recorded: Mapping[str, Mapping[str, Figure]], found: Mapping[str, Mapping[str, Figure]]
) -> list[Difference]:
    """Return in what figures differ from the recorded ones; a case that is new or gone differs in no figure's name."""
    differences = []
    for case in dict.fromkeys((*recorded, *found)):
        was, now = recorded.get(case), found.get(case)
        if was is None or now is None:
            differences.append(Difference(experiment, case, "", None if was is None else 1, None if now is None else 1))
            continue
        differences += [
            Difference(experiment, case, name, was.get(name), now.get(name))
            for name in dict.fromkeys((*was, *now))
            if was.get(name) != now.get(name)
        ]
    return differences
