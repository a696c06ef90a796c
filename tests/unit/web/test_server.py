"""What is told to pages, and what they may ask, with an engine that says what a test has it say."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
import re
import zipfile
from typing import Any

import httpx
import pytest

from simwarden.web import server
from simwarden.web.server import LARGEST, LARGEST_PAGE, Live

QUIET = {"off": [], "stolen": {}, "goes_on": False}
BEGUN: dict[str, Any] = {"nodes": [], "menu": [], "tour": []}


class Engine:
    """Says one thing after another, and keeps what it was asked."""

    def __init__(self, *said: dict[str, Any], anew: bool = True) -> None:
        self.said, self.anew = list(said), anew
        self.asked: list[dict[str, Any]] = []

        self.heard: Any = None

    def interrupt(self) -> None:
        self.asked.append({"do": "interrupt"})

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        self.asked.append({"do": what, **more})
        await asyncio.sleep(0)
        return BEGUN if what == "begin" and self.anew else self.said.pop(0)


def told(live: Live) -> list[Any]:
    return [json.loads(each) for each in live.told]


async def answer(live: Live, method: str, path: str, body: Any = None) -> httpx.Response:
    transport = httpx.ASGITransport(live.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        return await client.request(method, path, content=content)


async def test_what_an_action_did_is_told_to_all_that_listen() -> None:
    live = Live(Engine({"told": [{"text": "power_on: meter", "rows": []}], **QUIET}))  # type: ignore[arg-type]
    await live.begin()
    streams = [live.stream(), live.stream()]
    for stream in streams:
        assert json.loads((await anext(stream)).split("data: ")[1])["begin"] == BEGUN
        assert (await anext(stream)).startswith("event: now")
    said = await answer(live, "POST", "/act", {"step": "power_on: meter"})
    assert (said.status_code, said.json()) == (200, {"told": 1, "at": [1, 2]})
    for stream in streams:
        event = await anext(stream)
        assert event.startswith("id: 1.2\n")
        assert json.loads(event.split("data: ")[1]) == {"text": "power_on: meter", "rows": [], **QUIET}
        await stream.aclose()  # type: ignore[attr-defined]


async def test_one_that_comes_later_is_told_all_of_this_network_and_nothing_of_the_one_before() -> None:
    engine = Engine({"told": [{"text": "a"}], **QUIET}, {"told": [{"text": "b"}], **QUIET})
    live = Live(engine)  # type: ignore[arg-type]
    await live.begin()
    early = live.stream()
    await anext(early)
    await live.ask("act", step="a")
    await live.begin(100)
    await live.ask("act", step="b")
    assert [each.get("text") for each in told(live)] == [None, "b"]
    assert {"do": "begin", "fleet": 100} in engine.asked
    await anext(early)
    assert "begin" in await anext(early)
    await early.aclose()  # type: ignore[attr-defined]


async def test_what_two_pages_do_at_once_is_told_in_the_order_in_which_it_happened() -> None:
    live = Live(Engine({"told": [{"text": "a"}], **QUIET}, {"told": [{"text": "b"}], **QUIET}))  # type: ignore[arg-type]
    said = await asyncio.gather(live.begin(), live.ask("act", step="a"), live.begin(), live.ask("act", step="b"))
    assert [each["at"] for each in said] == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert [each.get("text") for each in told(live)] == [None, "b"]


async def test_a_switch_that_changes_no_network_is_told_all_the_same() -> None:
    live = Live(Engine({"told": [], **QUIET, "off": ["hss/pre.range"]}))  # type: ignore[arg-type]
    said = await answer(live, "POST", "/act", {"control": "hss/pre.range", "off": True})
    assert said.status_code == 200
    assert told(live) == [{**QUIET, "off": ["hss/pre.range"]}]


async def test_use_that_a_rule_refuses_goes_on_until_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PACE", 0.0)
    goes_on = {**QUIET, "off": ["x/y"], "goes_on": True}
    ends = {"told": [{"text": "send"}], **QUIET}
    engine = Engine({"told": [{"text": "power_on"}], **goes_on}, {"told": [{"text": "send"}], **goes_on}, ends)
    live = Live(engine)  # type: ignore[arg-type]
    stream = live.stream()
    await anext(stream)
    await live.ask("act", step="power_on: phone")
    seen: list[dict[str, Any]] = []
    while len(seen) < 3:
        event = await anext(stream)
        if event.startswith("id"):
            seen.append(json.loads(event.split("data: ")[1]))
    assert [(each["text"], each.get("use")) for each in seen] == [("power_on", None), ("send", True), ("send", True)]
    assert [each["do"] for each in engine.asked] == ["act", "use", "use"]
    await stream.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 60_000, b'{"begin": 0, "begin": 1}', {"step": 7}, {"control": 1, "off": True}, {"control": "a"},
     {"begin": 10_001}, {"begin": -1}, {"begin": True}, [], None],
)  # fmt: skip
async def test_what_no_page_says_is_refused_before_the_engine_hears_of_it(body: Any) -> None:
    engine = Engine()
    said = await answer(Live(engine), "POST", "/act", body)  # type: ignore[arg-type]
    assert said.status_code == 400
    assert re.search("expected|no JSON|twice", said.json()["error"])
    assert engine.asked == []


async def test_a_body_that_is_too_large_is_not_read() -> None:
    engine = Engine()
    said = await answer(Live(engine), "POST", "/act", {"step": "x" * LARGEST})  # type: ignore[arg-type]
    assert (said.status_code, said.json()["error"]) == (413, f"a body has at most {LARGEST} octets")
    assert engine.asked == []


async def test_what_makes_no_sense_is_said_and_told_to_nobody_else() -> None:
    live = Live(Engine({"error": "step: verb 'fly' is not known"}))  # type: ignore[arg-type]
    said = await answer(live, "POST", "/act", {"step": {"fly": "away"}})
    assert (said.status_code, said.json()["error"]) == (400, "step: verb 'fly' is not known")
    assert live.told == []


async def test_how_far_what_takes_long_has_come_is_told_and_not_kept() -> None:
    engine = Engine({"told": [{"text": "power_on: fleet"}], **QUIET})
    live = Live(engine)  # type: ignore[arg-type]
    await live.begin()
    stream = live.stream()
    assert [(await anext(stream)).partition("\n")[0], await anext(stream)] == ["id: 1.1", "event: now\ndata: 0\n\n"]
    await engine.heard(2000)
    assert await anext(stream) == "event: now\ndata: 2000\n\n"
    await live.ask("act", step="power_on: fleet")
    assert (await anext(stream)).startswith("id: 1.2\n")
    assert await anext(stream) == "event: now\ndata: 0\n\n"
    await stream.aclose()  # type: ignore[attr-defined]
    assert [next(iter(each)) for each in told(live)] == ["begin", "text"]


async def test_a_beginning_that_somebody_ended_is_not_drawn() -> None:
    live = Live(Engine({"error": "it was ended", "ended": True}, BEGUN, anew=False))  # type: ignore[arg-type]
    await live.begin()
    assert told(live) == [{"begin": BEGUN, "off": [], "stolen": {}}]


@pytest.mark.parametrize("path", ["/story.zip", "/capture.pcapng", "/report.html"])
async def test_what_cannot_be_saved_is_said(path: str) -> None:
    live = Live(Engine({"error": "too much has happened"}))  # type: ignore[arg-type]
    said = await answer(live, "GET", path)
    assert (said.status_code, said.text) == (409, "too much has happened")


async def test_a_network_that_ended_is_followed_by_another() -> None:
    live = Live(Engine({"error": "a fault", "ended": True}))  # type: ignore[arg-type]
    assert (await answer(live, "POST", "/act", {"step": "power_on: meter"})).status_code == 400
    assert [list(each) for each in told(live)] == [["begin", "off", "stolen"]]


async def test_what_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    async def saved(story: Any) -> dict[str, str]:
        return {"story.yaml": f"{story}"} if story else {"error": "nothing"}

    monkeypatch.setattr(server, "_saved", saved)
    octets = {"octets": base64.b64encode(b"capture").decode()}
    live = Live(Engine({"story": {"a": 1}}, {"story": {}}, octets, octets))  # type: ignore[arg-type]
    story = await answer(live, "GET", "/story.zip")
    with zipfile.ZipFile(io.BytesIO(story.content)) as archive:
        assert archive.namelist() == ["story.yaml"]
    nothing = await answer(live, "GET", "/story.zip")
    assert (nothing.status_code, nothing.text) == (409, "nothing")
    assert (await answer(live, "GET", "/capture.pcapng")).content == b"capture"
    report = await answer(live, "GET", "/report.html")
    assert (report.text, report.headers["content-disposition"]) == ("capture", 'attachment; filename="report.html"')


async def test_a_save_ends_with_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Saver:
        asked, closed = asyncio.Event(), False

        def __init__(self, module: str) -> None:
            assert module == "simwarden.scenario.saved"

        async def ask(self, _what: str, **_: Any) -> dict[str, Any]:
            self.asked.set()
            return await asyncio.Future()

        async def close(self) -> None:
            Saver.closed = True

    monkeypatch.setattr(server, "Engine", Saver)
    saving = asyncio.create_task(server._saved({}))
    await Saver.asked.wait()
    saving.cancel()
    await asyncio.wait([saving])
    assert Saver.closed


async def test_a_recorded_page_holds_what_was_told_and_has_a_limit() -> None:
    live = Live(Engine())  # type: ignore[arg-type]
    await live.begin()
    page = await answer(live, "GET", "/recorded.html")
    assert page.status_code == 200
    assert "connect-src" not in page.text
    live.told.append(json.dumps(random.Random(1).randbytes(LARGEST_PAGE).hex()))
    assert (await answer(live, "GET", "/recorded.html")).status_code == 409


async def test_the_page_lets_nothing_else_run_or_load() -> None:
    page = await answer(Live(Engine()), "GET", "/")  # type: ignore[arg-type]
    head, _, rest = page.text.partition('<meta http-equiv="Content-Security-Policy" content="')
    assert "<script" not in head and "<style" not in head  # noqa: PT018 - it is about what comes after it
    policy = rest.partition('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert "://" not in page.text
