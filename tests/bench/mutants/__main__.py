"""Mutates the rules and the procedures that enforce them, and looks who notices: scenarios first, then unit tests.

    python tests/bench/mutants --sample 60 --seed 1      # a sample; without --sample all of them, which takes hours
    python tests/bench/mutants --only simulators/hss     # those of a file or folder

A mutant is one change of the source by a standard operator (see operators.py), made in a process of its own:
the functions of the module get the mutated code. Only what reaches the changed statement is run. A mutant is killed by
a scenario that does not pass, else by a unit test that fails. The reviewed list survivors.toml is the gate: a survivor
that is not on it fails, and so does a run that tried no mutant; one on it that is killed now is told.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from living import LivingCode
from operators import find
from report import Result, gate, report, text_of

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from operators import Mutant

ROOT = Path(__file__).resolve().parents[3]
SURVIVORS = Path(__file__).resolve().with_name("survivors.toml")
#: the rule book, and the procedures, routes and stores that enforce it
TARGETS = (
    "src/simwarden/policy/*.py",
    "src/simwarden/runtime/diameter/server.py",
    "src/simwarden/*/approval.py",
    *(f"simulators/{kind}/{inner}*.py" for kind in ("mme", "hss", "eir", "cmp") for inner in ("", "procedures/")),
    *(f"simulators/cmp/north/{name}.py" for name in ("camara", "rest", "service")),
    *(f"simulators/uicc/{name}.py" for name in ("applet", "authentication", "card", "element", "pins")),
    *(f"simulators/device/{name}.py" for name in ("card", "terminal", "procedures/authentication")),
)
#: what is declared is read when a module is loaded, before a mutant could be made
DECLARATIONS = (
    "config.py",
    "controls.py",
    "events.py",
    "requirements.py",
    "classification.py",
    "risk_scenes.py",
    "__init__.py",
)
TESTS = ("policy", "simulators", "runtime/test_approval.py")
#: other processes see no mutant, and a database server takes too long
TESTS_LEFT_OUT = ("test_managed.py", "test_stores.py", "test_delivery.py", "postgresql", "kill_9", "/broker/", "/enb/")
_PYTEST = ("-qs", "-pno:cacheprovider", "-pno:xdist", "-Wignore::pytest.PytestAssertRewriteWarning")
#: seconds of processor time, and real ones, that one scenario or test may take
LIMIT, REAL_LIMIT = 15.0, 90.0


@dataclass
class Item:
    """A scenario or a unit test; `run` tells whether it failed."""

    name: str
    run: Callable[[], bool]
    scenario: bool
    seconds: float = 0.0
    kills: int = 0


# -- what is run


def scenarios() -> list[Item]:
    """Load all shipped scenarios."""
    loader, options = Loader(), RunOptions(limit=LIMIT)

    def item(job: suite.Job) -> Item:
        story = loader.load(job.path)
        return Item(
            job.name, lambda: run_scenario(story, job.name, options).verdict is not Verdict.PASSED, scenario=True
        )

    return [item(job) for job in suite.find(["scenarios"])]


class UnitTests:
    """A plugin of pytest: where the collected tests would be run, `work` is done with them instead."""

    def __init__(self, work: Callable[[list[Item]], None]) -> None:
        self._work, self._failed = work, False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do the work."""
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined] # one for all processes
        wanted = [each for each in session.items if not any(word in each.nodeid for word in TESTS_LEFT_OUT)]
        self._work([Item(each.nodeid, lambda each=each: self._run(each), scenario=False) for each in wanted])
        return True

    def _run(self, test: pytest.Item) -> bool:
        self._failed = False
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
        return self._failed


# -- processes


def _child(body: Callable[[Callable[..., None]], None], path: Path) -> int:
    """Fork a process that does `body` and keeps what it tells in a file; return its number."""
    path.touch()
    if pid := os.fork():
        return pid
    with contextlib.suppress(BaseException), path.open("w", encoding="utf-8", buffering=1) as file:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)

        def tell(*told: Any) -> None:
            signal.setitimer(signal.ITIMER_PROF, LIMIT)
            file.write(json.dumps(told) + "\n")

        body(tell)
    os._exit(0)


def crew(tasks: Iterable[Any], work: Callable[[Any, Any], None], workers: int) -> Iterator[tuple[Any, list[Any]]]:
    """Do tasks in forked processes, so many at once; yield each with what its process told before it ended."""
    waiting, running = iter(tasks), dict[int, tuple[Any, Path]]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(sys.maxsize):
            task = next(waiting, None) if len(running) < workers else None
            if task is not None:
                path = Path(folder, str(number))
                running[_child(lambda tell, task=task: work(task, tell), path)] = (task, path)
                continue
            if not running:
                return
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid in running:
                task, path = running.pop(pid)
                yield task, [json.loads(line) for line in path.read_text("utf-8").splitlines()]
                continue
            time.sleep(0.01)
            for late, (_, path) in running.items():
                if time.time() - path.stat().st_mtime > REAL_LIMIT:
                    os.kill(late, signal.SIGKILL)


# -- a campaign


class Campaign:
    """Tries mutants on items."""

    def __init__(self, mutants: list[Mutant], workers: int) -> None:
        self.mutants, self.workers = mutants, workers
        self.results: list[Result] = []
        self.broken: list[str] = []

    def go(self, tests: list[Item]) -> None:
        """Find which items reach which mutant, and try each mutant on those."""
        os.chdir(ROOT)
        self.items = [*scenarios(), *tests]
        self.code = LivingCode(ROOT, sorted({each.file for each in find(ROOT, TARGETS, DECLARATIONS)}))
        self.reaching: dict[int, list[int]] = {number: [] for number in range(len(self.mutants))}
        chunks = [range(start, len(self.items), 4 * self.workers) for start in range(4 * self.workers)]
        for _, told in crew(chunks, self._look, self.workers):
            for index, failed, seconds, reached in told:
                self.items[index].seconds = seconds
                if failed:
                    self.broken.append(self.items[index].name)
                    continue
                for number in reached:
                    self.reaching[number].append(index)
        for number, told in crew(range(len(self.mutants)), self._try, self.workers):
            self.results.append(result := self._result(self.mutants[number], told))
            sys.stderr.write(f"{len(self.results)}/{len(self.mutants)} {result.kind}: {result.mutant.name}\n")

    def _look(self, chunk: range, tell: Any) -> None:
        reached = self.code.record(self.mutants)
        for index in chunk:
            reached.clear()
            began = time.process_time()
            failed = self.items[index].run()
            tell(index, failed, time.process_time() - began, sorted(reached))

    def _try(self, number: int, tell: Any) -> None:
        self.code.apply(self.mutants[number])
        order = [
            (not (it := self.items[index]).scenario, -it.kills, it.seconds, index) for index in self.reaching[number]
        ]
        for *_, index in sorted(order):
            tell(index)
            if self.items[index].run():
                return
        tell(-1)

    def _result(self, mutant: Mutant, told: list[Any]) -> Result:
        if not told:
            return Result(mutant, "not made")
        if told[-1] == [-1]:
            return Result(mutant, "survived", unreached=len(told) == 1)
        item = self.items[told[-1][0]]
        item.kills += 1
        return Result(mutant, "scenarios" if item.scenario else "unit tests", item.name)


def main() -> int:
    """Run a campaign; return the exit code of the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="so many mutants, chosen by the seed; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a part of a mutant's name, such as its file; may be repeated")
    parser.add_argument("-j", dest="workers", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, help="write what was found here, too")
    parser.add_argument("--survivors", type=Path, default=SURVIVORS, help="the reviewed list")
    parser.add_argument("--list", action="store_true", help="name the mutants only")
    given = parser.parse_args()
    mutants = [
        each for each in find(ROOT, TARGETS, DECLARATIONS) if any(part in each.name for part in given.only or [""])
    ]
    mutants.sort(key=lambda each: hashlib.sha256(f"{given.seed} {each.name}".encode()).digest())
    mutants = mutants[: given.sample or None]
    if given.list:
        _say("\n".join(sorted(each.name for each in mutants)))
        return 0
    campaign = Campaign(mutants, given.workers)
    if mutants:
        with tempfile.TemporaryDirectory() as folder:
            options = [*_PYTEST, f"--basetemp={folder}/tests", *(str(ROOT / "tests/unit" / each) for each in TESTS)]
            pytest.main(options, plugins=[UnitTests(campaign.go)])
    reviewed = tomllib.loads(given.survivors.read_text("utf-8")).get("survivor", [])
    found = report(campaign.results, {each["mutant"]: each["reason"] for each in reviewed}, campaign.broken)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), "utf-8")
    _say(text_of(found))
    return gate(found)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
