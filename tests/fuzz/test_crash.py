"""Whenever the HSS is killed: no binding whose answer has left is lost, and none is half written."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import budget
from served import Client, card, serve

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
CARDS = 400
OUTSTANDING = 16


def load(client: Client, numbers: range, answered: dict[str, str]) -> None:
    """Use cards for the first time, many at once, until the connection breaks; what was answered is in `answered`."""
    asked: dict[int, tuple[str, str]] = {}
    waiting = list(numbers)
    try:
        while waiting or asked:
            while waiting and len(asked) < OUTSTANDING:
                number = waiting.pop()
                imsi, imei = f"00101{number:010d}", f"35{number:012d}"
                asked[client.send(client.update(imsi, imei))] = (imsi, imei)
            answer = client.receive()
            imsi, imei = asked.pop(answer.hop_by_hop)
            assert answer.success, answer
            answered[imsi] = imei
    except OSError:
        return


def hold(store: Path, answered: dict[str, str], bound_before: int) -> int:
    """Hold the database against what was answered; return how many cards are bound."""
    with closing(sqlite3.connect(store)) as database:
        rows = database.execute("SELECT imsi, bound, imei, mme FROM subscribers WHERE mode = 'learned'").fetchall()
        learned = dict(database.execute("SELECT imsi, details FROM audit WHERE action = 'learn'").fetchall())
        (records,) = database.execute("SELECT count(*) FROM audit WHERE action = 'learn'").fetchone()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    bound = {imsi: imei for imsi, imei, _, _ in rows if imei}
    assert {imsi: bound.get(imsi) for imsi in answered} == answered
    for imsi, imei, seen, mme in rows:
        assert (imei == seen, bool(imei) == bool(mme), bool(imei) == (imsi in learned)) == (True, True, True), imsi
        assert not imei or (imei == f"35{int(imsi[5:]):012d}" and imei in learned[imsi])
    assert records == len(bound) >= bound_before
    return len(bound)


def test_no_answered_binding_is_lost(tmp_path: Path) -> None:
    rng = random.Random(budget.SEED)
    answered: dict[str, str] = {}
    bound, interrupted = 0, 0
    for number in range(ROUNDS + 1):
        numbers = range(number * CARDS + 1, (number + 1) * CARDS + 1)
        cards = [card(each, learn="first-use") for each in numbers]
        (tmp_path / "cards.yaml").write_text(str({"subscribers": cards}))
        settings = {
            "listen": {"S6a": "127.0.0.1:0"},
            "store": f"sqlite:///{tmp_path}/hss.sqlite",
            "subscribers": "cards.yaml",
        }
        with serve(tmp_path, "hss", settings) as hss, closing(Client(hss.where["S6a"])) as client:
            for imsi in rng.sample(sorted(answered), min(20, len(answered))):
                assert client.ask(client.update(imsi, answered[imsi])).success
                assert client.ask(client.update(imsi, "86000000000001")).experimental_result == 5001
            bound = hold(tmp_path / "hss.sqlite", answered, bound)
            if number == ROUNDS:
                break
            killer = threading.Timer(rng.uniform(0.001, 0.25), hss.process.kill)
            killer.start()
            before = len(answered)
            load(client, numbers, answered)
            interrupted += len(answered) - before < CARDS
            killer.join()
            assert hss.faults() == ""
    assert interrupted > ROUNDS // 2
    print(f"{ROUNDS} rounds, {interrupted} under load: {len(answered)} bindings answered, {bound} kept")  # noqa: T201
