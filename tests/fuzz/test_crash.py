"""Whenever HSS or platform, or the database behind them, is killed: nothing answered is lost, nothing is half written.

Threads learn bindings and change them, suspend, resume, close, restrict and shut down while it happens; CRASH_ROUNDS in
the environment says how often, for each element on each database.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import budget
import pytest
from crash_bench import (
    APPROVED,
    TOKEN,
    WORKERS,
    Bench,
    Worker,
    wait_for,
)
from crash_ledgers import METER, PHONE, CmpLedger, HssLedger, terminal
from crash_notices import NORTH, subscribe
from databases import PostgreSQL, new_server
from network_peers import S13, UNABLE_TO_COMPLY, Cut, Management, Mme, allowed
from served import card
from waiting import reserved_port

from simwarden.runtime.store import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from crash_ledgers import State
    from network_peers import Asked
    from served import Served

SERVED = ("to-activate", "active")
ZONES = ((), ("0101",), ("0101", "0102"))


class HssWorker(Worker):
    """An MME with its cards, and the operator's hand on them."""

    def __init__(self, number: int, rng: random.Random) -> None:
        super().__init__(number, rng)
        self.mme = Mme(f"mme{number}")
        self.seqs: dict[str, int] = {}

    def connect(self, served: Mapping[str, Served]) -> None:
        self.manage = Management(served["hss"].where["management"], TOKEN)
        self.mme.connect(served["hss"].where["S6a"])

    def close(self) -> None:
        self.manage.close()
        self.mme.close()

    def observe(self, key: str) -> State | None:
        status, said = self.manage.ask("GET", f"/cards/{key}")
        if status == 404:
            return None
        bound, zones = said["binding"], said["subscription"].get("zones", ())
        return {
            "mode": bound["how"] if bound else "",
            "bound": bound["imei"][:14] if bound else "",
            "suspended": said["suspended"],
            "zones": tuple(zones),
        }

    def settle(self) -> None:
        super().settle()
        wait_for(self._disagreements)

    def _disagreements(self) -> list[Any]:
        """Where the MME has not been told what the HSS holds: locations cancelled, cards barred, zone codes."""
        return [
            (imsi, here, self.sure[imsi])
            for imsi, here in list(self.mme.registered.items())
            if not self._agrees(here, self.sure[imsi])
        ]

    @staticmethod
    def _agrees(here: tuple[str, bool, tuple[str, ...]], state: State) -> bool:
        imei, barred, zones = here
        fits = state["bound"] in ("", imei) and state["suspended"] != "withdrawal"
        return fits and barred == (state["suspended"] == "barring") and zones == state["zones"]

    def act(self, key: str) -> None:
        state = self.sure[key]
        if state["suspended"] == "withdrawal" or not state["bound"]:
            assert state["suspended"] != "withdrawal" or not self._update(key, terminal(METER, key))
            return
        wrong = PHONE if state["bound"] == terminal(METER, key) else METER
        assert self._update(key, state["bound"])
        assert not self._update(key, terminal(wrong, key))
        seq = self.mme.next_seq(key)
        assert seq is not None
        assert seq > self.seqs.get(key, 0)
        self.seqs[key] = seq

    def _update(self, imsi: str, imei: str) -> bool | None:
        return _updated(self.mme.updates([(imsi, imei)])[0])

    def step(self) -> None:
        if len(self.sure) < 20:
            self._provision()
            return
        steps = (self._first_uses, self._first_uses, self._authenticate, self._wrong_use, self._bind, self._unbind)
        self.rng.choice((*steps, self._suspend, self._resume, self._restrict, self._provision))()

    def _provision(self) -> None:
        imsi = self.new_imsi()
        binding = self.rng.choice(({"learn": "first-use"}, {"learn": "first-use"}, {"imei": terminal(METER, imsi)}))
        body = {**card(int(imsi[5:]), **binding), "imsi": imsi}
        mode, bound = ("given", binding["imei"]) if "imei" in binding else ("learned", "")
        state = {"mode": mode, "bound": bound, "suspended": "", "zones": ()}
        self.attempt({imsi: state}, lambda: self.manage.done("PUT", f"/cards/{imsi}", body))

    def _first_uses(self) -> None:
        # who was given no vectors, since the database was away, teaches nothing
        cards = self._prove(self.pick(8, mode="learned", bound="", suspended=""))
        uses = [(imsi, terminal(METER, imsi)) for imsi in cards]
        asked = self.mme.updates(uses)
        for (imsi, imei), each in zip(uses, asked, strict=True):
            self.attempt({imsi: self.sure[imsi] | {"bound": imei}}, partial(_updated, each))

    def _authenticate(self) -> None:
        self._prove(self.pick(4))

    def _prove(self, cards: Iterable[str]) -> list[str]:
        """Ask for vectors, and return the cards for which they were given."""
        given = []
        for imsi in cards:
            seq = self.mme.next_seq(imsi)
            if seq is not None:
                assert seq > self.seqs.get(imsi, 0)
                self.seqs[imsi] = seq
                given.append(imsi)
        return given

    def _wrong_use(self) -> None:
        for imsi in self.pick(2, mode="given"):
            imei = terminal(PHONE if self.sure[imsi]["bound"] == terminal(METER, imsi) else METER, imsi)
            assert not self._update(imsi, imei)

    def _change(self, imsi: str, method: str, what: str, body: Any = None, **new: Any) -> None:
        state = self.sure[imsi] | new
        self.attempt({imsi: state}, lambda: self.manage.done(method, f"/cards/{imsi}/{what}", body))

    def _bind(self) -> None:
        for imsi in self.pick(2):
            imei = terminal(self.rng.choice((METER, PHONE)), imsi)
            self._change(imsi, "PUT", "binding", {"imei": imei, **APPROVED}, mode="given", bound=imei)

    def _unbind(self) -> None:
        for imsi in self.pick(1, mode="given"):
            self._change(imsi, "DELETE", "binding", APPROVED, mode="", bound="")

    def _suspend(self) -> None:
        for imsi in self.pick(2, suspended=""):
            how = self.rng.choice(("barring", "withdrawal"))
            self._change(imsi, "POST", "suspension", {"how": how, "reason": "unpaid"}, suspended=how)

    def _resume(self) -> None:
        for imsi in self.pick(2, suspended=self.rng.choice(("barring", "withdrawal"))):
            self._change(imsi, "DELETE", "suspension", suspended="")

    def _restrict(self) -> None:
        for imsi in self.pick(2):
            zones = self.rng.choice(ZONES)
            if zones:
                self._change(imsi, "PUT", "area", {"zones": zones, **APPROVED}, zones=zones)
            else:
                self._change(imsi, "DELETE", "area", APPROVED, zones=())


def _updated(asked: Asked) -> bool | None:
    answer = asked.answer()
    return None if answer.result_code == UNABLE_TO_COMPLY else answer.success


class CmpWorker(Worker):
    """An account with its cards, a batch, a pool, and the operator's hand on them; it asks as an MME does."""

    def __init__(self, number: int, rng: random.Random) -> None:
        super().__init__(number, rng)
        self.mme, self.account = Mme(f"mme{number}"), f"a{number}"
        self.pool, self.wish = f"pool:{self.account}", f"account:{self.account}"
        self.sure = {self.pool: {"imeis": ()}, self.wish: {"mismatch": "refuse"}}

    def connect(self, served: Mapping[str, Served]) -> None:
        self.manage = Management(served["cmp"].where["management"], TOKEN)
        self.mme.connect(served["cmp"].where["S13"], application=S13)

    def close(self) -> None:
        self.manage.close()
        self.mme.close()

    def observe(self, key: str) -> State | None:
        if key == self.wish:
            said = self.manage.ask("GET", "/accounts")[1].get(self.account)
            return {"mismatch": said["mismatch"] if said else "refuse"}
        if key == self.pool:
            said = self.manage.ask("GET", "/pools")[1].get(self.account)
            return {"imeis": tuple(said["imeis"]) if said else ()}
        status, said = self.manage.ask("GET", f"/cards/{key}")
        if status == 404:
            return None
        bound = said["binding"]
        return {
            "state": said["state"],
            "mode": bound["how"] if bound else "",
            "bound": bound["imei"][:14] if bound else "",
            "mismatches": said["mismatches"],
        }

    def fits(self, imsi: str, imei: str) -> bool:
        state, pool = self.sure[imsi], self.sure[self.pool]["imeis"]
        return state["bound"] in ("", imei) and (not pool or any(imei[:2] == entry[:2] for entry in pool))

    def checked(self, imsi: str, imei: str) -> bool | None:
        return allowed(self.mme.checks([(imsi, imei)])[0])

    def act(self, key: str) -> None:
        state = self.sure[key]
        if self._unsure() or self.sure[self.wish]["mismatch"] == "suspend":
            return  # a wrong terminal would suspend the card
        if state["state"] not in SERVED:
            assert self.checked(key, terminal(METER, key)) is False
        elif state["bound"]:
            for kind in (METER, PHONE):
                self._use(key, terminal(kind, key))

    def step(self) -> None:
        if len(self.sure) < 20:
            self._load()
        else:
            steps = (self._first_uses, self._first_uses, self._wrong_use, self._bind, self._unbind, self._batch)
            more = (self._suspend, self._suspend, self._resume, self._resume, self._close, self._load)
            self.rng.choice((*steps, *more, self._pool, self._wish, self._shut_down))()

    def _load(self) -> None:
        self.load([self.new_imsi() for _ in range(10)])

    def load(self, cards: list[str]) -> None:
        state = {"state": "to-activate", "mode": "learned", "bound": "", "mismatches": 0}
        place = {"account": self.account, "batch": "b", "learn": "first-use"}
        body = {"cards": [{"imsi": imsi, **place} for imsi in cards]}
        self.attempt({imsi: dict(state) for imsi in cards}, lambda: self.manage.done("POST", "/cards", body))

    def _first_uses(self) -> None:
        if not self._unsure():
            for imsi in self.pick(6, mode="learned", bound="", state="to-activate"):
                if self.fits(imsi, terminal(METER, imsi)):
                    self._use(imsi, terminal(METER, imsi))

    def _unsure(self) -> bool:
        """Whether nobody knows what the account wants or which terminals it may use."""
        return self.pool not in self.sure or self.wish not in self.sure

    def _use(self, imsi: str, imei: str) -> None:
        """Use a served card, and know what becomes of it by that."""
        state = self.sure[imsi]
        fits = self.fits(imsi, imei)
        suspends = self.sure[self.wish]["mismatch"] == "suspend"
        if fits:
            learned = imei if state["mode"] == "learned" else state["bound"]
            new = state | {"state": "active", "bound": learned}
        else:
            new = state | {"mismatches": state["mismatches"] + 1} | ({"state": "suspended"} if suspends else {})
        self.attempt({imsi: new}, lambda: self._answered(imsi, imei, fits=fits))

    def _answered(self, imsi: str, imei: str, *, fits: bool) -> bool | None:
        said = self.checked(imsi, imei)
        assert said in (None, fits), (imsi, imei, said, self.sure[imsi])
        return None if said is None else True

    def _wrong_use(self) -> None:
        if not self._unsure():
            for imsi in self.pick(2, state="active", mode="given"):
                self._use(imsi, terminal(PHONE if self.sure[imsi]["bound"][:2] == METER else METER, imsi))

    def _change(self, imsi: str, method: str, what: str, body: Any, **new: Any) -> None:
        state = self.sure[imsi] | new
        self.attempt({imsi: state}, lambda: self.manage.done(method, f"/cards/{imsi}/{what}", body))

    def _bind(self) -> None:
        for imsi in self.pick(2, state="active"):
            imei = terminal(self.rng.choice((METER, PHONE)), imsi)
            self._change(imsi, "PUT", "binding", {"imei": imei, **APPROVED}, mode="given", bound=imei, mismatches=0)

    def _unbind(self) -> None:
        for imsi in self.pick(1, mode="given", state="active"):
            self._change(imsi, "DELETE", "binding", APPROVED, mode="", bound="", mismatches=0)

    def _batch(self) -> None:
        """Bind some cards by one call, of which each has its own outcome."""
        cards = self.pick(5, state="active")
        new = {
            imsi: self.sure[imsi] | {"mode": "given", "bound": terminal(METER, imsi), "mismatches": 0} for imsi in cards
        }
        body = {"cards": [{"imsi": imsi, "imei": new[imsi]["bound"]} for imsi in cards], **APPROVED}
        try:
            status, answer = self.manage.ask("POST", "/bindings", body)
        except Cut:
            for imsi in cards:
                self.doubt({imsi: self.sure[imsi]}, {imsi: new[imsi]})
            raise
        assert status in (200, 503)
        outcomes = {each["imsi"]: each["status"] for each in answer.get("cards", ())}
        assert set(outcomes.values()) <= {200, 503}
        for imsi in cards:
            self.attempt({imsi: new[imsi]}, lambda imsi=imsi: outcomes.get(imsi) == 200)  # type: ignore[misc]

    def _operate(self, what: str, state: str, after: str) -> None:
        for imsi in self.pick(2, state=state):
            self._change(imsi, "POST", f"operations/{what}", {**APPROVED, "reason": "unpaid"}, state=after)

    def _suspend(self) -> None:
        self._operate("suspend", "active", "suspended")

    def _resume(self) -> None:
        self._operate("resume", "suspended", "active")

    def _close(self) -> None:
        if self.rng.random() < 0.3:
            self._operate("close", "suspended", "closed")

    def _pool(self) -> None:
        if self.pool not in self.sure:
            return
        path, kind = f"/pools/{self.account}", self.rng.choice((METER, PHONE, ""))
        if kind:
            imeis = (f"{kind}000000-{kind}999999",)
            body = {"imeis": imeis, "account": self.account, **APPROVED}
            self.attempt({self.pool: {"imeis": imeis}}, lambda: self.manage.done("PUT", path, body))
        elif self.sure[self.pool]["imeis"]:
            self.attempt({self.pool: {"imeis": ()}}, lambda: self.manage.done("DELETE", path, APPROVED))

    def _wish(self) -> None:
        if self.wish in self.sure:
            body = {"mismatch": self.rng.choice(("refuse", "suspend"))}
            self.attempt({self.wish: body}, lambda: self.manage.done("PUT", f"/accounts/{self.account}", body))

    def _shut_down(self) -> None:
        if self.doubts or self.rng.random() < 0.7:
            return
        new = {k: s | {"state": "suspended"} for k, s in self.sure.items() if s.get("state") in SERVED}
        if new:
            path = f"/accounts/{self.account}/batches/b/shutdown"
            self.attempt(new, lambda: self.manage.done("POST", path, APPROVED))


class PairWorker(CmpWorker):
    """The same, of a platform that tells a register of the cards, whose MME it is too."""

    def __init__(self, number: int, rng: random.Random) -> None:
        super().__init__(number, rng)
        self.s6a = Mme(f"mme{number}")

    def connect(self, served: Mapping[str, Served]) -> None:
        super().connect(served)
        self.register = Management(served["hss"].where["management"], TOKEN)
        self.s6a.connect(served["hss"].where["S6a"])

    def close(self) -> None:
        super().close()
        self.register.close()
        self.s6a.close()

    def settle(self) -> None:
        super().settle()
        cards = [imsi for imsi in sorted(self.settled) if imsi.isdigit()]
        wait_for(lambda: [imsi for imsi in cards if self._untold(imsi)])

    def _untold(self, imsi: str) -> bool:
        """Whether the HSS, or the MME, has still to be told something of a card."""
        state = self.sure[imsi]["state"]
        served = state in SERVED
        pending = self.manage.ask("GET", f"/cards/{imsi}")[1]["pending"]
        suspended = self.register.ask("GET", f"/cards/{imsi}")[1]["suspended"]
        here = self.s6a.registered.get(imsi)
        wrong = here is not None and not (served and self.fits(imsi, here[0]))
        return bool(pending) or wrong or suspended != ("" if served else "ended" if state == "closed" else "withdrawal")

    def checked(self, imsi: str, imei: str) -> bool | None:
        said = super().checked(imsi, imei)
        if said:
            self.s6a.updates([(imsi, imei)])[0].answer()
        elif said is False:
            self.s6a.registered.pop(imsi, None)
        return said

    def load(self, cards: list[str]) -> None:
        for imsi in cards:
            if not self.register.done("PUT", f"/cards/{imsi}", {**card(int(imsi[5:])), "imsi": imsi}):
                return
        super().load(cards)


@contextmanager
def database(kind: str, folder: Path, name: str) -> Iterator[tuple[str, PostgreSQL | None]]:
    """A database of its own, and its server if that may be killed."""
    if kind == "sqlite":
        yield sqlite_url(folder / f"{name}.sqlite"), None
        return
    with new_server() as server:
        yield server.new(), server


DATABASES = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
PEERS: dict[str, dict[str, str]] = {f"mme{number}": {} for number in range(WORKERS)}
HSS: dict[str, Any] = {"peers": {name: {"home_province": True} for name in PEERS}, "area_changes": {"changes": 1000000}}
CMP: dict[str, Any] = {
    "peers": PEERS,
    "limits": {"lock": 0, "rebindings": 1000000},
    "retry": 0.2,
    "north": NORTH,
}
#: cards that somebody has subscribed to: those which each worker makes first
SUBSCRIBED = [f"00101{number + 1:02d}{made:08d}" for number in range(WORKERS) for made in range(1, 401)]


def file(url: str, interface: str, settings: dict[str, Any], management: str = "127.0.0.1:0", **more: Any) -> Any:
    listen = {interface: "127.0.0.1:0"}
    tokens = {"operator": TOKEN}
    nobody = {"broker": "mqtt://127.0.0.1:9"}  # so that all events stay in the outbox
    made = {"settings": settings, "listen": listen, "management": management, "tokens": tokens, "store": url}
    return {**made, "events": nobody, **more}


@DATABASES
def test_hss(tmp_path: Path, kind: str) -> None:
    with database(kind, tmp_path, "hss") as (url, server):
        elements = {"hss": file(url, "S6a", HSS)}
        workers = [HssWorker(number, random.Random(f"{budget.SEED}/{number}")) for number in range(WORKERS)]
        print(Bench(tmp_path, elements, workers, [HssLedger(url)], server).play())  # noqa: T201


@DATABASES
def test_cmp(tmp_path: Path, kind: str) -> None:
    with database(kind, tmp_path, "cmp") as (url, server):
        subscribe(url, SUBSCRIBED)
        elements = {"cmp": file(url, "S13", {**CMP, "hss": "off"})}
        workers = [CmpWorker(number, random.Random(f"{budget.SEED}/{number}")) for number in range(WORKERS)]
        print(Bench(tmp_path, elements, workers, [CmpLedger(url)], server).play())  # noqa: T201


@DATABASES
def test_cmp_and_hss(tmp_path: Path, kind: str) -> None:
    """What the platform ordered and could not say before it died, the HSS hears, and the MME from that."""
    with database(kind, tmp_path, "cmp") as (url, server), reserved_port() as port:
        subscribe(url, SUBSCRIBED)
        other = server.new() if server is not None else sqlite_url(tmp_path / "hss.sqlite")
        management = f"127.0.0.1:{port}"
        managed = {"hss": {"url": f"http://{management}", "token": TOKEN}}
        elements = {
            "hss": file(other, "S6a", HSS, management),
            "cmp": file(url, "S13", CMP, managed=managed),
        }
        workers = [PairWorker(number, random.Random(f"{budget.SEED}/{number}")) for number in range(WORKERS)]
        print(Bench(tmp_path, elements, workers, [CmpLedger(url), HssLedger(other)], server).play())  # noqa: T201
