"""The campaign `explore`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from simwarden.campaign.engine import Campaign, known
from simwarden.campaign.explore.bench import plan_of
from simwarden.campaign.explore.reviewed import read_reviewed
from simwarden.campaign.explore.survey import Wanted, survey
from simwarden.campaign.explore.table import judge
from simwarden.errors import NothingError
from simwarden.scenario.during import MISHAPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.explore.table import Judged

#: what an element may suffer, in words of `--fault`
_ELEMENT_FAULTS = ("restarted", "killed", "silent", "slow")


@dataclass(frozen=True, slots=True)
class Explore(Campaign):
    """Stories of a folder with changes and faults put in, all or those that are named."""

    name: ClassVar[str] = "explore"

    wanted: Wanted
    stories: Sequence[str] = ()
    changes: Sequence[str] = ()
    faults: Sequence[str] = ()

    def carry_out(self, order: Order, tell: Tell) -> Judged:
        """See Campaign."""
        plan = plan_of(self.wanted.folder)
        element_faults = [each for each in self.faults if each.partition("-")[0] in _ELEMENT_FAULTS]
        wanted = replace(
            self.wanted,
            stories=tuple(known(self.stories, plan.stories, "story")),
            changes=tuple(known(self.changes, plan.changes, "change")),
            faults=tuple(known(self.faults, [*MISHAPS, *_ELEMENT_FAULTS, *element_faults], "fault")),
            seed=order.seed,
        )
        reviewed = read_reviewed(Path(wanted.folder))
        judged = judge(survey(wanted, order, tell), reviewed)
        if not (judged.survey.planned or judged.survey.unseen or judged.tried):
            why = "; ".join(f"{where}: {why}" for where, why in judged.survey.unjudged.items())
            raise NothingError(f"nothing was chosen: {why or 'no change asked for makes sense in these stories'}")
        return judged
