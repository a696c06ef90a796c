"""Reads values that expectations want: texts, parts of lists, identities, and references to what a file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.scenario.problems import guess
from simwarden.scenario.validation import short
from simwarden.scenario.yamlfile import parts_of

if TYPE_CHECKING:
    from simwarden.scenario.identities import References
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.wording import Wording
    from simwarden.scenario.yamlfile import Spot


class WantedValues:
    """What readers of expectations have in common."""

    def __init__(self, registry: Registry, references: References, problems: Problems, wording: Wording) -> None:
        self.registry, self.references, self.problems, self.wording = registry, references, problems, wording

    def _parts(self, value: Any, spot: Spot) -> list[tuple[Any, Spot]]:
        """Return the parts of a list, each with its place; what is none is its only part. An empty one says nothing."""
        if value == []:
            self.problems.add("an empty list says nothing", spot.place)
        return parts_of(value, spot)

    def _identity_of(self, given: Any, identity: str, spot: Spot) -> str:
        if not isinstance(given, str):
            self.problems.add(f"{spot.key_name}: one value is expected, not {short(given)}", spot.place)
            return ""
        name = self.references.one(given, spot, self.problems)
        if name not in self.references.instances:
            known = [each for each, it in self.references.instances.items() if identity in it.identities]
            self.problems.nobody(name, f"name {name!r} is not known", spot.place, guess(name, known))
            return ""
        return self.references.identity(name, identity, spot, self.problems)

    def _wanted(self, want: Any, spot: Spot) -> tuple[Any, bool]:
        """Return what is wanted with its references resolved, and whether it can be judged."""
        self._no_empty(want, spot)
        return self._resolved(want, spot)

    def _no_empty(self, want: Any, spot: Spot) -> None:
        """Note mappings in a value that have no fields, which anything would match."""
        for key, each in want.items() if isinstance(want, dict) else enumerate(want if isinstance(want, list) else ()):
            if each == {}:
                self.problems.add("say what is to be seen of it: without fields anything matches", (spot / key).place)
            self._no_empty(each, spot / key)

    def _resolved(self, want: Any, spot: Spot) -> tuple[Any, bool]:
        """Return a value with its references resolved, and whether all of them are some."""
        before = len(self.problems.found)
        named = self.references.places(want, spot, self.problems)
        resolved = self.references.resolve(named, spot, self.problems)
        return resolved, len(self.problems.found) == before and not self.problems.nameless
