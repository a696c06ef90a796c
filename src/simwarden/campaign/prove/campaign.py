"""The campaign `prove`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from simwarden.campaign.engine import Campaign
from simwarden.campaign.prove.changes import changed_files, touched_by
from simwarden.campaign.prove.choice import Choice, equivalents
from simwarden.campaign.prove.proof import SWITCHES
from simwarden.campaign.prove.prove import prove
from simwarden.errors import ConfigError
from simwarden.scenario.claims import spots_of
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.prove.proof import Proof
    from simwarden.scenario.claims import Spot
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.suite import Job


@dataclass(frozen=True, slots=True)
class Prove(Campaign):
    """Mutants of `controls` (patterns; none: all) against scenarios, those touched since the commit `changed` first.

    `folders` are where the lists of equivalent mutants are.
    """

    name: ClassVar[str] = "prove"

    jobs: Sequence[tuple[Job, Scenario]]
    loader: Loader
    folders: Sequence[str]
    controls: Sequence[str] = ()
    changed: str = ""

    def carry_out(self, order: Order, tell: Tell) -> Proof:
        """See Campaign."""
        registry = self.loader.registry
        spots = spots_of(registry)
        known = [f"{name} {switch}" for name in spots for switch in SWITCHES]
        choice = Choice(_chooser(self.controls, list(spots.values())), equivalents(self.folders, known))
        if self.changed:
            choice = replace(choice, touched=touched_by(changed_files(self.changed), registry))
        proof = prove(self.jobs, self.loader, order, choice, tell)
        proof.folder = next((each for each in self.folders if Path(each).is_dir()), "")
        return proof


def _chooser(globs: Sequence[str], spots: list[Spot]) -> Callable[[Spot], bool]:
    """Return what tells the chosen controls: by id, KIND/ID or KIND/ID@OCCASION, * and ? work.

    Raises ConfigError if one fits none.
    """
    for glob in globs:
        if not any(_fits(spot, glob) for spot in spots):
            known = {spot.point.name: None for spot in spots}
            raise ConfigError(f"no control is called {glob!r}", hint=guess(glob, known, len(known)))
    return lambda spot: not globs or any(_fits(spot, glob) for glob in globs)


def _fits(spot: Spot, glob: str) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in (spot.name, spot.point.name, spot.control.id))
