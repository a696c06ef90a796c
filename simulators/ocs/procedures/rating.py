"""What a request takes from a quota and gives back to it (RFC 8506 5.1.2, TS 32.299 5.2.2): given out is spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simulators.ocs.config import FinalUnit
from simulators.ocs.controls import OF
from simulators.ocs.procedures.units import granted, units_in
from simulators.ocs.service import Service
from simulators.ocs.store import Reserve
from simwarden.wire.diameter import ResultCode, first
from simwarden.wire.diameter.apps.credit import FinalUnitAction
from simwarden.wire.diameter.apps.gy import TriggerType
from simwarden.wire.diameter.credit import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ocs.card import QuotaCard
    from simulators.ocs.core import Core
    from simulators.ocs.store import Session
    from simwarden.wire.diameter import Avps, Message

#: units of one report that are counted: nobody uses more, and no counter holds many of what an Unsigned64 may say
_MOST: Final = 1 << 40
#: what a request changes of a session
_CHANGED: Final = ("number", "answer", "reserves", "over", "ends")
#: 3GPP-RAT-Type (TS 29.061 16.4.7.2)
_NETWORKS: Final[Mapping[bytes, str]] = {
    b"\x01": "UTRAN",
    b"\x02": "GERAN",
    b"\x06": "E-UTRAN",
    b"\x08": "NB-IoT",
    b"\x09": "LTE-M",
}


def network_of(asked: Message) -> str:
    """Return the kind of radio network that a request tells, empty where it tells none that is known."""
    rat = asked.find("Service-Information", "PS-Information", "3GPP-RAT-Type")
    return _NETWORKS.get(rat, "")


@dataclass(slots=True)
class Rating:
    """One request of a session, and what it has counted so far, so that it can be undone where it is not kept.

    `month` is that in which it came.
    """

    core: Core
    card: QuotaCard
    session: Session
    on: str
    network: str = ""
    _counted: list[tuple[str, int]] = field(default_factory=list)
    month: str = field(init=False)
    _before: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.month = self.core.month
        self._before = {name: getattr(self.session, name) for name in _CHANGED}
        self._before["reserves"] = dict(self.session.reserves)

    @property
    def begins(self) -> bool:
        """Whether nothing was heard of the session before."""
        return bool(self._before["number"] < 0)

    def count(self, month: str, units: int) -> None:
        """Count units for the card, as used if there are more than before."""
        self.core.store.charge(self.card.imsi, month, self.session.service, units=units)
        self._counted.append((month, units))

    def undo(self) -> None:
        """Have it as it was before the request."""
        for month, units in self._counted:
            self.core.store.charge(self.card.imsi, month, self.session.service, units=-units)
        for name, value in self._before.items():
            setattr(self.session, name, value)

    # -- rating groups

    def rate(self, groups: list[Avps]) -> Avps:
        """Take what is reported of all groups, then give what is asked for; return the groups of the answer.

        What a group that asks has left is held for it: nothing of it is given to one that is answered before.
        """
        unused = self.settle(groups)
        asking = {_name(group) for group in groups if first(group, "Requested-Service-Unit") is not None}
        held = {name: units for name, units in unused.items() if name in asking}
        self.count(self.month, sum(held.values()))
        return [(GROUPS, self._answer(group, held)) for group in groups]

    def settle(self, groups: list[Avps]) -> dict[str, int]:
        """Take what groups report, perhaps several of one Rating-Group; return how much each of those has left."""
        reports: dict[str, list[int]] = {}
        for group in groups:
            units = (units_in(self.session.service, value) for name, value in group if name == "Used-Service-Unit")
            reports.setdefault(_name(group), []).extend(each for each in units if each is not None)
        return {name: self._settle(name, each) for name, each in reports.items()}

    def _settle(self, group: str, reports: list[int]) -> int:
        """Give back what was given for a group and not used; return how much. What is not reported is used."""
        reserve = self.session.reserves.pop(group, Reserve(self.month, 0))
        if not reports:
            return 0
        used = min(sum(reports), _MOST)
        self.count(reserve.month, used - reserve.units)
        return max(0, reserve.units - used)

    def _answer(self, group: Avps, held: dict[str, int]) -> Avps:
        """Answer about a group, of which the gateway may use what was not used, and is `held`, until it has the answer.

        So that stays reserved with what is given, until the next report tells (TS 32.299 7.2.237).
        """
        wanted = first(group, "Requested-Service-Unit")
        known: Avps = [each for each in group if each[0] in ("Service-Identifier", "Rating-Group")]
        if wanted is None:
            return [*known, ("Result-Code", int(ResultCode.DIAMETER_SUCCESS))]
        name = _name(group)
        unused = held.pop(name, 0)
        self.count(self.month, -unused)
        answer = self._give(name, units_in(self.session.service, wanted) or 0, known)
        given = self.session.reserves.get(name, Reserve(self.month, 0))
        if given.units < unused:
            self.count(given.month, unused - given.units)
            self.session.reserves[name] = Reserve(given.month, unused)
        return answer

    def _give(self, group: str, asked: int, known: Avps) -> Avps:
        """Give units to a group: no more than are left, and the last of them as final ones (RFC 8506 5.6)."""
        service, config = self.session.service, self.core.config
        quota = self.core.quota_of(self.card, service, self.network)
        used = self.core.store.used(self.card.imsi, self.month, service)
        if not self.core.site.decide(OF[service], self.card.imsi, on=self.on, used=used, quota=quota).admitted:
            result = ResultCode.DIAMETER_CREDIT_LIMIT_REACHED
            return [*known, ("Result-Code", int(result if quota is not None else _NO_QUOTA))]
        most = config.octets if service is Service.DATA else config.seconds
        units, left = min(asked or most, most), (quota or 0) - used
        if left > 0:  # of a quota that is used up a rule has refused the units
            units = min(units, left)
        before = self.session.reserves.get(group, Reserve(self.month, 0))  # of this request
        self.session.reserves[group] = Reserve(self.month, before.units + units)
        self.count(self.month, units)
        terms = self._terms(service, units, last=units == left)
        validity = ("Validity-Time", self.core.validity())
        return [granted(service, units), *known, validity, ("Result-Code", int(ResultCode.DIAMETER_SUCCESS)), *terms]

    def _terms(self, service: Service, units: int, *, last: bool) -> Avps:
        """Return what becomes of the last units, or when a gateway asks for more (TS 32.299 7.2.237).

        And after how long it gives back (7.2.160), and of which changes it tells (7.2.234): of the network, where a
        tier depends on that.
        """
        final = _final(self, service) if last else []
        if service is not Service.DATA:
            return final
        config = self.core.config
        threshold = 0 if last else min(units * config.threshold // 100, (1 << 32) - 1)
        holding, told = round(config.holding), any(tier.networks for tier in config.tiers)
        return [
            *final,
            *([("Volume-Quota-Threshold", threshold)] if threshold else []),
            *([("Quota-Holding-Time", holding)] if holding else []),
            *([("Trigger", [("Trigger-Type", int(TriggerType.CHANGE_IN_RAT))])] if told else []),
        ]


#: of messages and calls: they end
_NO_TERMS: Final = FinalUnit()
#: of a card that has no quota for a service: the service is denied
_NO_QUOTA: Final = ResultCode.DIAMETER_END_USER_SERVICE_DENIED


def _final(rating: Rating, service: Service) -> Avps:
    """Return what becomes of the service when its last units are used (RFC 8506 8.34)."""
    terms = rating.core.config.final_unit if service is Service.DATA else _NO_TERMS
    if terms.redirect:
        server = [("Redirect-Address-Type", _URL), ("Redirect-Server-Address", terms.redirect)]
        what: Avps = [("Final-Unit-Action", int(FinalUnitAction.REDIRECT)), ("Redirect-Server", server)]
    elif terms.restrict:
        rules = [("Restriction-Filter-Rule", rule) for rule in terms.restrict]
        what = [("Final-Unit-Action", int(FinalUnitAction.RESTRICT_ACCESS)), *rules]
    else:
        what = [("Final-Unit-Action", int(FinalUnitAction.TERMINATE))]
    return [("Final-Unit-Indication", what)]


#: the Redirect-Address-Type of a URL (RFC 8506 8.38)
_URL: Final = 2


def _name(group: Avps) -> str:
    """Return by which name a group's units are kept: its Rating-Group, 0 where it has none."""
    return str(first(group, "Rating-Group", 0))


def results(groups: Avps) -> list[int]:
    """Return the Result-Codes of the groups of an answer."""
    return [int(first(group, "Result-Code", 0)) for _, group in groups]
