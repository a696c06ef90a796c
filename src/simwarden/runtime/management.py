"""The management interface of an element: JSON in, JSON out, with roles.

In one process it is called without sockets (`Management.call`); under `serve` the same routes stand behind HTTP.
Provisioning, changes, suspension, queries and the verbs of scenarios all go through it and nothing else.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.errors import SimwardenError
from simwarden.runtime.store import StoreError, UnstorableError

if TYPE_CHECKING:
    from simwarden.runtime.element import Element


class Role(enum.Enum):
    """Who calls: the operator's staff and systems, or the operator's customer."""

    OPERATOR = "operator"
    CUSTOMER = "customer"


class ManagementError(SimwardenError):
    """The call is refused or makes no sense. `status` is the HTTP status; the message is for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the caller's role and name, the values of the path's {places}, and the JSON body."""

    role: Role
    path: Mapping[str, str]
    body: Mapping[str, Any]
    caller: str = ""


Handler = Callable[[Any, Call], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with {places}, who may call it, and the method of the element that carries it out."""

    method: str
    path: str
    roles: frozenset[Role]
    handler: str
    pattern: re.Pattern[str]
    doc: str = ""


_MARK = "_management_routes"


def route(method: str, path: str, *, roles: tuple[Role, ...] = (Role.OPERATOR,)) -> Callable[[H], H]:
    """Make an element's `async def name(self, call: Call) -> JSON` a management route.

    A route on which a control decides about the role admits both roles here and asks the control itself.
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def mark(handler: H) -> H:
        doc = (handler.__doc__ or "").strip().partition("\n")[0]
        new = Route(method, path, frozenset(roles), handler.__name__, pattern, doc)
        setattr(handler, _MARK, (*getattr(handler, _MARK, ()), new))
        return handler

    return mark


def collect_routes(cls: type) -> tuple[Route, ...]:
    """All routes of an element class, its own before inherited ones."""
    found: dict[tuple[str, str], Route] = {}
    for klass in cls.__mro__:
        for member in vars(klass).values():
            for each in getattr(member, _MARK, ()):
                found.setdefault((each.method, each.path), each)
    return tuple(found.values())


async def manage(
    element: Element[Any],
    role: Role,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    caller: str = "",
) -> Any:
    """Carry out one management call on an element.

    Raises ManagementError: 404, 405, 403, what the route says, 503 if the element's database does not answer, and 400
    for what it cannot hold.
    """
    wrong_method = False
    for each in element.routes:
        match = each.pattern.fullmatch(path)
        if match is None:
            continue
        if each.method != method:
            wrong_method = True
            continue
        if role not in each.roles:
            raise ManagementError(403, f"{method} {path} is for the {' or '.join(r.value for r in each.roles)} only")
        handler: Handler = getattr(type(element), each.handler)
        try:
            return await handler(element, Call(role, match.groupdict(), body or {}, caller))
        except StoreError as error:
            raise ManagementError(400 if isinstance(error, UnstorableError) else 503, str(error)) from error
    status = 405 if wrong_method else 404
    raise ManagementError(status, f"{element.site.name} has no route {method} {path}")
