"""Which of an interface's operations a method and a path mean: once for management, and for what else speaks REST."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.errors import ManagementError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


@dataclass(frozen=True)
class Resource:
    """A method, and a path with {places}."""

    method: str
    path: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the paths look like that it means; a place has no slash in it."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (None for none) and headers of an answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_of(error: ManagementError) -> Answer:
    """Return the answer that tells of an error."""
    headers = {"Allow": ", ".join(error.allow)} if error.status == 405 else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.wait:
        headers["Retry-After"] = str(error.wait)
    return Answer(error.status, error.body(), headers)


R = TypeVar("R", bound=Resource)


def find(
    resources: Collection[R], method: str, path: str, may: Callable[[R], bool] = lambda _: True
) -> tuple[R, dict[str, str]]:
    """Return the operation of a method and a path, and the values of its places.

    Raises ManagementError: 404, or 405 with the methods that the path has, of those that the caller `may` use.
    """
    for each in resources:
        if each.method == method and (match := each.pattern.fullmatch(path)) is not None:
            return each, match.groupdict()
    matches = [each for each in resources if each.pattern.fullmatch(path)]
    allow = tuple(sorted({each.method for each in matches if may(each)}))
    there = f" (there: {', '.join(allow)})" if allow else "" if matches else " (GET / lists those that there are)"
    raise ManagementError(405 if matches else 404, f"no route {method} {path}{there}", allow=allow)
