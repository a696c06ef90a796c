"""Which mutants a proof tries: all, or first those that a change touched and then a sample of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from simwarden.campaign.engine import write
from simwarden.errors import ConfigError, Place
from simwarden.policy.decision import ALWAYS_ADMIT, REFUSAL_IGNORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from simwarden.campaign.engine import Order
    from simwarden.campaign.prove.proof import Finding
    from simwarden.scenario.claims import Spot

#: the list of equivalent mutants of a suite, in its folder
EQUIVALENT = "equivalent-mutants.yaml"


@dataclass(frozen=True, slots=True)
class Choice:
    """`wants` chooses among mutants, `equivalent` has those that change nothing that counts, with the reason.

    Where time is limited those that a change `touched` come first, the rest in an order that the seed draws.
    """

    wants: Callable[[Spot], bool] = lambda _spot: True
    equivalent: Mapping[str, str] = field(default_factory=dict)
    touched: Callable[[Spot], bool] = lambda _spot: False

    def reason_for(self, finding: Finding) -> str:
        """Return the reviewed reason for which a mutant of one control is equivalent, or an empty string.

        If an admission has no consequence, an ignored refusal has none either.
        """
        name = f"{finding.spots[0].name} {ALWAYS_ADMIT}"
        inherited = self.equivalent.get(name, "") if finding.switch == REFUSAL_IGNORED else ""
        return self.equivalent.get(finding.name, inherited)

    def in_order(self, findings: Iterable[Finding], order: Order) -> list[Finding]:
        """Return mutants in the order in which they are tried."""
        some = order.drawn(findings)
        if order.limited:
            some.sort(key=lambda each: not any(self.touched(spot) for spot in each.spots))
        return some


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


def accept(folder: Path, names: Sequence[str], why: str) -> Path:
    """Add mutants to the list in a folder, with the reason. Raises ConfigError if that cannot be written."""
    path = folder / EQUIVALENT
    if not why or not folder.is_dir():
        raise ConfigError("--accept: say why these mutants change nothing that counts, and prove one folder")
    text = path.read_text("utf-8") if path.is_file() else ""
    return write(path, text + yaml.safe_dump(dict.fromkeys(names, why), sort_keys=False, width=120, allow_unicode=True))
