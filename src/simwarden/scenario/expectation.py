"""Reads what a step expects: facts of elements, messages on interfaces, decisions, and the outcome of its verb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.model.interfaces import INTERFACES
from simwarden.model.units import seconds
from simwarden.policy.decision import Verdict
from simwarden.scenario.document import DecisionWanted, Expectation, FactWanted, MessageWanted, OutcomeWanted
from simwarden.scenario.match import matches
from simwarden.scenario.message_fields import expected_fields
from simwarden.scenario.messages import message_names
from simwarden.scenario.problems import guess, nearest, plain
from simwarden.scenario.validation import short

if TYPE_CHECKING:
    from simwarden.runtime.declare import Observable
    from simwarden.scenario.document import Condition
    from simwarden.scenario.identities import References
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Spot

#: outcomes and states that mean that the network or a card refused
REFUSAL_WORDS = frozenset({"rejected", "refused", "dropped", "blocked", "forbidden", "barred"})
#: values that say that an element holds no record
NO_RECORD = ("none", "absent")
_VERDICTS = {"refuse": Verdict.REFUSE, "refused": Verdict.REFUSE, "admit": Verdict.ADMIT, "admitted": Verdict.ADMIT}
_DECISION_KEYS = ("by", "control", "on", "verdict", "subject", "card", "device", "reason", "details")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The words that a verb may end with; none: any word."""

    verb: str
    words: tuple[str, ...] = ()

    def may_be(self, word: str) -> bool:
        """Whether the verb may end so; for a management call a status is as good as its phrase."""
        return not self.words or word.isdigit() or any(matches(word, each) for each in self.words)


class ExpectationReader:
    """Turns `expect` and `never` into conditions; whatever does not exist is noted as an error."""

    def __init__(self, registry: Registry, references: References, problems: Problems) -> None:
        self.registry, self.references, self.problems = registry, references, problems
        self._interfaces = {name.lower(): name for name in INTERFACES}

    def read(self, data: Any, spot: Spot, *, never: bool, outcomes: Outcomes | None) -> Expectation:
        """Read the value of an `expect` or `never`; a word is the outcome of the step's verb, if it has one.

        `outcomes` says which words the verb may end with.
        """
        verb = outcomes is not None
        conditions: list[Condition] = []
        within = None
        if isinstance(data, str) and data and verb and not never and "." not in data:
            if outcomes is not None and not outcomes.may_be(data):
                self.problems.add(f"{data!r} is no outcome of {outcomes.verb}", spot.place, guess(data, outcomes.words))
            conditions.append(OutcomeWanted(spot.place, data))
        elif isinstance(data, str) and data:
            conditions += self._subject(data, "", spot, spot, verb=False)
        elif isinstance(data, dict) and data:
            for key, value in data.items():
                if key == "within":
                    within = self._within(value, spot / key)
                else:
                    conditions += self._subject(key, value, spot / key, spot, verb=verb and not never)
        else:
            self.problems.add(f"{'never' if never else 'expect'}: say what, not {short(data)}", spot.place)
        return Expectation(spot.place, tuple(conditions), never, within)

    def _within(self, value: Any, spot: Spot) -> float | None:
        try:
            return seconds(str(value))
        except ValueError as error:
            self.problems.add(str(error), spot.place)
            return None

    def _subject(self, key: str, value: Any, spot: Spot, above: Spot, *, verb: bool) -> list[Condition]:
        if key == "decision":
            return self._decisions(value, spot)
        if key in self.references.instances:
            return self._facts(key, value, spot)
        interface, dot, message = key.partition(".")
        if dot and interface.lower() in self._interfaces:
            return self._message(self._interfaces[interface.lower()], message, value, spot)
        if verb and key in REFUSAL_WORDS:
            return [OutcomeWanted(spot.key, key), *self._decisions(value, spot)]
        known = [*self.references.instances, "decision", "within", *(f"{name}." for name in self._interfaces)]
        place = spot.key if spot is not above else spot.place
        self.problems.add(f"nothing here is called {key!r}", place, self._guess_subject(key, known))
        return []

    def _guess_subject(self, key: str, known: list[str]) -> str:
        interface, dot, message = key.partition(".")
        near = nearest(interface + dot, known) if dot else nearest(key, known)
        if near:
            return f"did you mean {near + message if dot else near!r}?"
        return f"elements: {', '.join(self.references.instances)}; messages are written as interface.message"

    # -- decisions

    def _decisions(self, value: Any, spot: Spot) -> list[Condition]:
        parts = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        found: list[Condition] = []
        for index, part in parts:
            here = spot if index is None else spot / index
            if isinstance(part, dict):
                found.append(self._decision(part, here))
            else:
                self.problems.add(f"decision: by and control are expected, not {short(part)}", here.place)
        return found

    def _decision(self, part: dict[str, Any], spot: Spot) -> DecisionWanted:
        for key in part:
            if key not in _DECISION_KEYS:
                self.problems.unknown("key", key, _DECISION_KEYS, (spot / key).key)
        by, control = str(part.get("by", "")), str(part.get("control", ""))
        if by and by not in self.references.instances:
            self.problems.unknown("element", by, self.references.instances, (spot / "by").place)
        elif control:
            self._check_control(by, control, str(part.get("on", "")), spot)
        word = str(part.get("verdict", "refuse"))
        if word not in _VERDICTS:
            self.problems.unknown("verdict", word, ("admit", "refuse"), (spot / "verdict").place)
        details = part.get("details") or {}
        if not isinstance(details, dict):
            self.problems.add(f"details: names and values are expected, not {short(details)}", (spot / "details").place)
            details = {}
        named = self.references.places(details, spot / "details", self.problems)
        return DecisionWanted(
            spot.place,
            by,
            control,
            _VERDICTS.get(word, Verdict.REFUSE),
            self._about(part, spot),
            str(part.get("reason", "")),
            self.references.resolve(named, spot / "details", self.problems),
            str(part.get("on", "")),
        )

    def _check_control(self, by: str, control: str, occasion: str, spot: Spot) -> None:
        kinds = {self.references.instances[by].kind} if by else set(self.registry.kinds)
        known = {name for name, held in self.registry.controls.items() if any(kind in kinds for kind, _ in held)}
        if control not in known:
            found = sorted(known)
            self.problems.unknown(f"control of {by}" if by else "control", control, found, (spot / "control").place)
            return
        occasions = [word for kind, each in self.registry.controls[control] if kind in kinds for word in each.occasions]
        if occasion and occasion not in occasions:
            self.problems.unknown(f"occasion of {control}", occasion, occasions, (spot / "on").place)

    def _about(self, part: dict[str, Any], spot: Spot) -> str:
        for key, identity in (("card", "imsi"), ("device", "imei")):
            if key in part:
                return self._identity_of(str(part[key]), identity, spot / key)
        return str(self.references.resolve(str(part.get("subject", "")), spot / "subject", self.problems))

    def _identity_of(self, name: str, identity: str, spot: Spot) -> str:
        if name not in self.references.instances:
            known = [each for each, it in self.references.instances.items() if identity in it.identities]
            self.problems.unknown("name", name, known, spot.place)
            return ""
        return self.references.identity(name, identity, spot, self.problems)

    # -- messages

    def _message(self, interface: str, message: str, value: Any, spot: Spot) -> list[Condition]:
        known = message_names(INTERFACES[interface].protocol)
        name = message.lower().replace("_", "-")
        if known and name not in known:
            self.problems.add(f"{interface} has no message {message!r}", spot.key, guess(name, sorted(known)))
        if not isinstance(value, dict) and value not in ("", "seen", "sent"):
            self.problems.add(f"{message}: fields with their values are expected, not {short(value)}", spot.place)
            return []
        if isinstance(value, dict):
            self._check_fields(interface, name, value, spot)
        fields = self.references.resolve(value, spot, self.problems) if isinstance(value, dict) else {}
        return [MessageWanted(spot.key, interface, name, fields)]

    def _check_fields(self, interface: str, message: str, value: dict[str, Any], spot: Spot) -> None:
        known = expected_fields(INTERFACES[interface].protocol, message)
        for key in value:
            if known and plain(key) not in known:
                self.problems.unknown(f"field of {message}", key, sorted(known), (spot / key).key)

    # -- facts

    def _facts(self, element: str, value: Any, spot: Spot) -> list[Condition]:
        declaration = self.registry.declaration(self.references.instances[element].kind)
        observables = {each.name: each for each in declaration.observables}
        if not isinstance(value, dict) or not value:
            hint = f"observables of {element}: {', '.join(observables)}"
            self.problems.add(f"{element}: say what is to be seen of it, not {short(value)}", spot.place, hint)
            return []
        found: list[Condition] = []
        for key, want in value.items():
            name = key.replace("-", "_") if key not in observables else key
            if name not in observables:
                self.problems.unknown(f"observable of {element}", key, observables, (spot / key).key)
            elif observables[name].record:
                found += self._records(element, observables[name], want, spot / key)
            else:
                found.append(self._scalar(element, observables[name], want, spot / key))
        return found

    def _scalar(self, element: str, observable: Observable, want: Any, spot: Spot) -> FactWanted:
        known = {plain(value) for value in observable.values}
        if known and isinstance(want, str) and plain(want) not in known and not _number(want):
            self.problems.add(f"{observable.name} is never {want!r}", spot.place, guess(want, observable.values))
        resolved = self.references.resolve(want, spot, self.problems)
        return FactWanted(spot.key, element, observable.name, record=False, want=resolved)

    def _records(self, element: str, observable: Observable, value: Any, spot: Spot) -> list[Condition]:
        if isinstance(value, str) and value.lower() in NO_RECORD:
            return [FactWanted(spot.key, element, observable.name, record=True, want=None)]
        parts = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        found: list[Condition] = []
        for index, part in parts:
            here = spot if index is None else spot / index
            if isinstance(part, dict) or part in ("", "any"):
                want = self._record(observable, part or {}, here) if isinstance(part, dict) else {}
                found.append(FactWanted(here.key, element, observable.name, record=True, want=want))
            else:
                self.problems.add(f"{observable.name}: fields, `any` or `none` are expected, not {part!r}", here.place)
        return found

    def _record(self, observable: Observable, part: dict[str, Any], spot: Spot) -> dict[str, Any]:
        want = {}
        for key, value in part.items():
            here = spot / key
            short_for = {"card": "imsi", "device": "imei"}.get(key, "")
            name = key.replace("-", "_") if key not in observable.fields else key
            if name in observable.fields:
                want[name] = self.references.resolve(value, here, self.problems)
            elif short_for in observable.fields:
                want[short_for] = self._identity_of(str(value), short_for, here)
            else:
                self.problems.unknown(f"field of {observable.name}", key, observable.fields, here.key)
        return want


def _number(text: str) -> bool:
    return text.isdigit() or text.lower().startswith("0x")
