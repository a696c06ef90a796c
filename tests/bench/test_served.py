"""HSS and EIR in processes of their own, over TCP with the durable store, 32 requests outstanding on one connection.

Prints rate and latency, in SQLite and in a PostgreSQL of the test's that waits for no disk; what is asserted is that
every request is answered, and with success.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import figures
import pytest
from served import PLMN, Client, card, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simwarden.wire.diameter import Message

OUTSTANDING, REQUESTS, CARDS = 32, 6000, 500


def drive(client: Client, make: Callable[[int], Message]) -> list[float]:
    """Keep so many requests outstanding until all are answered; return what each took, in milliseconds, in order."""
    sent: dict[int, float] = {}
    took: list[float] = []
    asked = 0
    while len(took) < REQUESTS:
        while asked < REQUESTS and len(sent) < OUTSTANDING:
            sent[client.send(make(asked))] = time.perf_counter()
            asked += 1
        answer = client.receive()
        if not answer.request:
            took.append((time.perf_counter() - sent.pop(answer.hop_by_hop)) * 1e3)
            assert answer.success, answer
    return sorted(took)


def imsi(number: int) -> str:
    return f"00101{number % CARDS:010d}"


def air(client: Client, number: int) -> Message:
    wanted = [("Number-Of-Requested-Vectors", 1)]
    avps = (("User-Name", imsi(number)), ("Requested-EUTRAN-Authentication-Info", wanted), ("Visited-PLMN-Id", PLMN))
    return client.make("Authentication-Information-Request", *avps)


def ulr(client: Client, number: int) -> Message:
    return client.update(imsi(number), f"35{number % CARDS:012d}")


def ecr(client: Client, number: int) -> Message:
    terminal = [("IMEI", f"35{number % CARDS:012d}"), ("Software-Version", "01")]
    return client.make("ME-Identity-Check-Request", ("Terminal-Information", terminal), ("User-Name", imsi(number)))


@pytest.mark.parametrize(("what", "kind", "make"), [("AIR", "hss", air), ("ULR", "hss", ulr), ("ECR", "eir", ecr)])
def test_served(tmp_path: Path, store_url: str, what: str, kind: str, make: Callable[[Client, int], Message]) -> None:
    interface = "S6a" if kind == "hss" else "S13"
    settings: dict[str, Any] = {"listen": {interface: "127.0.0.1:0"}, "store": store_url}
    if kind == "hss":
        cards = {"subscribers": [card(number, learn="first-use") for number in range(CARDS)]}
        (tmp_path / "cards.json").write_text(json.dumps(cards))
        settings["subscribers"] = "cards.json"
    with serve(tmp_path, kind, settings) as served:
        client = Client(served.where[interface], application=16777251 if kind == "hss" else 16777252)
        begun = time.perf_counter()
        took = drive(client, lambda number: make(client, number))
        rate = REQUESTS / (time.perf_counter() - begun)
        client.close()
        assert served.faults() == ""
    p50, p99 = took[REQUESTS // 2], took[REQUESTS * 99 // 100]
    database = store_url.partition(":")[0]
    figures.tell(f"{what} over TCP, {database}", f"{rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
