"""What a card has against what it must have (guideline 3.2, 3.3) and against what it needs (3.1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simwarden.policy.access_list import MOST, open_number
from simwarden.policy.classification import Registration, classify, measures
from simwarden.policy.number_ranges import judge_number, subscriber_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.model.form import FormFactor
    from simwarden.model.profile import Assessment, Use
    from simwarden.policy.access_list import Destination
    from simwarden.policy.classification import Classification
    from simwarden.policy.number_ranges import NumberRanges

#: octets a month above which data are large (guideline 1.3)
SMALL = 100 * 1000 * 1000
_CLAUSES = {"voice": "1.1(1)", "sms": "1.2(1)", "data": "1.3(1)"}


@dataclass(frozen=True, slots=True)
class Contract:
    """What a contract names for one use; None where it does not say. `quota` is in octets a month."""

    data: tuple[Destination, ...] | None = None
    sms: tuple[str, ...] | None = None
    voice: tuple[str, ...] | None = None
    apns: tuple[str, ...] | None = None
    quota: int | None = None


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, so that a judgement is found again at no cost
class Holding:
    """A card as it is: what it is for, what it is opened for, and what restricts it.

    `has` are words of controls that its owner tells of; those that follow from lists, quota (octets a month) and form
    are found by themselves. `registered` is `unit`, `user`, empty for neither, and None where nobody says.
    """

    assessment: Assessment
    use: Use | None = None
    form: FormFactor | None = None
    has: frozenset[str] = frozenset()
    voice: tuple[str, ...] = ()
    sms: tuple[str, ...] = ()
    data: tuple[Destination, ...] = ()
    apns: tuple[str, ...] = ()
    quota: int | None = None
    registered: str | None = None
    contract: Contract = field(default_factory=Contract)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a card lacks, or has without need, and the clauses that say so."""

    what: str
    clauses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what} ({', '.join(self.clauses)})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a card is, what it lacks and what it has without need."""

    classification: Classification
    lacks: tuple[Finding, ...]
    needless: tuple[Finding, ...]

    @property
    def fits(self) -> bool:
        """Whether it has all that it must have, and nothing that it does not need."""
        return not (self.lacks or self.needless)


def judge_card(card: Holding, ranges: NumberRanges | None = None) -> Judgement:
    """Judge a card, apart from its number; `ranges` tell which of its SMS numbers are those of cards and telephones.

    A card whose data are limited to certain destinations is a directed one, whatever its use; one whose quota allows
    large data, or which has none and no use, is a large one.
    """
    undirected = tuple(_undirected_sms(card, ranges))
    held = _controls(card) - ({"directed-sms"} if undirected else set())
    found = classify(_as_it_is(card, held))
    return Judgement(found, tuple(_lacks(card, found, held)), (*_needless(card), *undirected))


def judge_number_of(number: str, ranges: NumberRanges | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a card's number: one of no dedicated range (2.1.1)."""
    ruling = judge_number(number=number, ranges=ranges)
    return () if ruling.admitted else (Finding(f"dedicated number: {ruling.reason}", ("2.1.1",)),)


def _as_it_is(card: Holding, held: set[str]) -> Assessment:
    known = card.assessment
    large = known.large or (card.quota is not None and card.quota > SMALL) or (card.use is None and card.quota is None)
    return replace(known, directed=known.directed or "directed-data" in held, large=large)


def _undirected_sms(card: Holding, ranges: NumberRanges | None) -> Iterator[Finding]:
    """Yield the entries by which a card sends SMS to other cards or to telephones, and not to a platform only."""
    for number in card.sms:
        found = subscriber_range(number, ranges)
        if found is not None:
            yield Finding(f"SMS number {number} is of range {found}, and no platform's", ("1.2(1)",))


def _controls(card: Holding) -> set[str]:
    found = set(card.has)
    if card.voice and not any(map(open_number, card.voice)):
        found.add("directed-voice")
    if card.sms and not any(map(open_number, card.sms)):
        found.add("directed-sms")
    if card.data and not any(each.open_ended for each in card.data):
        found.add("directed-data")
    if card.quota is not None:
        found.add("quota")
    if card.form is not None and card.form.limited:
        found.add("card-form")
    return found


def _lacks(card: Holding, found: Classification, held: set[str]) -> Iterator[Finding]:
    if card.use is None:
        yield Finding("a use", ("3.1.2",))
    for demand in found.demands:
        if demand.control not in held:
            yield Finding(measures()[demand.control].title, demand.clauses)
    wanted = {Registration.UNIT_MUST: "unit", Registration.USER_MUST: "user"}.get(found.registration)
    if wanted and card.registered is not None and card.registered != wanted:
        whom = "the actual user" if wanted == "user" else "the responsible unit"
        yield Finding(f"registration to {whom}", (found.clause,))


def _needless(card: Holding) -> Iterator[Finding]:
    if card.use is not None:
        for each in card.assessment.functions:
            if each not in card.use.allowed:
                yield Finding(f"{_NAMES[each.value]}: {card.use.name} needs none", ("3.1.2",))
        yield from _quota(card, None if card.assessment.large else SMALL, "the use")
    yield from _beyond_lists(card)
    yield from _beyond_contract(card, card.contract)


def _beyond_lists(card: Holding) -> Iterator[Finding]:
    for function, entries in (("voice", card.voice), ("sms", card.sms), ("data", card.data)):
        name = _NAMES[function]
        if entries and function not in card.assessment.functions:
            yield Finding(f"a list for {name}, which is not opened", ("3.1.2",))
        if len(entries) > MOST[function]:
            yield Finding(f"{len(entries)} entries for {name}, more than {MOST[function]}", (_CLAUSES[function],))
    for number in (*card.voice, *card.sms):
        if why := open_number(number):
            yield Finding(why, ("3.1.2",))
    for entry in card.data:
        if why := "; ".join(filter(None, (entry.open_ended, entry.too_many_ports))):
            yield Finding(f"{entry.text}: {why}", ("3.1.2",))


def _quota(card: Holding, most: int | None, whose: str) -> Iterator[Finding]:
    if most is not None and card.quota is not None and card.quota > most:
        given, needed = (f"{octets / 1e6:.15g} MB" for octets in (card.quota, most))
        yield Finding(f"a quota of {given}, and {whose} needs at most {needed}", ("3.2(2)",))


def _beyond_contract(card: Holding, contract: Contract) -> Iterator[Finding]:
    if contract.data is not None:
        for entry in card.data:
            if not any(entry.within(each) for each in contract.data):
                yield Finding(f"{entry.text} is not in the contract", ("3.1.2",))
    lists: Mapping[str, tuple[tuple[str, ...], Iterable[str] | None]] = {
        "voice number": (card.voice, contract.voice),
        "SMS number": (card.sms, contract.sms),
        "APN": (card.apns, contract.apns),
    }
    for what, (held, agreed) in lists.items():
        for each in held:
            if agreed is not None and each not in agreed:
                yield Finding(f"{what} {each} is not in the contract", ("3.1.2",))
    yield from _quota(card, contract.quota, "the contract")


_NAMES = {"voice": "voice", "sms": "SMS", "data": "data"}
