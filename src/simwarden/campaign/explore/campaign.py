"""The campaign `explore`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from simwarden.campaign.engine import Campaign, known
from simwarden.campaign.explore.bench import plan_of
from simwarden.campaign.explore.reviewed import read_reviewed
from simwarden.campaign.explore.survey import Wanted, survey
from simwarden.campaign.explore.table import judge
from simwarden.errors import ConfigError
from simwarden.scenario.during import MISHAPS
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.explore.table import Judged

#: what an element may suffer, in words of `--fault`
_AILMENTS = ("restarted", "killed", "silent", "slow")


@dataclass(frozen=True, slots=True)
class Explore(Campaign):
    """Stories of a folder with changes and faults put in, all or those named; for numbers see Wanted."""

    name: ClassVar[str] = "explore"

    folder: str
    stories: Sequence[str] = ()
    changes: Sequence[str] = ()
    faults: Sequence[str] = ()
    network: str = ""
    runs: int = 0
    pairs: int = 0
    points: int = 0

    def carry_out(self, order: Order, tell: Tell) -> Judged:
        """See Campaign."""
        plan = plan_of(self.folder)
        for name in self.faults:
            if name not in MISHAPS and name.partition("-")[0] not in _AILMENTS:
                raise ConfigError(f"no fault is called {name!r}", hint=guess(name, (*MISHAPS, *_AILMENTS)))
        wanted = Wanted(
            folder=self.folder,
            network=self.network,
            stories=tuple(known(self.stories, plan.stories, "story")),
            changes=tuple(known(self.changes, plan.changes, "change")),
            faults=tuple(self.faults),
            seed=order.seed,
            runs=self.runs,
            pairs=self.pairs,
            points=self.points,
        )
        reviewed = read_reviewed(Path(self.folder))
        return judge(survey(wanted, order, tell), reviewed)
