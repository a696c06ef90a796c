"""What holds for all unit tests."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from simwarden.operations import element
from simwarden.operations.management import manage
from simwarden.operations.routing import find


@cache
def _reader(gives: Any) -> TypeAdapter[Any]:
    return TypeAdapter(gives)


@pytest.fixture(autouse=True, scope="session")
def every_answer_is_as_declared() -> Iterator[None]:
    """Read each answer of a management interface strictly by what its route says that it gives.

    `validate` knows the words of an answer by that, and the OpenAPI document is made of it.
    """

    async def checked(of: Any, caller: Any, method: str, path: str, *rest: Any, **more: Any) -> Any:
        said = await manage(of, caller, method, path, *rest, **more)
        route, _ = find(of.routes, method, path.partition("?")[0], lambda each: caller.role in each.roles)
        if route.gives is not None:
            _reader(route.gives).validate_json(json.dumps(said), strict=True)
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(element, "manage", checked)
        yield
