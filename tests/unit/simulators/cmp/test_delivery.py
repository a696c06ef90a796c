"""Events over real sockets: HTTPS to sinks whose certificates are verified, by the real clock and the API's socket."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import threading
import time
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from authority import Authority, Sink
from waiting import LONG

from simulators.cmp.config import CmpConfig
from simulators.cmp.element import Cmp
from simulators.cmp.north import delivery
from simulators.cmp.procedures.identity_check import check
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, Note
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

IMSI, NUMBER = "001010000000017", "+861440000000017"
METER, PHONE, TABLET = "99000101000001", "99000201000001", "99000301000001"
SCOPES = [f"iot-sim-fraud-prevention-subscriptions:{each}" for each in ("subscribe", "read", "delete")]
IMEI_CHANGE = "org.camaraproject.iot-sim-fraud-prevention.v0.imei-change"
STARTED, ENDED = "subscription-started", "subscription-ended"


class Api:
    """A platform on the real clock, its API on a socket of its own, and a client of it."""

    def __init__(self, folder: Path, **north: Any) -> None:
        self.authority = Authority(folder)
        self.loop = TestbedLoop(virtual=False)
        clock = Clock(self.loop)
        self.host = Host(self.loop, clock, Trace(clock.now), HostSettings())
        portal = {"token": "portal-token", "account": "water", "scopes": SCOPES}
        settings = {"listen": "127.0.0.1:0", "clients": {"portal": portal}, "sinks": ["localhost"], "backoff": 0.05}
        settings |= {"authorities": str(self.authority.file), "mme": "off", **north}
        self.cmp: Any = self.host.add("cmp", Cmp, CmpConfig.model_validate({"hss": "off", "north": settings}))

    @property
    def notes(self) -> list[str]:
        return [each.text for each in self.host.trace.events if isinstance(each, Note)]

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        url = next(each for each in self.notes if each.startswith("north side ")).removeprefix("north side ")
        base = f"{url}/iot-sim-fraud-prevention-subscriptions/vwip"
        headers = {"Authorization": "Bearer portal-token"}
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=LONG, trust_env=False) as client:
            yield client

    def play(self, story: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def run() -> None:
            try:
                await self.host.start_all()
                card = {"imsi": IMSI, "msisdn": NUMBER, "account": "water", "state": "active"}
                await self.cmp.manage(Role.OPERATOR, "POST", "/cards", {"cards": [card]})
                check(self.cmp.platform, IMSI, METER)
                async with self._client() as client:
                    await story(client)
            finally:
                await self.host.close()

        try:
            self.loop.run_until_complete(run())
        finally:
            self.loop.close()
        assert [e.reason for e in self.host.trace.events if isinstance(e, Fault)] == []

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + LONG
        while not what():
            assert time.monotonic() < end, self.notes
            await self.host.clock.sleep(0.01)

    def seen_in(self, imei: str) -> None:
        assert check(self.cmp.platform, IMSI, imei)


def subscription(port: int, **more: Any) -> dict[str, Any]:
    config = {"subscriptionDetail": {"device": {"phoneNumber": NUMBER}}, **more.pop("config", {})}
    sink = f"https://localhost:{port}/events?for=water"
    return {"sink": sink, "protocol": "HTTP", "types": [IMEI_CHANGE], "config": config, **more}


def told(sink: Sink) -> list[tuple[str, str]]:
    return [(kind, data.get("imei") or data.get("terminationReason") or "") for kind, data in sink.taken]


def test_an_event_goes_to_a_sink_whose_certificate_is_verified(tmp_path: Path) -> None:
    api = Api(tmp_path)
    token = {"credentialType": "ACCESSTOKEN", "accessTokenType": "bearer", "accessToken": "t0k3n"}
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(api.authority.certificate("localhost")) as sink:
            body = subscription(sink.port, sinkCredential={**token, "accessTokenExpiresUtc": later})
            made = await http.post("/subscriptions", json=body)
            assert made.status_code == 201, made.text
            api.seen_in(PHONE)
            await api.until(lambda: len(sink.posts) == 2)
            assert told(sink) == [(STARTED, ""), ("imei-change", "99-000201-000001-4")]
            _, path, headers, event = sink.posts[1]
            assert path == "/events?for=water"
            assert (headers["Authorization"], headers["Content-Type"]) == (
                "Bearer t0k3n",
                "application/cloudevents+json",
            )
            assert headers["x-correlator"] == event["id"]
            assert event["data"]["subscriptionId"] == made.json()["id"]
            assert (await http.delete(f"/subscriptions/{made.json()['id']}")).status_code == 204
            await api.until(lambda: len(sink.posts) == 3)
            assert told(sink)[2] == (ENDED, "SUBSCRIPTION_DELETED")

    api.play(story)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("authority", "certificate verify failed"), ("host", "certificate is not valid for 'localhost'")],
)
def test_a_sink_that_is_not_who_it_should_be_gets_nothing(tmp_path: Path, wrong: str, said: str) -> None:
    api = Api(tmp_path, attempts=2)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger").certificate("localhost")
    certificate = stranger if wrong == "authority" else api.authority.certificate("example.com")

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(certificate) as sink:
            assert (await http.post("/subscriptions", json=subscription(sink.port))).status_code == 201
            await api.until(lambda: any("given up" in each for each in api.notes))
            assert sink.posts == []

    api.play(story)
    assert len([each for each in api.notes if said in each]) == 3  # two attempts, and the giving up


def test_a_name_is_resolved_once_and_that_address_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: a name that is public when it is looked at, and private whenever it is asked for again."""
    authority, asked = Authority(tmp_path), []
    known = socket.getaddrinfo

    def rebinding(host: str, *more: Any, **named: Any) -> Any:
        if host != "sink.example.com":
            return known(host, *more, **named)
        asked.append(host)
        return known("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(delivery, "is_public", lambda address: address == "127.0.0.1")
    loop = TestbedLoop(virtual=False)
    try:
        with Sink(authority.certificate("sink.example.com")) as sink:
            courier = delivery.Courier((), str(authority.file), 5.0)
            posted = loop.run_until_complete(courier.post("water", f"https://sink.example.com:{sink.port}/", {}, b"{}"))
            assert (posted, len(sink.posts), asked) == (204, 1, ["sink.example.com"])
            with pytest.raises(delivery.UndeliveredError, match="is not at a public address"):
                loop.run_until_complete(courier.post("water", f"https://sink.example.com:{sink.port}/", {}, b"{}"))
            assert len(sink.posts) == 1
            loop.run_until_complete(courier.stop())
    finally:
        loop.close()


def test_a_private_address_is_not_even_called(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    loop = TestbedLoop(virtual=False)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            courier = delivery.Courier((), str(authority.file), 5.0)
            with pytest.raises(delivery.UndeliveredError, match="is not at a public address"):
                loop.run_until_complete(
                    courier.post("water", f"https://localhost:{listening.getsockname()[1]}/", {}, b"{}")
                )
            with pytest.raises(BlockingIOError):
                listening.accept()
            loop.run_until_complete(courier.stop())
    finally:
        loop.close()


def test_events_wait_in_order_for_a_sink_that_is_down(tmp_path: Path) -> None:
    api = Api(tmp_path, attempts=8)
    certificate = api.authority.certificate("localhost")

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(certificate) as sink:
            assert (await http.post("/subscriptions", json=subscription(sink.port))).status_code == 201
            await api.until(lambda: len(sink.posts) == 1)
        for imei in (PHONE, TABLET):
            api.seen_in(imei)
        await api.until(lambda: len([each for each in api.notes if "not delivered" in each]) >= 2)
        with Sink(certificate, 503, port=sink.port) as again:
            await api.until(lambda: len(again.taken) == 2)
            assert [said for said, *_ in again.posts] == [503, 204, 204]
            assert told(again) == [("imei-change", "99-000201-000001-4"), ("imei-change", "99-000301-000001-2")]
            assert again.posts[0][3] == again.posts[1][3]

    api.play(story)


def test_the_time_between_attempts_doubles(tmp_path: Path) -> None:
    api, at = Api(tmp_path, backoff=0.2), []

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(api.authority.certificate("localhost"), 500, 500, 429) as sink:
            await http.post("/subscriptions", json=subscription(sink.port))
            await api.until(lambda: len(sink.posts) == 4)
            at.extend(sink.at)

    api.play(story)
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert [gap >= least for gap, least in zip(gaps, (0.19, 0.38, 0.76), strict=True)] == [True] * 3


def test_no_redirect_is_followed_and_a_sink_that_is_gone_hears_no_more(tmp_path: Path) -> None:
    api = Api(tmp_path)

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(api.authority.certificate("localhost"), 302, 410) as sink:
            made = (await http.post("/subscriptions", json=subscription(sink.port))).json()
            await api.until(lambda: len(sink.posts) == 1)
            api.seen_in(PHONE)
            await api.until(lambda: len(sink.posts) == 2)
            path = f"/subscriptions/{made['id']}"
            end = time.monotonic() + LONG
            while (await http.get(path)).json()["status"] != "INACTIVE":
                assert time.monotonic() < end
                await api.host.clock.sleep(0.01)
            api.seen_in(TABLET)
            await api.host.clock.sleep(0.1)
            assert len(sink.posts) == 2

    api.play(story)


def test_a_subscription_ends_by_time_and_by_number(tmp_path: Path) -> None:
    api = Api(tmp_path)

    async def story(http: httpx.AsyncClient) -> None:
        with Sink(api.authority.certificate("localhost")) as sink:
            soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4)).isoformat()
            await http.post("/subscriptions", json=subscription(sink.port, config={"subscriptionExpireTime": soon}))
            await api.until(lambda: (ENDED, "SUBSCRIPTION_EXPIRED") in told(sink))
            await http.post("/subscriptions", json=subscription(sink.port, config={"subscriptionMaxEvents": 1}))
            api.seen_in(PHONE)
            api.seen_in(TABLET)
            await api.until(lambda: (ENDED, "MAX_EVENTS_REACHED") in told(sink))
            assert told(sink)[2:] == [
                (STARTED, ""),
                ("imei-change", "99-000201-000001-4"),
                (ENDED, "MAX_EVENTS_REACHED"),
            ]
            assert {each["status"] for each in (await http.get("/subscriptions")).json()} == {"EXPIRED"}

    api.play(story)


def test_a_sink_that_never_ends_its_answer_holds_up_nobody(tmp_path: Path) -> None:
    """It takes the connection, and then lets fall an octet now and then: each begins the wait for the next one anew."""
    api = Api(tmp_path, patience=3, attempts=1)  # time enough for a sink that answers
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        with taken:
            while not over.wait(0.1):
                try:
                    taken.sendall(b"\x16")
                except OSError:
                    return

    async def story(http: httpx.AsyncClient, port: int) -> None:
        await http.post("/subscriptions", json=subscription(port))
        with Sink(api.authority.certificate("localhost")) as sink:
            await http.post("/subscriptions", json=subscription(sink.port))
            await api.until(lambda: told(sink) == [(STARTED, "")])
        await api.until(lambda: any("given up" in each for each in api.notes))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        try:
            api.play(partial(story, port=listener.getsockname()[1]))
        finally:
            over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # if nobody came
            thread.join(LONG)


def test_slow_sinks_of_one_customer_hold_up_no_event_of_another(tmp_path: Path) -> None:
    clients = {"portal": {"token": "portal-token", "account": "water", "scopes": SCOPES}}
    clients["desk"] = {"token": "desk-token", "role": "operator", "scopes": SCOPES}
    api = Api(tmp_path, patience=10 * LONG, clients=clients)

    async def story(http: httpx.AsyncClient, port: int) -> None:
        for _ in range(40):
            assert (await http.post("/subscriptions", json=subscription(port))).status_code == 201
        with Sink(api.authority.certificate("localhost")) as sink:
            own = {"Authorization": "Bearer desk-token"}
            assert (await http.post("/subscriptions", json=subscription(sink.port), headers=own)).status_code == 201
            await api.until(lambda: told(sink) == [(STARTED, "")])

    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        api.play(partial(story, port=silent.getsockname()[1]))


def test_slow_names_of_one_customer_hold_up_no_event_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server of a customer's own that says nothing takes threads, and those of that customer only."""
    authority, over, known = Authority(tmp_path), threading.Event(), socket.getaddrinfo

    def slow(host: str, *more: Any, **named: Any) -> Any:
        if host == "sink.example.com":
            over.wait(LONG)
        return known("127.0.0.1", *more, **named)

    async def story(courier: delivery.Courier, sink: Sink) -> int:
        held = [
            asyncio.ensure_future(courier.post(client, "https://sink.example.com:1/", {}, b""))
            for client in ("water", "heating")
            for _ in range(20)
        ]
        await asyncio.sleep(0.1)
        try:
            return await asyncio.wait_for(courier.post("gas", f"https://localhost:{sink.port}/", {}, b"{}"), LONG / 2)
        finally:
            over.set()
            await courier.stop()
            await asyncio.gather(*held, return_exceptions=True)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    loop = TestbedLoop(virtual=False)
    try:
        with Sink(authority.certificate("localhost")) as sink:
            courier = delivery.Courier(["sink.example.com", "localhost"], str(authority.file), 10 * LONG)
            assert 200 <= loop.run_until_complete(story(courier, sink)) < 300
    finally:
        over.set()
        loop.close()


def test_a_sink_is_ended_in_time_whose_name_took_longer_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is up there is no socket yet; the one that comes then would have time without end."""
    authority, patience, over = Authority(tmp_path), 0.5, threading.Event()
    known = socket.getaddrinfo

    def slow(host: str, *more: Any, **named: Any) -> Any:
        if host == "sink.example.com":
            time.sleep(2 * patience)
        return known("127.0.0.1" if host == "sink.example.com" else host, *more, **named)

    def drip(listener: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate("sink.example.com"))
        with suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True) as taken:
            taken.sendall(b"HTTP/1.1 204 ")
            while not over.wait(0.1):
                taken.sendall(b"x")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    courier = delivery.Courier(["sink.example.com"], str(authority.file), patience)
    ending = threading.Timer(LONG / 10, over.set)
    loop = TestbedLoop(virtual=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        ending.start()
        try:
            with pytest.raises(delivery.UndeliveredError):
                loop.run_until_complete(
                    courier.post("water", f"https://sink.example.com:{listener.getsockname()[1]}/", {}, b"")
                )
            assert not over.is_set(), "the sink ended it"
        finally:
            ending.cancel()
            over.set()
            loop.run_until_complete(courier.stop())
            loop.close()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # if nobody came
            thread.join(LONG)


def test_a_platform_that_stops_waits_for_no_sink(tmp_path: Path) -> None:
    api = Api(tmp_path, patience=10 * LONG)

    async def story(http: httpx.AsyncClient, listener: socket.socket, held: ExitStack) -> None:
        await http.post("/subscriptions", json=subscription(listener.getsockname()[1]))
        held.enter_context((await asyncio.to_thread(listener.accept))[0])

    with ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(LONG)
        begun = time.monotonic()
        api.play(partial(story, listener=listener, held=held))
        assert time.monotonic() - begun < 2 * LONG


def test_an_address_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    from simwarden.errors import ConfigError

    api = Api(tmp_path, listen="192.0.2.1:8080")

    async def story(_http: httpx.AsyncClient) -> None:
        raise AssertionError("it serves")

    with pytest.raises(ConfigError, match="cannot serve"):
        api.play(story)
