"""Reads the steps of a scenario: one verb each, and what is expected after it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from simwarden.runtime.declare import Digits, Names, Seconds, VerbModel
from simwarden.scenario.document import NO_ANSWER, Call, Fail, Manage, Power, Rhythm, Step, Together, Wait
from simwarden.scenario.during import DuringReader
from simwarden.scenario.expectation import Outcomes
from simwarden.scenario.problems import guess
from simwarden.scenario.validation import check, read_seconds, short
from simwarden.wire.family import families, on_interface

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.declare import Verb
    from simwarden.scenario.document import Action
    from simwarden.scenario.expectation import ExpectationReader
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Spot

POWER = ("stop", "start", "restart", "kill")
CORE_VERBS = {
    "wait": "Let time pass: `wait: 90 days`.",
    "stop": "Stop an element with its goodbyes: `stop: eir`.",
    "start": "Start an element that was stopped or killed: `start: eir`.",
    "restart": "Stop an element with its goodbyes and start it again: `restart: hss`.",
    "kill": "Take an element's power away, without goodbyes: `kill: hss`.",
    "fail": "Let an element stay connected and answer each request with a Result-Code, or without `answer` not at all "
    "(a broker of events: never): `fail: {element: hss, answer: 5012}` (2001: a success with nothing in it); "
    "`after: 2 s` has it take each up later.",
    "mend": "Let an element that fails serve again: `mend: hss`.",
    "manage": "Call an element's management interface in the name of a role; the outcome is the HTTP status: "
    "`manage: {element: hss, as: customer, put: '/cards/{card.imsi}/binding', body: {imei: meter.imei}}`; "
    "`get`, `post`, `delete` and `patch` likewise; `caller` names who calls, `accounts: [waterworks]` are those of a "
    "customer.",
    "together": "Begin several verbs at the same moment; over when all are: "
    "`together: [{power_on: meter}, {power_on: phone}]`.",
}
#: how a management call may end: an HTTP status by its phrase or number
STATUSES = tuple(text for each in HTTPStatus for text in (each.phrase, str(int(each))))
#: the methods of management calls, as keys of their paths
METHODS = ("get", "put", "post", "delete", "patch")
_JUDGE = ("expect", "never")
BESIDE = ("over", "every", "for", "name")
"""Keys with a text that may stand beside a verb (see `words`)."""
DURING = "during"


def _result_code(code: int) -> int:
    if code not in (0, 2001) and not 3000 <= code < 6000:
        raise ValueError(f"a Result-Code of an error (3002, 5012), or 2001 is expected, not {code}")
    return code


class ManageModel(VerbModel):
    """Arguments of `manage`: the path stands under its method, one that a route lacks is answered 405."""

    element: str
    role: Literal["operator", "customer"] = Field(default="operator", alias="as")
    get: str = ""
    put: str = ""
    post: str = ""
    delete: str = ""
    patch: str = ""
    body: dict[str, Any] = Field(default_factory=dict)
    caller: str = ""
    accounts: tuple[str, ...] = ()


class FailModel(VerbModel):
    """Arguments of `fail`."""

    shorthand: ClassVar[str] = "element"

    element: str
    answer: Annotated[Digits, Field(ge=0, le=5999), AfterValidator(_result_code)] = 0
    """A Result-Code; 2001: a success that lacks all that it should hold."""
    after: Seconds = 0.0
    database: Literal["down"] | None = None


class StepReader:
    """Turns the entries of `steps` into steps."""

    def __init__(self, reader: ExpectationReader) -> None:
        self.reader = reader
        self.registry, self.references, self.problems = reader.registry, reader.references, reader.problems
        self._during = DuringReader(reader, self._action)
        self._judged = False

    def read(self, data: Any, spot: Spot) -> list[Step]:
        """Read all steps."""
        if not isinstance(data, list) or not data:
            self.problems.add(f"steps: a list of steps is expected, not {short(data)}", spot.place)
            return []
        return [step for index, each in enumerate(data) if (step := self._step(each, spot / index, index)) is not None]

    def _step(self, data: Any, spot: Spot, index: int) -> Step | None:
        if isinstance(data, str) and data:
            data = {data: ""}
        if not isinstance(data, dict) or not data:
            self.problems.add(f"a step is one verb with its arguments, not {short(data)}", spot.place)
            return None
        verbs = [key for key in data if key not in (*_JUDGE, *BESIDE, DURING)]
        for extra in verbs[1:]:
            told = f"one verb a step: {extra!r} stands beside {verbs[0]!r}"
            self.problems.add(told, (spot / extra).key, guess(extra, (*BESIDE, DURING, *_JUDGE), most=0))
        if verbs and self._judged:
            self.reader.called.clear()  # a new phase begins
            self._judged = False
        action = self._timed(verbs[0], data, spot) if verbs else None
        outcomes = self._outcomes(verbs[0], data[verbs[0]]) if verbs else None
        if outcomes is not None and isinstance(action, Rhythm):
            outcomes = replace(outcomes, known=False)  # what goes on beside the steps has not come to its end
        during = self._during.read(data[DURING], spot / DURING) if DURING in data else ()
        self._judged = self._judged or not set(_JUDGE).isdisjoint(data)
        expectations = tuple(
            self.reader.read(data[key], spot / key, never=key == "never", outcomes=outcomes)
            for key in _JUDGE
            if key in data
        )
        text = _text(verbs[0], data[verbs[0]]) if verbs else " and ".join(key for key in _JUDGE if key in data)
        facts = {key: value for key, value in data.items() if key not in _JUDGE}
        if during and (not verbs or isinstance(action, Rhythm)):
            self.problems.add("during: it stands beside a verb that the step carries out", (spot / DURING).key)
        return Step(index, spot.place, text, action, facts, expectations, str(data.get("name", "")), during)

    def _timed(self, verb: str, data: dict[str, Any], spot: Spot) -> Action | None:
        """Read a step's verb with what stands beside it: who of several does it when, and how often."""
        actions = self._members(verb, data[verb], spot / verb)
        over, every, lasting = (self._seconds(data, key, spot) for key in ("over", "every", "for"))
        if every is not None and every <= 0:
            self.problems.add("every: more than no time is expected", (spot / "every").place)
        if lasting is not None and every is None:
            self.problems.add("for: how long what is done `every` so often goes on", (spot / "for").key, "add every:")
        if every:
            return Rhythm(actions, every, every if over is None else over, lasting)
        only = actions[0] if len(actions) == 1 else None
        if over is not None and isinstance(only, Together):
            return replace(only, over=over)
        if over is not None and len(actions) == 1 and not self.references.meant_many(data[verb]):
            self.problems.add("over: nothing here is done by several", (spot / "over").key, "as devices with a count")
        return actions[0] if len(actions) == 1 else Together(actions, over or 0.0) if actions else None

    def _seconds(self, data: dict[str, Any], key: str, spot: Spot) -> float | None:
        return read_seconds(data[key], spot / key, self.problems, f"{key}: ") if key in data else None

    def _members(self, verb: str, value: Any, spot: Spot) -> tuple[Action, ...]:
        """Read a verb; one that names several is read for each of them."""
        groups = self.references.groups_in(value)
        if not groups:
            action = self._action(verb, value, spot)
            return () if action is None else (action,)
        sizes = {name: len(self.references.groups[name]) for name in groups}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} {size}" for name, size in sizes.items())
            self.problems.add(f"{verb}: these go together and are not as many: {told}", spot.place)
            return ()
        found = []
        for place in range(sizes[groups[0]]):
            self.references.at = place
            found.append(self._action(verb, self.references.member(value, spot), spot))
        self.references.at = None
        return tuple(action for action in found if action is not None)

    def _outcomes(self, verb: str, value: Any) -> Outcomes:
        """Return how a verb may end; several begun together end with the word that all came to."""
        if verb == "together" and isinstance(value, list):
            each = [self._outcomes(*pair) for one in value if isinstance(one, dict) for pair in one.items()]
            free = any(one.known and not one.words for one in each)
            words = dict.fromkeys(word for one in each for word in one.words)
            return Outcomes(verb, () if free else tuple(words), any(one.known for one in each))
        if verb == "manage":
            return Outcomes(verb, (*STATUSES, NO_ANSWER))
        choices = self.registry.verbs.get(verb)
        if not choices:
            return Outcomes(verb, (), verb not in CORE_VERBS)
        kind, chosen = self._choose(choices, value)
        return Outcomes(verb, may_end(self.registry, kind, chosen))

    def _action(self, verb: str, value: Any, spot: Spot) -> Action | None:
        if verb in (*POWER, "mend"):
            return Power(value, verb) if self._is_element(value, spot) else None
        readers: dict[str, Callable[[Any, Spot], Action | None]] = {
            "wait": self._wait,
            "fail": self._fail,
            "manage": self._manage,
            "together": self._together,
        }
        if verb in readers:
            return readers[verb](value, spot)
        if verb in self.registry.verbs:
            return self._call(verb, value, spot)
        self.problems.unknown("verb", verb, (*self.registry.verbs, *CORE_VERBS, *_JUDGE), spot.key)
        return None

    def _together(self, value: Any, spot: Spot) -> Together | None:
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(x, dict) and len(x) == 1 for x in value):
            self.problems.add("together: a list of at least two verbs with their arguments is expected", spot.place)
            return None
        actions = []
        for index, each in enumerate(value):
            (verb, arguments) = next(iter(each.items()))
            actions.append(self._action(verb, arguments, spot / index / verb))
        return Together(tuple(action for action in actions if action is not None))

    def _wait(self, value: Any, spot: Spot) -> Wait | None:
        duration = read_seconds(value, spot, self.problems)
        return None if duration is None else Wait(duration)

    def _fail(self, value: Any, spot: Spot) -> Fail | None:
        given = check(FailModel, value if isinstance(value, dict) else {"element": value}, spot, self.problems)
        if given is None or not self._is_element(given.element, spot / "element"):
            return None
        if given.database:
            if given.model_fields_set != {"element", "database"}:
                self.problems.add("database: nothing else is expected beside it", (spot / "database").place)
            return Fail(given.element, 0, database=True)
        listens = self.registry.declaration(self.references.instances[given.element].kind).listens
        spoken = [family for each in listens for family in on_interface(each)]
        results = any(each.results for each in spoken)
        if not any(each.silenced for each in spoken):
            titles = " nor ".join(each.title for each in families().values() if each.silenced)
            self.problems.add(f"fail: {given.element} answers neither {titles}", (spot / "element").place)
        elif given.answer and not results:
            told = f"answer: {given.element} has no Result-Codes, only silence"
            self.problems.add(told, (spot / "answer").place)
        if given.after and ("answer" in given.model_fields_set or not results):
            told = "after: who takes Diameter requests up late answers them by itself"
            self.problems.add(told, (spot / "after").key)
        return Fail(given.element, given.answer, given.after)

    def _is_element(self, name: Any, spot: Spot, kinds: tuple[str, ...] = ()) -> bool:
        instances = self.references.instances
        found = instances.get(name) if isinstance(name, str) else None
        if found is not None and (not kinds or found.kind in kinds):
            return True
        known = [each for each, it in instances.items() if not kinds or it.kind in kinds]
        what = self.registry.noun(kinds[0]) if len(kinds) == 1 else "element"
        if isinstance(name, str) and name:
            self.problems.nobody(name, f"no {what} is called {name!r}", spot.place, guess(name, known))
        else:
            self.problems.add(f"name the {what}", spot.place, f"known: {', '.join(known)}" if known else "")
        return False

    def _manage(self, value: Any, spot: Spot) -> Manage | None:
        if isinstance(value, dict) and (apart := [key for key in ("method", "path") if key in value]):
            method, path = (str(value.get(key, "")) for key in ("method", "path"))
            wanted = f"{method.lower() or 'get'}: {path if path.startswith('/') else '/...'}"
            self.problems.add(f"method and path are written as one key: {wanted}", (spot / apart[0]).key)
            return None
        given = check(ManageModel, value, spot, self.problems)
        if given is None or not self._is_element(given.element, spot / "element"):
            return None
        methods = [key for key in METHODS if key in given.model_fields_set]
        if len(methods) != 1:
            told = ", ".join(methods) or "none"
            self.problems.add(f"one of {', '.join(METHODS)} is expected with a path, not {told}", spot.place)
            return None
        method, here = methods[0].upper(), spot / methods[0]
        path = self.references.fill(getattr(given, methods[0]), here, self.problems)
        self._check_route(given.element, method, path, here)
        named = self.references.places(given.body, spot / "body", self.problems)
        body = self.references.resolve(named, spot / "body", self.problems)
        return Manage(given.element, given.role, method, path, body, given.caller, given.accounts)

    def _check_route(self, element: str, method: str, path: str, spot: Spot) -> None:
        kind = self.references.instances[element].kind
        routes, path = self.registry.kinds[kind].routes, path.partition("?")[0]
        found = [each for each in routes if each.pattern.fullmatch(path)]
        meant = [each for each in found if each.method == method]
        self.reader.called.setdefault(element, []).extend(meant[:1])
        if not found:
            paths = dict.fromkeys(each.path for each in routes)
            self.problems.add(f"{element} has no route {method} {path}", spot.place, guess(path, paths))

    def _call(self, name: str, value: Any, spot: Spot) -> Call | None:
        choices = self.registry.verbs[name]
        kind, verb = self._choose(choices, value)
        if not isinstance(value, dict):
            if value != "" and not verb.arguments.shorthand:
                fields = ", ".join(verb.arguments.model_fields)
                self.problems.add(f"{name}: {fields} are expected, not {short(value)}", spot.place)
                return None
            value = {verb.arguments.shorthand: value} if verb.arguments.shorthand and value != "" else {}
        before = len(self.problems.found)
        arguments = {key: self._argument(verb, key, each, spot) for key, each in value.items()}
        check(verb.arguments, arguments, spot, self.problems, what="argument")
        element = self._carrier(kind, verb, arguments, spot, [each for each, _ in choices])
        return Call(element, name, arguments) if element and len(self.problems.found) == before else None

    def _choose(self, choices: tuple[tuple[str, Verb], ...], value: Any) -> tuple[str, Verb]:
        """Choose among kinds with a verb of that name: the kind of the element that the step names."""
        for kind, verb in choices:
            target = verb.arguments.target
            name = value.get(target) if isinstance(value, dict) else value
            if target and isinstance(name, str):
                instance = self.references.instances.get(name)
                if instance is not None and instance.kind == kind:
                    return kind, verb
        return choices[0]

    def _argument(self, verb: Verb, key: str, value: Any, spot: Spot) -> Any:
        here = spot / key if spot.source.has((*spot.path, key)) else spot
        info = verb.arguments.model_fields.get(key)
        kinds = tuple(mark.kind for mark in info.metadata if isinstance(mark, Names)) if info else ()
        if kinds:
            self._is_element(value, here, kinds)
            return value if isinstance(value, str) else ""  # what is no name is told as that, not as no text as well
        return self.references.resolve(value, here, self.problems)

    def _carrier(self, kind: str, verb: Verb, arguments: dict[str, Any], spot: Spot, kinds: list[str]) -> str:
        """Return the element that carries a verb out."""
        instances = self.references.instances
        target = verb.arguments.target
        if target:
            field = verb.arguments.model_fields[target]
            name = arguments.get(target, field.default if not field.is_required() else "")
            if not isinstance(name, str) or name not in instances:
                if not any(isinstance(mark, Names) for mark in field.metadata):
                    self._is_element(name, spot / target, tuple(kinds))
                return ""
            if instances[name].kind not in kinds:
                self.problems.add(f"{name} is a {instances[name].kind}, which does not {verb.name}", spot.place)
                return ""
            return name
        own = [name for name, each in instances.items() if each.kind == kind]
        if len(own) != 1:
            said = f"the network has {len(own)} of type {kind}" if own else f"the network has no {kind}"
            self.problems.add(f"{verb.name}: {said}", spot.key)
            return ""
        return own[0]


def may_end(registry: Registry, kind: str, verb: Verb) -> tuple[str, ...]:
    """Return how a verb may end; an element that does not run, other than what is in a hand, does not answer."""
    silent = verb.outcomes and not registry.declaration(kind).instances and NO_ANSWER not in verb.outcomes
    return (*verb.outcomes, NO_ANSWER) if silent else verb.outcomes


def _text(verb: str, value: Any) -> str:
    """Show a step in one line, as it might stand in the file."""
    return f"{verb}: {_flow(value)}" if value != "" else verb


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(each) for each in value)}]"
    return str(value)
