"""A bench of crashes: threads change an element, it or its database is killed, and what is left is held to account.

What was answered must be there. What was not answered is as before or as asked, as a whole. The records that an element
keeps of changes must lead to what it holds.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import budget
from crash_ledgers import held_at_each_commit
from network_peers import Cut
from served import serve
from waiting import LONG, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from crash_ledgers import Ledger, State
    from databases import PostgreSQL
    from served import Served

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "2"))
WORKERS = 4
TOKEN = "operator-token"
APPROVED = {"approver": "J. Okonedo", "reason": "replaced", "form": "F-1"}


class Worker(ABC):
    """One thread, with cards (and more) of its own: `sure` is what is known of them, `doubts` what is not."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.number, self.rng = number, rng
        self.sure: dict[str, State] = {}
        self.touched: set[str] = set()
        self.settled: set[str] = set()
        self.doubts: list[tuple[dict[str, State | None], dict[str, State]]] = []
        self.answered, self.refused, self.made = 0, 0, 0
        self.last_answer = 0.0
        self.failure: BaseException | None = None

    @abstractmethod
    def connect(self, served: Mapping[str, Served]) -> None:
        """Connect to the elements as they were started anew."""

    @abstractmethod
    def close(self) -> None:
        """Drop all connections."""

    @abstractmethod
    def step(self) -> None:
        """Do something at random. Raises Cut."""

    @abstractmethod
    def observe(self, key: str) -> State | None:
        """Ask the element what it holds of something, None for nothing."""

    @abstractmethod
    def act(self, key: str) -> None:
        """See that a card is treated as what is known of it says."""

    def new_imsi(self) -> str:
        self.made += 1
        return f"00101{self.number + 1:02d}{self.made:08d}"

    def pick(self, most: int = 1, **facts: Any) -> list[str]:
        """Some cards of which these facts are known."""
        fit = [key for key, state in self.sure.items() if all(state.get(k) == v for k, v in facts.items())]
        return self.rng.sample(fit, min(most, len(fit)))

    def attempt(self, new: dict[str, State], ask: Callable[[], bool | None]) -> None:
        """Ask for a change, of all or none of these."""
        old = {key: self.sure.get(key) for key in new}
        self.touched |= new.keys()
        try:
            done = ask()
        except Cut:
            self.doubt(old, new)
            raise
        if done:
            self.sure.update(new)
            self.answered += 1
            self.last_answer = time.monotonic()
        else:
            self.doubt(old, new)
            self.refused += 1

    def doubt(self, old: dict[str, State | None], new: dict[str, State]) -> None:
        """Know no longer which of two it is."""
        for key in new:
            self.sure.pop(key, None)
        self.doubts.append((old, new))

    def run(self, over: threading.Event) -> None:
        try:
            while not over.is_set():
                self.step()
        except Cut:
            return
        except BaseException as error:  # noqa: BLE001 - told by the test's thread
            self.failure = error

    def settle(self) -> None:
        """Hold what the element tells against what is known, of all that was touched since and of some more."""
        some = self.rng.sample(sorted(self.sure), min(20, len(self.sure)))
        for key in sorted((self.touched & self.sure.keys()).union(some)):
            found = self.observe(key)
            assert found == self.sure[key], (key, found, self.sure[key])
        for old, new in self.doubts:
            found = {key: self.observe(key) for key in new}
            assert found in (old, new), (found, old, new)
            self.sure.update({key: state for key, state in found.items() if state is not None})
        self.doubts.clear()
        self.settled, self.touched = self.touched.union(some) & self.sure.keys(), set()


class Bench:
    """Elements by name with their files, workers, and a database that may be killed too."""

    def __init__(
        self,
        folder: Path,
        elements: Mapping[str, dict[str, Any]],
        workers: Sequence[Worker],
        ledgers: Iterable[Ledger],
        server: PostgreSQL | None = None,
    ) -> None:
        self.folder, self.elements, self.workers = folder, elements, workers
        self.ledgers, self.server = list(ledgers), server
        self.rng = random.Random(budget.SEED)
        self.cards, self.kills = 0, dict.fromkeys((*elements, "database"), 0)

    def play(self, rounds: int = ROUNDS) -> str:
        """Play so many rounds; return the figures."""
        for number in range(rounds + 1):
            with ExitStack() as stack:
                served = {
                    name: stack.enter_context(
                        serve(self.folder, name, file, before=held_at_each_commit(name, file["store"]))
                    )
                    for name, file in self.elements.items()
                }
                for worker in self.workers:
                    worker.connect(served)
                    stack.callback(worker.close)
                self._account(acting=True)
                if number < rounds and self._round(served):
                    self._account(acting=True)  # what is in memory, too
                faults = "".join(each.faults() for each in served.values())
                assert not faults, faults
        answered, refused = (sum(getattr(w, name) for w in self.workers) for name in ("answered", "refused"))
        return (
            f"{rounds} rounds, killed {self.kills}: {answered} changes answered, {refused} refused for a time, "
            f"{self.cards} cards held"
        )

    def _answered(self) -> int:
        return sum(worker.answered for worker in self.workers)

    def _account(self, *, acting: bool) -> None:
        for worker in self.workers:
            worker.settle()
            if acting:
                cards = sorted(key for key in worker.sure if key.isdigit())
                for key in worker.rng.sample(cards, min(5, len(cards))):
                    worker.act(key)
        self.cards = 0
        for ledger in self.ledgers:
            self.cards += ledger.hold()
            ledger.close()

    def _round(self, served: Mapping[str, Served]) -> bool:
        """Kill something under load; return whether the elements live."""
        survive = self.server is not None and self.rng.random() < 0.4
        with self._load():
            before, enough = self._answered(), self.rng.randint(10, 80)
            assert until(lambda: self._answered() - before >= enough or any(each.failure for each in self.workers))
            if survive:
                self.kills["database"] += 1
                self._kill_database()
            else:
                victims = self.rng.sample(sorted(served), self.rng.randint(1, len(served)))
                for name in victims:
                    self.kills[name] += 1
                    served[name].process.kill()
                    time.sleep(self.rng.choice((0, 0.1)))
        for worker in self.workers:
            if worker.failure is not None:
                raise worker.failure
        return survive

    @contextmanager
    def _load(self) -> Iterator[None]:
        """Have all workers at work until the end of the block."""
        over = threading.Event()
        threads = [threading.Thread(target=worker.run, args=(over,)) for worker in self.workers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(2 * LONG)
        assert not any(thread.is_alive() for thread in threads)

    def _kill_database(self) -> None:
        assert self.server is not None
        if self.rng.random() < 0.5:
            self.server.kill_backend()
            time.sleep(0.3)
        else:
            self.server.kill(signal.SIGQUIT)
            time.sleep(self.rng.uniform(0.1, 0.4))
            self.server.start()
        back = time.monotonic()
        assert until(lambda: all(each.last_answer > back or each.failure for each in self.workers)), "it does not go on"


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until there is nothing (no list of what is missing) any more."""
    assert until(lambda: not condition()), condition()
