"""Who gets to a live page: by Host and Origin, and elsewhere than on loopback by a token that no address holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from simwarden.web.doors import Doors, is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

HERE = "http://127.0.0.1:8700"


def behind(host: str) -> Doors:
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"inside {len(await request.body())}")

    return Doors(Starlette(routes=[Route("/", page, methods=["GET", "POST"])]), host)


async def answer(
    doors: Doors, method: str = "GET", path: str = "/", base: str = HERE, **more: object
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(doors), base_url=base) as client:
        return await client.request(method, path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8700", 200), ("localhost:8700", 200), ("[::1]:8700", 200), ("127.9.9.9", 200),
        ("simwarden.example", 421), ("127.0.0.1.example.net:8700", 421), ("192.0.2.1:8700", 421), ("", 421),
        ("[::1", 421), ("localhost.example", 421), ("127.0.0.1@evil.example", 421),
    ],
)  # fmt: skip
async def test_a_foreign_host_is_refused(host: str, status: int) -> None:
    assert (await answer(behind("127.0.0.1"), headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", HERE, 200), ("POST", "http://evil.example", 403), ("POST", None, 403), ("POST", "null", 403),
        ("POST", "http://127.0.0.1:8701", 403), ("POST", "https://127.0.0.1:8700", 200),
        ("GET", None, 200), ("GET", "http://evil.example", 403),
    ],
)  # fmt: skip
async def test_a_foreign_origin_is_refused(method: str, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert (await answer(behind("127.0.0.1"), method, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("path", "site", "status"),
    [("/x", "cross-site", 403), ("/x", "same-site", 403), ("/x", "same-origin", 404), ("/x", "none", 404),
     ("/", "cross-site", 200)],
)  # fmt: skip
async def test_another_page_may_lead_here_and_ask_for_nothing_else(path: str, site: str, status: int) -> None:
    assert (await answer(behind("127.0.0.1"), path=path, headers={"sec-fetch-site": site})).status_code == status


async def test_on_loopback_no_token_is_asked_for_and_nobody_may_frame_or_keep_the_page() -> None:
    doors = behind("::1")
    assert doors.token == ""
    headers = (await answer(doors)).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


async def test_elsewhere_the_token_comes_by_a_form_and_is_kept_in_a_cookie() -> None:
    base = "http://192.0.2.7:8700"
    doors = behind("192.0.2.7")
    assert len(doors.token) >= 20
    assert behind("192.0.2.7").token != doors.token
    refused = await answer(doors, base=base)
    assert refused.status_code == 401
    assert "inside" not in refused.text
    assert doors.token not in refused.text
    # in an address it is none
    assert (await answer(doors, path=f"/?token={doors.token}", base=base)).status_code == 401
    for given in ("", "x", doors.token[:-1]):
        wrong = await answer(doors, "POST", "/enter", base, content=f"token={given}", headers={"origin": base})
        assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)
    foreign = await answer(doors, "POST", "/enter", base, content=f"token={doors.token}", headers={"origin": HERE})
    assert foreign.status_code == 403
    entered = await answer(doors, "POST", "/enter", base, content=f"token={doors.token}", headers={"origin": base})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    inside = await answer(doors, base=base, headers={"cookie": cookie.partition(";")[0]})
    assert (inside.status_code, inside.text) == (200, "inside 0")
    wrong = await answer(doors, base=base, headers=[(b"cookie", b"simwarden-live=\xe9")])
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("bound", "host", "status"),
    [("::", "192.0.2.7:8700", 401), ("::", "evil.example", 421), ("lab.example", "lab.example:8700", 401)],
)
async def test_elsewhere_a_host_is_an_address_or_the_name_that_it_is_bound_to(
    bound: str, host: str, status: int
) -> None:
    assert (await answer(behind(bound), headers={"host": host})).status_code == status


async def test_a_form_that_is_too_large_is_not_read() -> None:
    headers = {"origin": "http://192.0.2.7:8700"}
    said = await answer(behind("192.0.2.7"), "POST", "/enter", headers["origin"], content=b"x" * 1025, headers=headers)
    assert (said.status_code, said.text) == (413, "a body has at most 1024 octets")


def test_what_is_loopback() -> None:
    assert [is_loopback(each) for each in ("127.0.0.1", "::1", "localhost", "192.0.2.1", "::", "x")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
