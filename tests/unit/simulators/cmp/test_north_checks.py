"""Checks of the CAMARA API that only a rare call shows: no MME, no area, a body that is none, a fault of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from north_net import AREA, NUMBER, OTHER, PREVENTION, Net, device, subscription

from simulators.cmp.north.rest import north_app
from simwarden.runtime.store import StoreUnavailableError, UnstorableError

if TYPE_CHECKING:
    from simwarden.operations.routing import Answer
    from simwarden.runtime.loop import TestbedLoop

URL = f"/{PREVENTION}/vwip/query"
LIMIT = {**device(), "bindType": "AREALIMIT"}
ASK = {**device(), "queryType": "AREALIMIT"}
AREA_CHANGE = "org.camaraproject.iot-sim-fraud-prevention.v0.area-change"


@pytest.fixture
def net(loop: TestbedLoop) -> Net:
    return Net(loop)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body.get("code", "")


async def test_a_platform_without_an_mme_restricts_nobody(loop: TestbedLoop) -> None:
    async with Net(loop, mme="off") as net:
        assert (await net.ask("bind", LIMIT)).body == {"bound": False}
        assert (await net.ask("query", ASK)).body == {"areaLimit": {"areaLimitStatus": "UNRESTRICTED"}}
        assert (await net.subs("POST", subscription(types=[AREA_CHANGE]))).status == 201
        assert not any("keeps no area" in each for each in net.notes())


async def test_an_area_that_nobody_agreed_upon_is_told_as_a_restriction_alone(net: Net) -> None:
    async with net:
        net.mme.areas["001010000000018"] = {"cells": ["001-01-0000202"]}
        told = (await net.ask("query", {**device(OTHER), "queryType": "AREALIMIT"})).body
        assert told == {"areaLimit": {"areaLimitStatus": "RESTRICTED"}}


@pytest.mark.parametrize(
    ("status", "said"), [(429, (429, "QUOTA_EXCEEDED")), (403, (400, "OUT_OF_RANGE")), (404, (200, ""))]
)
async def test_what_the_mme_says_of_an_area_is_said_by_the_api(net: Net, status: int, said: tuple[int, str]) -> None:
    async with net:
        net.mme.refuses = status
        assert code(await net.ask("bind", LIMIT)) == said


async def test_an_area_is_given_and_taken_with_an_approval_only(net: Net) -> None:
    async with net:
        assert code(await net.ask("bind", LIMIT, client="bare")) == (403, "PERMISSION_DENIED")
        assert net.mme.areas == {}
        await net.ask("bind", LIMIT)
        lift = {**device(), "unBindType": "AREALIMIT"}
        assert code(await net.ask("unbind", lift, client="bare")) == (403, "PERMISSION_DENIED")
        assert next(iter(net.mme.areas.values()))["cells"] == AREA["cells"]


async def test_a_token_for_one_device_subscribes_for_no_other(net: Net) -> None:
    async with net:
        for number, status in ((NUMBER, 201), (OTHER, 422)):
            body = subscription(config={"subscriptionDetail": device(number)})
            assert (await net.subs("POST", body, client="handset")).status == status


@pytest.mark.parametrize(
    ("error", "said"), [(UnstorableError, (400, "INVALID_ARGUMENT")), (StoreUnavailableError, (503, "UNAVAILABLE"))]
)
async def test_what_the_database_does_not_take_is_told_apart(
    net: Net, monkeypatch: pytest.MonkeyPatch, error: type[Exception], said: tuple[int, str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error("no")

    async with net:
        monkeypatch.setattr(net.cmp.platform, "find", refuse)
        assert code(await net.ask("query", ASK)) == said


@pytest.mark.parametrize(
    ("given", "told"), [({"x-correlator": "a-b"}, "a-b"), ({"x-correlator": "no spaces"}, None), ({}, None)]
)
async def test_a_body_that_is_not_read_is_told_with_the_callers_correlator(
    net: Net, given: dict[str, str], told: str | None
) -> None:
    async with net, http(net, "water-token", given) as client:
        answer = await client.post(URL, content="x=1")
        assert (answer.status_code, answer.headers.get("x-correlator")) == (415, told)


@pytest.mark.parametrize("content", ["1" * 70000, "x=1"])
async def test_nobodys_body_is_not_read(net: Net, content: str) -> None:
    async with net, http(net, "nobodys-token") as client:
        assert (await client.post(URL, content=content)).status_code == 401


async def test_a_fault_of_ours_is_told_to_us(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded: list[str] = []
    async with net:
        monkeypatch.setattr(net.cmp.north.side, "call", None)
        async with http(net, "water-token", guard=lambda call, _error: guarded.append(call)) as client:
            assert (await client.post(URL, json={})).status_code == 500
    assert len(guarded) == 1
    assert guarded[0].startswith("north side POST")


def http(net: Net, token: str, headers: dict[str, str] | None = None, guard: Any = None) -> httpx.AsyncClient:
    """Return a client of the API by HTTP."""
    app = north_app(net.cmp.north.side, guard or net.cmp.site.guard)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://cmp",
        headers={"Authorization": f"Bearer {token}", **(headers or {})},
    )


async def test_client_has_at_most_so_many_subscriptions(loop: TestbedLoop) -> None:
    async with Net(loop, subscriptions=2) as net:
        made = [await net.subs("POST", subscription()) for _ in range(3)]
        assert [each.status for each in made] == [201, 201, 429]
        assert code(made[2]) == (429, "QUOTA_EXCEEDED")
        assert len((await net.subs("GET")).body) == 2
        others = subscription(config={"subscriptionDetail": device(OTHER)})
        assert (await net.subs("POST", others, client="gas")).status == 201
        assert (await net.subs("DELETE", path=f"/{made[0].body['id']}")).status == 204
        assert (await net.subs("POST", subscription())).status == 201
