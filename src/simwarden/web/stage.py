"""What a live page begins with: a network with cards and devices, what can be done there, and the stories of the tour.

All of it is one file (`stage.yaml`): its scenario is like any other, its menu and its tour are steps as scenarios have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simwarden.scenario.problems import Problems
from simwarden.scenario.report.page import asset
from simwarden.scenario.yamlfile import Source, read
from simwarden.web.page import OWN

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.session import Session


#: what each card of a fleet may use: the OCS serves none that it does not know
_QUOTA: Final = {"by": "ocs", "data": "30 MB"}


@dataclass(frozen=True, slots=True)
class Stage:
    """The file as read; all scalars are texts, as in a scenario."""

    data: dict[str, Any]

    @classmethod
    def read(cls) -> Stage:
        """Read the file of this package."""
        return cls(read(asset("stage.yaml", OWN), "stage.yaml", Problems()).data)

    def document(self, steps: list[dict[str, Any]], fleet: int = 0) -> dict[str, Any]:
        """Return the stage as a scenario with these steps; with a `fleet` of so many more cards in meters."""
        story = dict(self.data["story"])
        if fleet:
            count = str(fleet)
            story["cards"] = {**story["cards"], "fleet_card": {"profile": "meter", "count": count, "quota": _QUOTA}}
            story["devices"] = {**story["devices"], "fleet": {"type": "module", "count": count}}
        return {**story, "steps": steps}

    def scenario(self, fleet: int = 0) -> Scenario:
        """Load the stage as a scenario in which nothing is done."""
        from simwarden.scenario.load import Loader  # noqa: PLC0415 - the page itself needs no element
        from simwarden.scenario.session import still  # noqa: PLC0415 - as above

        return Loader().assemble(Source("live.yaml", still(self.document([], fleet))))

    async def rehearse(self, session: Session) -> None:
        """Play a story of the tour unseen: what it needs is loaded then, and the first action is as quick as others."""
        for story in self.data["tour"]:
            if "rehearse" in story:
                for each in story["acts"]:
                    if "do" in each:
                        await session.act(json.dumps(each["do"]))
