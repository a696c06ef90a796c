"""The steps of a case: those that attach the given devices, then the steps of the file, or of the twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simwarden.scenario.problems import guess
from simwarden.scenario.validation import short
from simwarden.scenario.yamlfile import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.scenario.merge import Merged
    from simwarden.scenario.parameters import Substitution
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

GIVEN: Final = "given"
STEPS: Final = "steps"
#: the key by which a step is named
NAME: Final = "name"
JUDGED: Final = ("expect", "never")
ATTACHED: Final = "attached"


@dataclass(slots=True)
class StepWriter:
    """Writes the steps of a document. What is wrong with them as a list is noted in `problems`."""

    document: Merged
    substitution: Substitution
    problems: Problems

    def write(self, top: Spot, twin: Spot | None) -> None:
        """Write the steps of a file, or those that its `twin` shares followed by the twin's own."""
        steps = (top / STEPS).value
        if steps is None:
            return
        self.document.origins[STEPS,] = top / STEPS
        if not isinstance(steps, list):
            self.document.data[STEPS] = steps
            return
        self.document.data[STEPS] = made = list(self._given(top / GIVEN))
        if twin is None:
            self._copy(made, top / STEPS, range(len(steps)))
        else:
            self._write_twin(made, steps, top / STEPS, twin)

    def _write_twin(self, made: list[Any], steps: list[Any], spot: Spot, twin: Spot) -> None:
        names = [step.get(NAME) if isinstance(step, dict) else None for step in steps]
        named = {name: index for index, name in enumerate(names) if isinstance(name, str)}
        last = self._find(named, twin / "from") if (twin / "from").value else None
        left_out = [self._find(named, at) for _, at in parts_of((twin / "without").value or [], twin / "without")]
        shared = range(len(steps) if last is None else last)
        self._copy(made, spot, [index for index in shared if index not in left_out])
        if last is not None and last in named.values():
            self._copy(made, spot, [last])
            self._judge(made, twin)
        if isinstance(own := (twin / STEPS).value, list):
            self._copy(made, twin / STEPS, range(len(own)))

    def _copy(self, made: list[Any], spot: Spot, indexes: Iterable[int]) -> None:
        self.substitution.copy_entries(made, spot, indexes, (STEPS,))

    def _find(self, named: dict[str, int], spot: Spot) -> int:
        """Return the index of a named step, or note that no step has that name and return -1."""
        name = spot.value if isinstance(spot.value, str) else ""
        if name not in named:
            told = f"no step of this file is called {short(spot.value)}"
            self.problems.add(told, spot.place, guess(name, named) or "add name: beside its verb")
        return named.get(name, -1)

    def _judge(self, made: list[Any], twin: Spot) -> None:
        """Replace what the last step expects by what the twin expects of it."""
        step, path = made[-1], (STEPS, len(made) - 1)
        for key in JUDGED if isinstance(step, dict) else ():
            step.pop(key, None)
            if (twin / key).value is not None:
                step[key] = self.substitution.copy(twin / key, (*path, key))

    def _given(self, spot: Spot) -> Iterator[dict[str, Any]]:
        """Yield the steps that attach the given devices, each with its card."""
        told = spot.value or {}
        if not isinstance(told, dict) or not isinstance(told.get(ATTACHED, {}), dict):
            self.problems.add("given: `attached: {DEVICE: CARD}` is expected", spot.place)
            return
        for key in told:
            if key != ATTACHED:
                self.problems.unknown("key", key, (ATTACHED,), (spot / key).key)
        attached = told.get(ATTACHED) or {}
        for number, device in enumerate(attached):
            at = spot / ATTACHED / device
            card = self.substitution.copy(at, (STEPS, 2 * number))
            self.document.origins[STEPS, 2 * number + 1] = at
            yield {"insert": {"card": card, "into": device}}
            yield {"power_on": device, "expect": "accepted"}
