"""A bench starts and stops what is on it, drives it as an operator does, and lets no fault of an element pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.management import Call, Role, route
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import Bench, ScriptedEir, ScriptedMme

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


class Lamp(Element[ElementConfig]):
    """Is lit while it runs; has a bug if it is asked for one."""

    declaration = Declaration(kind="lamp", title="Lamp", lane=1, config=ElementConfig)
    lit = False

    async def start(self) -> None:
        self.lit = True

    async def stop(self) -> None:
        self.lit = False

    @route("POST", "/bug")
    async def bug(self, _call: Call) -> None:
        async def work() -> None:
            raise KeyError("crashed")

        self.site.spawn(work())

    @route("GET", "/state", roles=(Role.OPERATOR,))
    async def state(self, call: Call) -> str:
        if not self.lit:
            raise ManagementError(409, "dark")
        return call.caller


async def test_what_is_on_it_runs_to_the_end_of_the_block(bench: Bench) -> None:
    lamp = bench.add("lamp", Lamp)
    async with bench:
        assert lamp.lit
        assert await bench.call("GET", "/state", element="lamp", caller="Li Wei") == "Li Wei"
        with pytest.raises(AssertionError, match="GET /state was not refused"):
            await bench.refused("GET", "/state", element="lamp")
        lamp.lit = False
        assert await bench.refused("GET", "/state", element="lamp") == 409
        lamp.lit = True
    assert not lamp.lit


async def test_a_fault_of_an_element_fails_the_end(bench: Bench) -> None:
    bench.add("lamp", Lamp)
    bench.subject = "lamp"
    with pytest.raises(AssertionError, match="KeyError: 'crashed'"):  # noqa: PT012 - the end raises
        async with bench:
            await bench.call("POST", "/bug")
            await bench.settle()


async def test_what_the_test_raises_comes_first_and_all_is_stopped_then(bench: Bench) -> None:
    lamp = bench.add("lamp", Lamp)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - as above
        async with bench:
            await bench.call("POST", "/bug", element="lamp")
            await bench.settle()
            raise ZeroDivisionError
    assert not lamp.lit


@pytest.mark.parametrize(
    ("answer", "result", "status"),
    [
        ([("Equipment-Status", 1)], 2001, 1),
        (5012, 5012, None),
        ((2001, [("Equipment-Status", 2)]), 2001, 2),
        (lambda asked: [("Equipment-Status", int(asked.get("User-Name")[-1]))], 2001, 1),
    ],
)
async def test_a_scripted_server_answers_what_the_test_says(
    loop: TestbedLoop, answer: object, result: int, status: int | None
) -> None:
    bench = Bench(loop, transport="tcp")
    eir = bench.add("eir", ScriptedEir)
    mme = bench.add("mme", ScriptedMme, {"eir": "eir"})
    async with bench:
        assert await mme.allowed("35000100000001")
        eir.answers["me-identity-check"] = answer
        told = await mme.ecr("35000100000001")
        assert (told.result_code, told.get("Equipment-Status")) == (result, status)
        assert eir.names() == ["me-identity-check"] * 2
