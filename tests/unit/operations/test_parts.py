"""What an element's parts declare is the element's: found in its class, carried out by the object that `fit` made."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.management import Call, Role, route
from simwarden.runtime.declare import Declaration, ElementConfig, Observable, VerbModel, verb


class Ring(VerbModel):
    """Ring it."""

    times: int = 1
    """How often."""


class Bell:
    """A part with one of each."""

    observables = (Observable("rung", "how often it rang"),)

    def __init__(self, shared: list[int]) -> None:
        self.shared = shared

    @verb("rung")
    async def ring(self, arguments: Ring) -> str:
        """Ring."""
        self.shared.append(arguments.times)
        return "rung"

    @route("GET", "/rung")
    async def rung(self, call: Call) -> list[int]:
        """Tell how often."""
        del call
        return self.shared


class House(Element[ElementConfig]):
    """An element with a route of its own, and a part."""

    declaration = Declaration(
        kind="house", title="House", lane=1, config=ElementConfig, observables=(Observable("door", "open or not"),)
    )
    parts = (Bell,)

    async def start(self) -> None:
        """Begin anew."""
        self.fit([])

    async def stop(self) -> None:
        """End."""


class Annexe(House):
    """An element that inherits its parts."""


def _house(kind: type[House] = House) -> House:
    site: Any = SimpleNamespace(name="house")
    house = kind(site, ElementConfig())
    asyncio.run(house.start())
    return house


@pytest.mark.parametrize("kind", [House, Annexe])
def test_parts_declare_for_their_element(kind: type[House]) -> None:
    assert [each.name for each in kind.declaration.observables] == ["door", "rung"]
    assert [each.path for each in kind.routes] == ["/", "/openapi.json", "/verbs/{verb}", "/rung"]
    assert kind.all_verbs()["ring"].outcomes == ("rung",)


@pytest.mark.parametrize("kind", [House, Annexe])
def test_calls_reach_the_part_of_this_start(kind: type[House]) -> None:
    async def story() -> None:
        assert await house.manage(Role.OPERATOR, "POST", "/verbs/ring", {"times": 3}) == "rung"
        assert await house.manage(Role.OPERATOR, "GET", "/rung") == [3]
        await house.start()
        assert await house.manage(Role.OPERATOR, "GET", "/rung") == []
        with pytest.raises(ManagementError, match="no verb knock"):
            await house.manage(Role.OPERATOR, "POST", "/verbs/knock")

    house = _house(kind)
    asyncio.run(story())


def test_parts_do_not_hide_each_other() -> None:
    class Gong:
        @route("GET", "/rung")
        async def rung(self, call: Call) -> None:
            del call

    with pytest.raises(TypeError, match="two parts of Twice have a route GET /rung"):
        type("Twice", (House,), {"parts": (Bell, Gong)})


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [("/rung?times=3", {}, "query: GET /rung takes none"), ("/rung", {"times": 3}, "body: GET /rung takes none")],
)
def test_what_a_route_does_not_look_at_is_no_part_of_its_question(path: str, body: dict[str, int], said: str) -> None:
    with pytest.raises(ManagementError, match=said) as caught:
        asyncio.run(_house().manage(Role.OPERATOR, "GET", path, body))
    assert caught.value.status == 400
