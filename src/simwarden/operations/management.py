"""The management interface of an element: JSON in, JSON out, with roles.

In one process it is called without sockets (`manage`); under `serve` the same routes stand behind HTTP (see http), and
an OpenAPI document is made of them (see openapi). Provisioning, changes, suspension, queries and the verbs of scenarios
all go through it and nothing else.

A route declares what it takes and gives as pydantic models. Bodies and queries are read against them here, once for
all elements, so that a handler sees what fits only.
"""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from simwarden.errors import ManagementError
from simwarden.operations.routing import Resource, find
from simwarden.plain import plain
from simwarden.policy.decision import Control
from simwarden.policy.operator import judge_role
from simwarden.runtime.store import StoreError, UnstorableError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from simwarden.operations.element import Element


#: errors of a body that are told, and how many there may be for any of them to be looked up
_MOST_TOLD, _MOST_READ = 10, 5000
#: characters of the longest place in a body that is told
_LONGEST = 80

#: places that are the same on all routes
_PLACES: Mapping[str, Any] = {
    "imsi": Annotated[str, Field(pattern="^[0-9]{6,15}$", description="IMSI of a card (TS 23.003 2.2)")]
}


class Role(enum.Enum):
    """Who calls: the operator's staff and systems, or the operator's customer."""

    OPERATOR = "operator"
    CUSTOMER = "customer"


#: the control of calls that are for some roles only; it decides where an element declares it
ROLES = Control(
    "management.role", "bind.operator", judge_role, ("management-call",), "What the operator alone calls by management"
)


#: what lays a story's network out before it begins, on nobody's behalf
HOUSE = "runner"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a role, a name for the records, and of a customer the accounts whose cards are its own."""

    role: Role
    name: str = ""
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who calls, the values of the path's {places} by their types, and the body.

    `body` is the JSON object as it came, `given` what it says by the model that the route declares, and `query` what
    follows the question mark by the route's other model.
    """

    role: Role
    path: Mapping[str, Any]
    body: Mapping[str, Any]
    caller: str = ""
    accounts: frozenset[str] = frozenset()
    given: Any = None
    query: Any = None


Handler = Callable[[Any, Call], Awaitable[Any]]
H = TypeVar("H", bound=Handler)
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Route(Resource):
    """A method and a path with {places}, who may call it, and the method that carries it out.

    It is a method of `part`, a type that the element lists as one of its parts, or, without one, of the element.

    `takes`, `query` and `gives` are the models of body, query and answer (None: undeclared, `type(None)`: nothing; a
    query that has no model is refused, and so is a body of GET and DELETE),
    `types` those of places that are more than a text; `errors` the statuses beside those that any call may get. What is
    not `public` stands in no document of the API.
    """

    roles: frozenset[Role]
    handler: str
    doc: str = ""
    takes: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    gives: Any = None
    errors: tuple[int, ...] = ()
    public: bool = True
    types: tuple[tuple[str, Any], ...] = ()
    part: type[Any] | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the path's places."""
        return tuple(self.pattern.groupindex)


_MARK = "_management_routes"


def route(
    method: str,
    path: str,
    *,
    roles: tuple[Role, ...] = (Role.OPERATOR,),
    takes: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    gives: Any = None,
    errors: tuple[int, ...] = (),
    public: bool = True,
    types: Mapping[str, Any] | None = None,
) -> Callable[[H], H]:
    """Make an element's `async def name(self, call: Call) -> JSON` a management route.

    A route on which a control decides about the role admits both roles here and asks the control itself.
    """

    def mark(handler: H) -> H:
        doc = (handler.__doc__ or "").strip()
        name, who = handler.__name__, frozenset(roles)
        places = {each: kind for each, kind in _PLACES.items() if f"{{{each}}}" in path}
        typed = tuple({**places, **(types or {})}.items())
        new = Route(method, path, who, name, doc, takes, query, gives, tuple(sorted(errors)), public, typed)
        setattr(handler, _MARK, (*getattr(handler, _MARK, ()), new))
        return handler

    return mark


def collect_routes(cls: type, *parts: type[Any]) -> tuple[Route, ...]:
    """All routes of an element class, its own before inherited ones, then those of its parts, each declared once."""
    found: dict[tuple[str, str], Route] = {}
    for part in (None, *parts):
        for klass in (part or cls).__mro__:
            for member in vars(klass).values():
                for each in getattr(member, _MARK, ()):
                    mine = replace(each, part=part) if part else each
                    if found.setdefault((each.method, each.path), mine).part is not part:
                        raise TypeError(f"two parts of {cls.__name__} have a route {each.method} {each.path}")
    return tuple(found.values())


async def manage(
    element: Element[Any],
    caller: Caller,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    query: str | None = None,
    strict: bool = False,
    large: bool = False,
) -> Any:
    """Carry out one management call on an element.

    Raises ManagementError: 404, 405, 403, what the route says, 503 if the element's database does not answer, and 400
    for what does not fit, or what the database cannot hold.

    `query` is what follows the question mark; by default it is part of `path`. `strict`: the body is JSON from outside,
    in which a number is no text; else it may come from YAML, where all is. `large`: it is read in a thread.
    """
    if query is None:
        path, _, query = path.partition("?")
    if "\0" in path:
        raise ManagementError(400, "the path has a NUL")
    try:
        found, given_places = find(element.routes, method, path, lambda each: caller.role in each.roles)
    except ManagementError as error:
        raise ManagementError(error.status, f"{element.site.name} has {error}", allow=error.allow) from None
    _check_role(element, caller, found, given_places.get("imsi", ""))
    places, body = _places(found, given_places), body or {}
    given = None
    if found.takes is not None:
        read = partial(_given, found.takes, body, places, strict=strict, large=large)
        given = await asyncio.get_running_loop().run_in_executor(None, read) if large else read()
    elif body and found.method in ("GET", "DELETE"):  # passed over, it would read as if it had been looked at
        raise ManagementError(400, f"body: {method} {path} takes none")
    if query and found.query is None:
        raise ManagementError(400, f"query: {method} {path} takes none")
    call = Call(
        caller.role,
        places,
        body,
        caller.name,
        caller.accounts,
        given=given,
        query=_query(found.query, query) if found.query is not None else None,
    )
    try:
        return await getattr(element.part(found.part), found.handler)(call)
    except StoreError as error:
        raise ManagementError(400 if isinstance(error, UnstorableError) else 503, str(error)) from error


def _check_role(element: Element[Any], caller: Caller, found: Route, imsi: str) -> None:
    """Let those make a call whom it is for, and keep who else tried to. Raises ManagementError (403)."""
    if len(found.roles) == len(Role):
        return
    house = caller.role is Role.OPERATOR and (caller.name == HOUSE or not found.public)
    call, role, roles = f"{found.method} {found.path}", caller.role.value, {each.value for each in found.roles}
    if house or ROLES not in element.declaration.controls:
        ruling = judge_role(role=role, roles=roles, call=call)
        if not ruling.admitted:
            raise ManagementError(403, ruling.reason)
        return
    subject = imsi if imsi.isascii() and imsi.isdecimal() and len(imsi) <= 15 else ""
    decision = element.site.decide(ROLES, subject, on=ROLES.occasions[0], role=role, roles=roles, call=call)
    if not decision.admitted:
        audit = element.kept()
        if audit is not None:
            audit.refused_call(caller, call, subject, decision)
        raise ManagementError(403, decision.reason)


def _places(route: Route, places: dict[str, Any]) -> dict[str, Any]:
    """Read the places that have a type. Raises ManagementError (404): there is nothing of such a name."""
    for name, kind in route.types:
        try:
            places[name] = _adapter(kind).validate_json(json.dumps(places[name]))
        except ValidationError as error:
            raise ManagementError(404, f"there is no {name} {places[name]!r}: {_said(error.errors()[0])}") from None
    return places


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _given(
    model: type[BaseModel], body: Mapping[str, Any], places: Mapping[str, Any], *, strict: bool, large: bool = False
) -> BaseModel:
    """Read a body; what stands in it under the name of a place of the path says the same. Raises ManagementError (400).

    Strictness is that of JSON: there a list is a tuple, and a word is a member of an enumeration. A body that its
    handler reads `in_slices` is not written and read once more for that, which nothing else could come between.

    A `large` body is read without strictness before: an error of JSON holds a copy of the object that lacks something,
    one for each thing that it lacks.
    """
    strict = strict and not getattr(model, "in_slices", False)
    try:
        if large or not strict:
            given = model.model_validate(dict(body))
        if strict:
            given = model.model_validate_json(json.dumps(body), strict=True)
    except ValidationError as error:
        raise ManagementError(400, reasons(error)) from None
    for name, value in places.items():
        if name in model.model_fields and getattr(given, name) != value:
            raise ManagementError(400, f"{name}: is not that of the path")
    return given


def _query(model: type[BaseModel], query: str) -> BaseModel:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=100)
    except ValueError:
        raise ManagementError(400, "query: no list of names and values") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ManagementError(400, "query: a name stands there twice")
    if any("\0" in value for value in given.values()):
        raise ManagementError(400, "query: a value has a NUL")
    return validated(model, given)


def validated(model: type[M], body: Mapping[str, Any]) -> M:
    """Return what a body says. Raises ManagementError (400)."""
    try:
        return model.model_validate(dict(body))
    except ValidationError as error:
        raise ManagementError(400, reasons(error)) from None


def reasons(error: ValidationError) -> str:
    """Say what does not fit and where, without repeating what was given: it may be a key."""
    number = error.error_count()
    if number > _MOST_READ:  # to have them told would take a second, and many times the memory of the body
        return f"the body does not fit in {number} places"
    found = error.errors(include_input=False, include_context=False, include_url=False)[:_MOST_TOLD]
    told = [f"{plain('.'.join(map(str, each['loc'])), _LONGEST) or 'body'}: {_said(each)}" for each in found]
    return "; ".join(told) + (f" (and in {number - len(found)} places more)" if number > len(found) else "")


def _said(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")
