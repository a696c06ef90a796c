"""Reads what a step expects: facts of elements, messages on interfaces, decisions, and the outcome of its verb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.errors import Place
from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.decision_words import DecisionReader
from simwarden.scenario.document import (
    DecisionWanted,
    EventWanted,
    Expectation,
    FactWanted,
    MessageWanted,
    OutcomeWanted,
)
from simwarden.scenario.event_fields import (
    ANSWER,
    CARD,
    EVENTS,
    FLOW,
    FLOW_FIELDS,
    answer_fields,
    cdr_fields,
    events_of,
    is_declared,
)
from simwarden.scenario.message_fields import carries, expected_fields, names_on
from simwarden.scenario.messages import spoken_names
from simwarden.scenario.problems import guess, nearest, plain
from simwarden.scenario.validation import read_seconds, short
from simwarden.scenario.wanted_values import WantedValues
from simwarden.scenario.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simwarden.model.values import Values
    from simwarden.operations.management import Route
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
_NOWHERE = Place("")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The words that a verb may end with; none: any word. Of some verbs nothing comes (`known` is False)."""

    verb: str
    words: tuple[str, ...] = ()
    known: bool = True

    def may_be(self, word: str) -> bool:
        """Whether the verb may end so."""
        return self.known and (not self.words or plain(word) in map(plain, self.words))


def _has_list(wanted: Any) -> bool:
    """Whether a condition, or a value of it, wants several values of one thing."""
    if isinstance(wanted, FactWanted):
        return _has_list(wanted.want)
    if isinstance(wanted, (EventWanted, MessageWanted)):
        return _has_list(wanted.fields)
    if isinstance(wanted, DecisionWanted):
        return _has_list(wanted.details)
    if isinstance(wanted, dict):
        return any(map(_has_list, wanted.values()))
    return isinstance(wanted, list) and (len(wanted) > 1 or any(map(_has_list, wanted)))


class ExpectationReader(WantedValues):
    """Turns `expect` and `never` into conditions; whatever does not exist is noted as an error."""

    def __init__(self, registry: Registry, references: References, problems: Problems, document: Any = None) -> None:
        """`document` is the whole file: names of the user's own (a province) are those that stand in it."""
        super().__init__(registry, references, problems, Wording(references, problems, registry.controls, document))
        self._decisions = DecisionReader(registry, references, problems, self.wording)
        self._interfaces = {name.lower(): name for name in INTERFACES}
        #: the routes of management calls since the phase began, by element
        self.called: dict[str, list[Route]] = {}

    def read(self, data: Any, spot: Spot, *, never: bool, outcomes: Outcomes | None) -> Expectation:
        """Read the value of an `expect` or `never`; a word is the outcome of the step's verb, if it has one.

        `outcomes` says which words the verb may end with.
        """
        verb, self.wording.never = outcomes is not None, never
        conditions: list[Condition] = []
        within = None
        if isinstance(data, str) and data and verb and not never and "." not in data:
            if outcomes is not None and not outcomes.known:
                hint = "expect what it leads to, in a step of its own"
                self.problems.add(f"{outcomes.verb} has no outcome by the end of its step", spot.place, hint)
            elif outcomes is not None and not outcomes.may_be(data):
                self.problems.add(f"{data!r} is no outcome of {outcomes.verb}", spot.place, guess(data, outcomes.words))
            conditions.append(OutcomeWanted(spot.place, data))
        elif isinstance(data, str) and data:
            conditions += self._subject(data, "", spot, spot, verb=False)
        elif isinstance(data, dict) and data:
            for key, value in data.items():
                if key == "within" and never:
                    self.problems.add("within: `never` is about the whole phase", (spot / key).key)
                elif key == "within":
                    within = read_seconds(value, spot / key, self.problems, "within: ")
                else:
                    conditions += self._subject(key, value, spot / key, spot, verb=verb and not never)
        else:
            self.problems.add(f"{'never' if never else 'expect'}: say what, not {short(data)}", spot.place)
        self._check_said(data, conditions, spot, never=never)
        self.wording.never = False
        return Expectation(spot.place, tuple(conditions), never, within)

    def _check_said(self, data: Any, conditions: list[Condition], spot: Spot, *, never: bool) -> None:
        """Note what would come out alike whatever happens."""
        if isinstance(data, dict) and [*data] == ["within"]:
            self.problems.add("within: say what is expected by then", (spot / "within").key)
        for each in conditions if never else ():
            if _has_list(each):
                told = "a list: `never` would be about all of its members at once"
                self.problems.add(told, each.place, "say each in a `never` of its own")
            if isinstance(each, DecisionWanted) and each.reason:  # in free words, of which none is known to be right
                self.problems.add("reason: a misspelt one would pass `never`; name the control", each.place)
            elif isinstance(each, EventWanted) and each.fields is None:
                self.problems.add("none: `never` is about each one; `expect` says that there is none", each.place)
            elif isinstance(each, (EventWanted, FactWanted, MessageWanted)) and each.times is not None:
                self.problems.add("times: `never` is about each one; `expect` says how many", each.place)
            elif isinstance(each, EventWanted) and not each.declared and "body" in (each.fields or ()):
                called = [it for it in self.called[each.element] if not is_declared(it.gives)]
                free = dict.fromkeys(f"{it.method} {it.path}" for it in called)
                told = f"body: what {', '.join(free)} gives is declared nowhere"
                self.problems.add(told, each.place, "a misspelt field would pass `never`: expect what is there instead")

    def _subject(self, key: str, value: Any, spot: Spot, above: Spot, *, verb: bool) -> list[Condition]:
        if key == "decision":
            return self._decisions.read(value, spot)
        if key in self.references.instances:
            return self._facts(key, value, spot)
        interface, dot, message = key.partition(".")
        if dot and interface.lower() in self._interfaces:
            return self._message(self._interfaces[interface.lower()], message, value, spot)
        if verb and key in REFUSAL_WORDS:
            return [OutcomeWanted(spot.key, key), *self._decisions.read(value, spot)]
        known = [*self.references.instances, "decision", "within", *(f"{name}." for name in self._interfaces)]
        place = spot.key if spot is not above else spot.place
        told = f"nothing here is called {key!r}"
        self.problems.nobody(key, told, place, self._guess_subject(key, known))
        return []

    def message_named(self, text: str, spot: Spot) -> tuple[str, str] | None:
        """Return interface and name of a message written as INTERFACE.MESSAGE; None, noted, if there is none such."""
        interface, dot, message = text.partition(".")
        if not dot or interface.lower() not in self._interfaces:
            hint = self._guess_subject(text, [f"{name}." for name in self._interfaces]) if dot else ""
            self.problems.add(f"a message is written as INTERFACE.MESSAGE, not {short(text)}", spot.place, hint)
            return None
        wanted = self._message(self._interfaces[interface.lower()], message, "", spot)[0]
        return (wanted.interface, wanted.message) if isinstance(wanted, MessageWanted) else None

    def fields_to_be(self, interface: str, name: str, value: Any, spot: Spot) -> dict[str, Any]:
        """Return the fields that a message of a story's own making has, checked as those that are expected of it."""
        if not isinstance(value, dict) or not value:
            self.problems.add(f"{name}: fields with their values are expected, not {short(value)}", spot.place)
            return {}
        fields, sound = self._resolved(value, spot)
        may_be = expected_fields(interface, name)
        if may_be is not None and sound:
            self.wording.fields(name, fields, may_be, spot)
        return dict(fields)

    def _guess_subject(self, key: str, known: list[str]) -> str:
        interface, dot, message = key.partition(".")
        if dot and interface in self.references.instances:
            return f"what is seen of an element stands below it: {interface}: {{{message or '...'}: ...}}"
        near = nearest(interface + dot, [each for each in known if each.endswith(".")]) if dot else nearest(key, known)
        if near:
            return f"did you mean {near + message if dot else near!r}?"
        return f"elements: {', '.join(self.references.instances)}; messages are written as interface.message"

    # -- messages

    def _message(self, interface: str, message: str, value: Any, spot: Spot) -> list[Condition]:
        name = message.lower().replace("_", "-")
        if spoken_names(interface) and not carries(interface, name) and not self._sent_astray(interface, name):
            near = guess(name, sorted(names_on(interface)))
            self.problems.add(f"{interface} has no message {message!r}", spot.key, near)
        elif not self._speaks(interface):
            self.problems.add(f"nobody here speaks {interface}", spot.key)
        if not isinstance(value, dict) and value not in ("", "seen", "sent"):
            self.problems.add(f"{message}: fields with their values are expected, not {short(value)}", spot.place)
            return []
        if not isinstance(value, dict) or not value:
            return [MessageWanted(spot.key, interface, name, {})]
        times, value = self._times(value, spot)
        fields, sound = self._wanted(value, spot)
        may_be = expected_fields(interface, name)
        if may_be is not None and sound:
            self.wording.fields(name, fields, may_be, spot)
            fields = self.wording.typed_fields(fields, may_be)
        return [MessageWanted(spot.key, interface, name, fields, times)]

    def _times(self, fields: dict[str, Any], spot: Spot) -> tuple[int | None, dict[str, Any]]:
        """Return how many are wanted, where that is said, and the other fields."""
        if "times" not in fields:
            return None, fields
        text = "" if isinstance(fields["times"], dict | list) else str(fields["times"])
        if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text)):
            told = f"times: a number from 1 on is expected, not {short(fields['times'])}"
            self.problems.add(told, (spot / "times").place)
        others = {key: value for key, value in fields.items() if key != "times"}
        return (int(text) if text.isdecimal() else None), others

    def _sent_astray(self, interface: str, name: str) -> bool:
        """Whether the story itself sends a message of another application, or the request that it answers."""
        sent = name.replace("-answer", "-request")
        return name in spoken_names(interface) and self.wording.gives(sent)

    def _speaks(self, interface: str) -> bool:
        """Whether an interface is there: one element listens, and another calls it (events: any may)."""
        if self.wording.foreign:  # which may speak what no kind of ours does
            return True
        declared = [self.registry.declaration(each.kind) for each in self.references.instances.values()]
        ends = sum(interface in (*each.listens, *each.calls) for each in declared)
        callable_ = any(interface in self.registry.declaration(kind).calls for kind in self.registry.kinds)
        return any(interface in each.listens for each in declared) and ends > callable_

    # -- facts

    def _facts(self, element: str, value: Any, spot: Spot) -> list[Condition]:
        declaration = self.registry.declaration(self.references.instances[element].kind)
        observables = {each.name: each for each in declaration.observables}
        known = [*observables, *events_of(declaration.records)]
        if not isinstance(value, dict) or not value:
            hint = f"to be seen of {element}: {', '.join(known)}"
            self.problems.add(f"{element}: say what is to be seen of it, not {short(value)}", spot.place, hint)
            return []
        found: list[Condition] = []
        for key, want in value.items():
            name = key.replace("-", "_") if key not in observables else key
            if name in EVENTS and name in known and name not in observables:
                found += self._events(element, name, want, spot / key)
            elif name not in observables:
                self.problems.unknown(f"observable of {element}", key, known, (spot / key).key)
            elif observables[name].record:
                found += self._records(element, observables[name], want, spot / key)
            else:
                found.append(self._scalar(element, observables[name], want, spot / key))
        return found

    def _scalar(self, element: str, observable: Observable, want: Any, spot: Spot) -> FactWanted:
        resolved = self._value(observable.name, want, observable.values.or_none(), spot)
        return FactWanted(spot.key, element, observable.name, record=False, want=resolved)

    def _records(self, element: str, observable: Observable, value: Any, spot: Spot) -> list[Condition]:
        return [
            FactWanted(here.key, element, observable.name, record=True, want=want, times=times)
            for here, want, times in self._several(
                observable.name,
                value,
                spot,
                lambda part, here: self._record(observable, part, here),
                counted="times" not in observable.fields,
            )
        ]

    def _several(
        self,
        what: str,
        value: Any,
        spot: Spot,
        read: Callable[[dict[str, Any], Spot], dict[str, Any]],
        *,
        counted: bool = True,
    ) -> Iterator[tuple[Spot, dict[str, Any] | None, int | None]]:
        """Yield the wanted records or events, each with its place and how many there are to be; None: there is none.

        Parts of a list that say the same are noted: one record would be met by both.
        """
        if isinstance(value, str) and value.lower() in NO_RECORD and what != ANSWER:
            yield spot, None, None
            return
        said: list[dict[str, Any]] = []
        for part, here in self._parts(value, spot):
            times, wanted = None, {}
            if isinstance(part, dict) and part:
                times, fields = self._times(part, here) if counted else (None, part)
                wanted = read(fields, here)
            elif part != "any" or what == ANSWER:
                words = "status and body" if what == ANSWER else "fields, `any` or `none`"
                self.problems.add(f"{what}: {words} are expected, not {short(part)}", here.place)
                continue
            if wanted in said:
                self.problems.add(f"{what}: this stands here twice", here.key, "say once how many: times: 2")
            said.append(wanted)
            yield here, wanted, times

    def _record(self, observable: Observable, part: dict[str, Any], spot: Spot) -> dict[str, Any]:
        want: dict[str, Any] = {}
        for key, value in part.items():
            here = spot / key
            short_for = {"card": "imsi", "device": "imei"}.get(key, "")
            name = key.replace("-", "_") if key not in observable.fields else key
            if (name if name in observable.fields else short_for) in want:
                self.problems.add(f"{observable.name}: {key} says again what stands beside it", here.key)
            if name in observable.fields:
                want[name] = self._value(name, value, observable.fields[name].beside(part), here)
            elif short_for in observable.fields:
                want[short_for] = self._identity_of(value, short_for, here)
            else:
                self.problems.unknown(f"field of {observable.name}", key, observable.fields, here.key)
        return want

    # -- answers, CDRs and flow records

    def _events(self, element: str, kind: str, value: Any, spot: Spot) -> list[Condition]:
        if kind == ANSWER and element not in self.called:
            told = f"no step of this phase calls {element}"
            self.problems.add(told, spot.key, f"add manage: {{element: {element}, ...}}")
            return []
        declared = kind != ANSWER or all(is_declared(each.gives) for each in self.called[element])
        return [
            EventWanted(here.key, element, kind, wanted, times, declared)
            for here, wanted, times in self._several(
                kind, value, spot, lambda part, here: self._event(element, kind, part, here)
            )
        ]

    def _event(self, element: str, kind: str, given: dict[str, Any], spot: Spot) -> dict[str, Any]:
        """Return the fields that are wanted of an event, checked."""
        short_for = CARD.get(kind, "")
        known = self._event_fields(element, kind, str(given.get("record", "")))
        want: dict[str, Any] = {}
        if "card" in given and short_for in known:
            if short_for in given:
                self.problems.add(f"{kind}: card says again what stands beside it", (spot / "card").key)
            want[short_for] = self._identity_of(given["card"], "imsi", spot / "card")
            given = {key: value for key, value in given.items() if key != "card"}
        fields, sound = self._wanted(given, spot)
        if sound:
            self.wording.fields(kind, fields, known, spot)
            fields = self.wording.typed_fields(fields, known)
        merged: dict[str, Any] = {**want, **fields}
        return merged

    def _event_fields(self, element: str, kind: str, record: str) -> Mapping[str, Values]:
        if kind == ANSWER:
            return answer_fields([each.gives for each in self.called[element]])
        if kind == FLOW:
            return FLOW_FIELDS
        declared = self.registry.declaration(self.references.instances[element].kind).records
        types = tuple(each for each in declared if each != FLOW)
        return cdr_fields((record,) if record in types else types)

    def _value(self, name: str, want: Any, values: Values, spot: Spot) -> Any:
        """Return what is wanted with its references resolved, checked."""
        if want == {}:
            self.problems.add(f"{name}: say what is to be seen of it, not an empty mapping", spot.place)
        resolved, sound = self._wanted(want, spot)
        if sound:
            self.wording.value(name, resolved, values, spot)
            resolved = self.wording.typed(resolved, values)
        return resolved
