"""The management interface over HTTP: whose token it is, and that whatever comes gets an answer of one form."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import Field

from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.http import _bound, management_app
from simwarden.operations.jsonbody import parse
from simwarden.operations.management import Call, Caller, Role, route
from simwarden.operations.openapi import document
from simwarden.operations.tokens import Tokens
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig, Model, VerbModel, verb
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Order(Model):
    """What is ordered."""

    name: str
    """Of what."""
    number: int = Field(default=1, ge=1)
    """How many."""


class Page(Model):
    """Which part of a list."""

    limit: int = Field(default=10, ge=1, le=100)
    """How many at most."""


class Knock(VerbModel):
    """Arguments of a verb."""

    times: int


class Shop(Element[ElementConfig]):
    """Takes orders."""

    declaration = Declaration(kind="shop", title="Shop", lane=1, config=ElementConfig)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("PUT", "/orders/{name}", roles=BOTH, takes=Order, gives=dict[str, Any], errors=(409,))
    async def put(self, call: Call) -> dict[str, Any]:
        """Order something."""
        order: Order = call.given
        if order.number == 13:
            raise ManagementError(409, "not so many")
        return {"number": order.number, "caller": call.caller, "accounts": sorted(call.accounts)}

    @route("GET", "/orders", query=Page, gives=int)
    async def some(self, call: Call) -> int:
        """Tell how many are listed."""
        limit: int = call.query.limit
        return limit

    @route("DELETE", "/orders/{name}", gives=type(None))
    async def drop(self, call: Call) -> None:
        """Cancel an order, unless it burns."""
        if call.path["name"] == "fire":
            raise RuntimeError("burns")

    @verb()
    async def knock(self, arguments: Knock) -> str:
        """Knock."""
        return "x" * arguments.times


SECRET = "secret"
TOKENS = Tokens(
    [
        (SECRET, Caller(Role.OPERATOR, "noc")),
        ("sha256:" + hashlib.sha256(b"buyer-token").hexdigest(), Caller(Role.CUSTOMER, "portal", frozenset({"water"}))),
    ]
)
JSON = {"Content-Type": "application/json"}


def ask(method: str, path: str, *, token: str = SECRET, faults: int = 0, **more: Any) -> httpx.Response:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    shop = host.add("shop", Shop, ElementConfig())

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(management_app(shop, TOKENS))
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as client:
            return await client.request(method, path, **more)

    answer = loop.run_until_complete(call())
    loop.close()
    assert len([e for e in host.trace.events if isinstance(e, Fault)]) == faults
    return answer


def test_a_caller_is_known_by_its_token_and_by_nothing_else() -> None:
    said = ask("PUT", "/orders/tea", json={"name": "tea"}, headers={"X-Caller": "somebody"}).json()
    assert said == {"number": 1, "caller": "noc", "accounts": []}
    said = ask("PUT", "/orders/tea", json={"name": "tea"}, token="buyer-token").json()
    assert said == {"number": 1, "caller": "portal", "accounts": ["water"]}
    for token in ("", "guess", "sha256:" + hashlib.sha256(b"buyer-token").hexdigest()):
        answer = ask("PUT", "/orders/tea", json={"name": "tea"}, token=token)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert ask("DELETE", "/orders/tea", token="buyer-token").status_code == 403
    assert ask("GET", "/orders", headers={"Authorization": "Basic c2VjcmV0Og=="}).status_code == 401


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"name": "te\xff"}', "application/json", 400),
        ('{"name": "tea"}'.encode("utf-16"), "application/json", 400),
        (b'{"name": "tea\\u0000"}', "application/json", 400),
        (b'{"name": "\\uD800"}', "application/json", 400),
        (b'{"\\ud83d\\ude00": 1}', "application/json", 400),
        (b'{"name": "tea", "number": NaN}', "application/json", 400),
        (b'{"name": "tea", "number": 1e999}', "application/json", 400),
        (b'{"name": "tea", "number": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"name": "tea", "number": "2"}', "application/json", 400),
        (b'{"name": "tea", "number": 0}', "application/json", 400),
        (b'{"name": "tea", "more": 0}', "application/json", 400),
        (b'{"name": "coffee"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"name": "tea", "number": 2, "number": 2}', "application/json", 400),
        (b"", "application/json", 400),
        (b'{"name": "tea", "number": 13}', "application/json", 409),
        (b'{"name": "tea"}', "application/x-www-form-urlencoded", 415),
        (b'{"name": "tea"}', "application/json; charset=latin-1", 415),
        (b'{"name": "tea"}', "application/json; charset=UTF-8", 200),
        (b'{"name": "tea", "number": 2}', "application/json", 200),
        (b" " * ((1 << 24) + 1), "application/json", 413),
    ],
)
def test_bodies(body: bytes, kind: str, status: int) -> None:
    answer = ask("PUT", "/orders/tea", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    if status != 200:
        said = answer.json()
        assert (set(said), said["status"]) == ({"status", "code", "message"}, status)


@pytest.mark.parametrize(
    ("body", "key"), [(b'{"a": 1, "b": 2, "b": 3}', "b"), (b'[{"x": {"\\ud800": 1, "\\ud800": 1}}]', "\\ud800")]
)
def test_a_key_that_is_there_twice_is_named(body: bytes, key: str) -> None:
    with pytest.raises(ManagementError) as wrong:
        parse(body)
    assert (wrong.value.status, str(wrong.value)) == (400, f"the body has the key '{key}' twice in one object")


def test_a_key_twice_is_found_in_one_pass() -> None:
    """To look through all keys for each of them took 12 s for a third of a megabyte, and hours for the largest body."""
    many = 200_000
    body = "{" + ",".join(f'"{each}":0' for each in [*range(many), many - 1]) + "}"
    began = time.process_time()
    with pytest.raises(ManagementError, match=f"the key '{many - 1}' twice"):
        parse(body.encode())
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("keys", "status"), [(1000, 0), (1001, 400)])
def test_an_object_has_no_more_than_a_thousand_keys(keys: int, status: int) -> None:
    """What is wrong with each is found one by one, and a million of them took 17 s."""
    body = json.dumps({"cards": [{f"k{number}": 1 for number in range(keys)}]}).encode()
    if not status:
        assert len(parse(body)["cards"][0]) == keys
        return
    with pytest.raises(ManagementError, match="object of 1001 keys; 1000 are the most") as refused:
        parse(body)
    assert refused.value.status == status


def test_a_body_of_unknown_length_is_not_taken_to_its_end() -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1 << 12):
            taken.append(1)
            yield b" " * (1 << 16)

    assert ask("PUT", "/orders/tea", content=endless(), headers=JSON).status_code == 413
    assert len(taken) <= 260


def test_a_body_is_not_unpacked() -> None:
    packed = {**JSON, "Content-Encoding": "gzip"}
    assert ask("PUT", "/orders/tea", content=b"\x1f\x8b", headers=packed).status_code == 415


def test_paths_queries_and_methods() -> None:
    assert ask("GET", "/orders").json() == 10
    assert ask("GET", "/orders?limit=7").json() == 7
    for wrong in ("limit=0", "limit=x", "limit=7&limit=8", "more=1", "limit", "limit=%00"):
        assert ask("GET", f"/orders?{wrong}").status_code == 400, wrong
    assert ask("GET", "/orders%3Flimit=7").status_code == 404
    assert ask("DELETE", "/orders/a%00b").status_code == 400
    assert ask("DELETE", "/orders/%ff%fe").status_code == 204
    assert ask("GET", "/nothing").json()["code"] == "NOT_FOUND"
    for method in ("POST", "TRACE", "OPTIONS", "FROB"):
        answer = ask(method, "/orders/tea")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, PUT")


def test_a_bug_of_ours_is_a_500_of_the_same_form_and_a_fault() -> None:
    answer = ask("DELETE", "/orders/fire", faults=1)
    assert answer.json() == {"status": 500, "code": "INTERNAL", "message": "a fault of the element's own; see its log"}


def test_a_verb_with_wrong_arguments_is_a_400() -> None:
    assert ask("POST", "/verbs/knock", json={"times": "x"}).status_code == 400
    assert ask("POST", "/verbs/knock", json={"times": 2}).json() == "xx"


def test_the_document_tells_what_a_role_may_call() -> None:
    whole = document(Shop)
    assert whole == json.loads(json.dumps(whole))
    assert ask("GET", "/openapi.json").json() == document(Shop, Role.OPERATOR)
    assert sorted(whole["paths"]) == ["/", "/openapi.json", "/orders", "/orders/{name}"]
    put = whole["paths"]["/orders/{name}"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Order")
    assert sorted(put["responses"]) == ["200", "400", "401", "403", "404", "409", "413", "415", "429", "503"]
    assert whole["components"]["schemas"]["Order"]["properties"]["name"]["description"] == "Of what."
    limit = whole["paths"]["/orders"]["get"]["parameters"][0]
    assert (limit["name"], limit["in"], limit["schema"]["maximum"]) == ("limit", "query", 100)
    assert "204" in whole["paths"]["/orders/{name}"]["delete"]["responses"]
    seen = ask("GET", "/openapi.json", token="buyer-token").json()
    assert sorted(seen["paths"]) == ["/", "/openapi.json", "/orders/{name}"]
    assert list(seen["paths"]["/orders/{name}"]) == ["put"]


def test_tokens_are_known_by_their_hashes() -> None:
    assert "secret" not in str(vars(TOKENS))
    for wrong in ("", "sha256:12"):
        with pytest.raises(ValueError, match=r"empty|64 hexadecimal"):
            Tokens([(wrong, 1)])
    with pytest.raises(ValueError, match="same token"):
        Tokens([("a", 1), ("sha256:" + hashlib.sha256(b"a").hexdigest(), 2)])


def test_answers_are_sent_without_delay() -> None:
    with _bound("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP  # by which asyncio knows a socket that it may set TCP_NODELAY on
