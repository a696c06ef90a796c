"""More requests than can be served: who only asks whether the element lives is answered, and so is an operator."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from served import PLMN, REALM, Client, Served, card, serve

from simwarden.wire.diameter import Message, ResultCode, encode, request

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: an HSS that takes 10 ms for each request
SLOW = """\
import time
from simulators.hss.procedures import authentication
from simulators.hss import element
served = element.authentication_information
async def slow(*words):
    time.sleep(0.01)
    return await served(*words)
element.authentication_information = slow
"""
SETTINGS: dict[str, Any] = {
    "listen": {"S6a": "127.0.0.1:0"},
    "subscribers": "cards.json",
    "management": "127.0.0.1:0",
    "tokens": {"operator": "o"},
    "settings": {"peers": {"mme": {}, "mme2": {}}},
}


def air(client: Client) -> Message:
    wanted = [("Number-Of-Requested-Vectors", 1)]
    avps = (("User-Name", "001010000000001"), ("Requested-EUTRAN-Authentication-Info", wanted))
    return client.make("Authentication-Information-Request", *avps, ("Visited-PLMN-Id", PLMN))


def watchdog(client: Client) -> float:
    """Send a watchdog request; return how many seconds its answer took."""
    began = time.perf_counter()
    number = client.send(request("Device-Watchdog-Request", [("Origin-Host", client.host), ("Origin-Realm", REALM)]))
    while client.receive().hop_by_hop != number:
        pass
    return time.perf_counter() - began


def look(served: Served) -> float:
    began = time.perf_counter()
    url = "http://{}:{}/cards".format(*served.where["management"])
    answer = httpx.get(url, headers={"Authorization": "Bearer o"}, timeout=60)
    assert answer.status_code == 200
    return time.perf_counter() - began


def prepare(folder: Path) -> None:
    (folder / "cards.json").write_text(json.dumps({"subscribers": [card(1, learn="first-use")]}))


def test_beyond_what_can_be_answered_in_time_is_turned_away_at_once(tmp_path: Path) -> None:
    """3000 requests of 10 ms at once: 30 s of work, of which two seconds are taken on."""
    prepare(tmp_path)
    many = 3000
    with (
        serve(tmp_path, "hss", SETTINGS, before=SLOW) as served,
        Client(served.where["S6a"]) as busy,
        Client(served.where["S6a"], host="mme2") as other,
    ):
        for _ in range(30):  # its pace is known
            busy.ask(air(busy))
        sent: dict[int, float] = {}
        results: Counter[int | None] = Counter()
        waits: list[float] = []

        def hear() -> None:
            while sum(results.values()) < many:
                answer = busy.receive()
                waits.append(time.perf_counter() - sent[answer.hop_by_hop])
                results[answer.result_code] += 1

        messages = [air(busy) for _ in range(many)]
        thread = Thread(target=hear)
        for number, message in enumerate(messages, 1000):
            message.hop_by_hop = message.end_to_end = number
            sent[number] = time.perf_counter()
        octets = b"".join(map(encode, messages))
        thread.start()
        busy.socket.sendall(octets)
        alive, seen = watchdog(other), look(served)
        thread.join(90)
        assert sum(results.values()) == many
        assert set(results) == {ResultCode.DIAMETER_SUCCESS, ResultCode.DIAMETER_TOO_BUSY}
        assert results[ResultCode.DIAMETER_SUCCESS] >= 50
        assert max(waits) < 15, "the whole would take 30 s"
        assert alive < 3
        assert seen < 3
        assert "are turned away" in served.log.read_text()
        assert served.faults() == ""
        assert busy.ask(air(busy)).success, "and it is over with the burst"
        messages[-1].flags |= 0x10
        assert busy.ask(messages[-1]).success, "what was turned away is served when it comes again"


def test_somebody_who_locks_the_database_does_not_stop_the_element(tmp_path: Path) -> None:
    """Each request took 5 s, in which nothing else was answered."""
    prepare(tmp_path)
    file = tmp_path / "hss.sqlite"
    with (
        serve(tmp_path, "hss", {**SETTINGS, "store": f"sqlite:///{file}"}) as served,
        Client(served.where["S6a"]) as busy,
        Client(served.where["S6a"], host="mme2") as other,
        closing(sqlite3.connect(file, isolation_level=None)) as somebody,
    ):
        assert busy.ask(air(busy)).success
        somebody.execute("BEGIN IMMEDIATE")
        began = time.perf_counter()
        numbers = [busy.send(air(busy)) for _ in range(10)]
        alive = watchdog(other)
        answers = {each.hop_by_hop: each for each in (busy.receive() for _ in numbers)}
        assert {each.result_code for each in answers.values()} == {ResultCode.DIAMETER_UNABLE_TO_COMPLY}
        assert time.perf_counter() - began < 10, "and not 50"
        assert alive < 4
        assert look(served) < 2, "to read waits for nobody"
        somebody.execute("ROLLBACK")
        assert busy.ask(air(busy)).success
        assert served.faults() == ""
