"""An OCS of another hand, led by a script: Gy of TS 32.299 and RFC 8506 on python-diameter. It knows no card.

    python foreign_ocs.py --port 3868 --script quota.yaml

Beside what `foreign_credit` says, a script has

    groups:                the n-th request for units of a rating group takes the n-th grant, later ones the last
      10:
        - octets: 5000     CC-Total-Octets; no Granted-Service-Unit where absent
          threshold: 1000  Volume-Quota-Threshold
          validity: 60     Validity-Time
          holding: 300     Quota-Holding-Time
          final: 0         Final-Unit-Action: 0 terminate, 1 redirect, 2 restrict access
          result: 2001     Result-Code of the Multiple-Services-Credit-Control
          avps: {}         more AVPs of it

and an answer may have `bare: true`, which leaves the Multiple-Services-Credit-Control out, as one does that is no
success. A group that the script lacks is answered by 5031. A Re-Auth-Request may have `rating_group`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from diameter.message.constants import APP_DIAMETER_CREDIT_CONTROL_APPLICATION
from foreign_credit import CreditServer, serve
from foreign_diameter import Tree, find

if TYPE_CHECKING:
    from foreign_diameter import Received

GY = APP_DIAMETER_CREDIT_CONTROL_APPLICATION
SUCCESS, LIMIT_REACHED, RATING_FAILED, NOT_APPLICABLE = 2001, 4012, 5031, 4011
AVPS = {"threshold": "Volume-Quota-Threshold", "validity": "Validity-Time", "holding": "Quota-Holding-Time"}
TERMINATE = 0


def answered(group: int, grant: Tree) -> Tree:
    """Return the AVPs of a Multiple-Services-Credit-Control in an answer (TS 32.299 6.4.3)."""
    unknown = grant.keys() - AVPS.keys() - {"octets", "final", "result", "avps"}
    if unknown:
        raise KeyError(sorted(unknown))
    made: Tree = {"Rating-Group": group, "Result-Code": grant.get("result", SUCCESS)}
    if "octets" in grant:
        made["Granted-Service-Unit"] = {"CC-Total-Octets": grant["octets"]}
    if "final" in grant:
        made["Final-Unit-Indication"] = {"Final-Unit-Action": grant["final"]}
    return {**made, **{AVPS[key]: value for key, value in grant.items() if key in AVPS}, **grant.get("avps", {})}


def octets(unit: Tree) -> int:
    """Return the octets of a Used-Service-Unit: the total, or both directions where it is not told."""
    total = find(unit, "CC-Total-Octets")
    return sum(total or find(unit, "CC-Input-Octets") + find(unit, "CC-Output-Octets"))


class ForeignOcs(CreditServer):
    """Answers each PGW by the script, and counts what it granted and what it was told."""

    own = frozenset({"bare"})

    def __init__(self, script: Tree | None = None, *, name: str = "ocs", **where: Any) -> None:
        #: octets granted, and octets reported as used, by rating group
        self.granted: Counter[int] = Counter()
        self.used: Counter[int] = Counter()
        self._asked: Counter[int] = Counter()
        super().__init__(name, GY, script, **where)
        groups = self.script.get("groups", {})  # JSON has no numbers as keys
        self.script["groups"] = {int(group): grants for group, grants in groups.items()}

    def content(self, request: Received | None, step: Tree) -> Tree:
        if request is None:
            return {"Rating-Group": step["rating_group"]} if "rating_group" in step else {}
        services = request.all("Multiple-Services-Credit-Control")
        for each in services:
            group = find(each, "Rating-Group")[0]
            self.used[group] += sum(octets(unit) for unit in find(each, "Used-Service-Unit"))
        if step.get("bare", step.get("result", SUCCESS) != SUCCESS):
            return {}
        wanted = [find(each, "Rating-Group")[0] for each in services if "Requested-Service-Unit" in each]
        return {"Multiple-Services-Credit-Control": [answered(group, self._next(group)) for group in wanted]}

    def _next(self, group: int) -> Tree:
        grants = self.script["groups"].get(group) or [{"result": RATING_FAILED}]
        self._asked[group] += 1
        grant: Tree = grants[min(self._asked[group], len(grants)) - 1]
        self.granted[group] += grant.get("octets", 0)
        return grant

    def reasons(self, group: int) -> list[int]:
        """Return the Reporting-Reasons that were told of a rating group, in their order (TS 32.299 7.2.175)."""
        return [
            reason
            for request in self.received
            for each in request.all("Multiple-Services-Credit-Control")
            if find(each, "Rating-Group")[0] == group
            for reason in find(each, "3GPP-Reporting-Reason") + find(each, "Used-Service-Unit", "3GPP-Reporting-Reason")
        ]


if __name__ == "__main__":
    serve(ForeignOcs)
