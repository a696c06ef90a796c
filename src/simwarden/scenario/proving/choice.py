"""Which mutants a proof tries: all, or first those that a change touched and then a sample of the rest."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from simwarden.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from simwarden.scenario.proving.claims import Spot
    from simwarden.scenario.proving.proof import Finding

#: the list of equivalent mutants of a suite, in its folder
EQUIVALENT = "equivalent-mutants.yaml"


@dataclass(frozen=True, slots=True)
class Choice:
    """`wants` chooses among mutants, `equivalent` has those that change nothing that counts, with the reason.

    With a `budget` (seconds; 0: none) those that a change `touched` come first, the rest in an order drawn from `seed`,
    and what is begun after it is left out.
    """

    wants: Callable[[Spot], bool] = lambda _spot: True
    equivalent: Mapping[str, str] = field(default_factory=dict)
    touched: Callable[[Spot], bool] = lambda _spot: False
    budget: float = 0.0
    seed: int = 0

    def in_order(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return mutants in the order in which they are tried."""
        some = list(findings)
        if self.budget:
            random.Random(self.seed).shuffle(some)  # noqa: S311 - a sample, no secret
            some.sort(key=lambda each: not any(self.touched(spot) for spot in each.spots))
        return some

    def is_over(self, seconds: float) -> bool:
        """Whether no time is left."""
        return bool(self.budget) and seconds > self.budget


def equivalents(paths: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Read the lists of equivalent mutants in folders of scenarios. Raises ConfigError for one that there is not."""
    found: dict[str, str] = {}
    for path in paths:
        file = Path(path) / EQUIVALENT
        if not file.is_file():
            continue
        try:
            data = yaml.safe_load(file.read_text("utf-8")) or {}
        except yaml.YAMLError as error:
            raise ConfigError(f"no YAML: {error}", Place(str(file))) from error
        for name, reason in data.items():
            if name not in known:
                raise ConfigError(f"there is no mutant {name!r}", Place(str(file)))
            if not isinstance(reason, str) or not reason.strip():
                raise ConfigError(f"{name}: say why it changes nothing that counts", Place(str(file)))
            found[name] = reason.strip()
    return found
