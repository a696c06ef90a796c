"""Mutates the rules and the procedures that enforce them, and looks who notices: scenarios first, then unit tests.

    python tests/bench/mutants --sample 60 --seed 1      # a sample; without --sample all of them, which takes hours
    python tests/bench/mutants --only simulators/hss     # those of a file or folder

A mutant is one change of the source by a standard operator (see operators.py), made in a process of its own: the
functions of the module get the mutated code. Only what reaches it is run. A mutant is killed by a scenario that does
not pass, else by a unit test that fails. The reviewed list survivors.toml is the gate: a survivor that is not on it
fails, and so does a run that tried no mutant; one on it that is killed now is told.
"""

from __future__ import annotations
import __future__

import argparse
import ast
import builtins
import contextlib
import gc
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import tomllib
import types
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from operators import Mutant, mutants, put, telling

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
_DECLARED = ("config", "controls", "events", "requirements", "classification", "risk_scenes", "__init__")
FILES = sorted({each for pattern in TARGETS for each in ROOT.glob(pattern) if each.stem not in _DECLARED})
TESTS = ("policy", "simulators", "operations/test_approval.py")
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


def scenarios() -> Iterator[Item]:
    """Load all shipped scenarios."""
    loader, options = Loader(), RunOptions(limit=LIMIT)
    for job in suite.find(["scenarios"]):
        play = partial(run_scenario, loader.load(job.path), job.name, options)
        yield Item(job.name, lambda play=play: play().verdict is not Verdict.PASSED, scenario=True)


class UnitTests:
    """A plugin of pytest: where the collected tests would be run, `work` is done with them instead."""

    def __init__(self, work: Callable[[list[Item]], None]) -> None:
        self._work, self._failed = work, False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined] # one for all processes
        wanted = [each for each in session.items if not any(word in each.nodeid for word in TESTS_LEFT_OUT)]
        self._work([Item(each.nodeid, lambda each=each: self._run(each), scenario=False) for each in wanted])
        return True

    def _run(self, test: pytest.Item) -> bool:
        self._failed = False
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
        return self._failed


def _forked(work: Callable[[Callable[..., None]], None], path: Path) -> int:
    """Do work in a forked process that keeps what it tells in a file, and is ended when it is late; return its id."""
    path.touch()
    if pid := os.fork():
        return pid
    with contextlib.suppress(BaseException), path.open("w", buffering=1) as file:
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)

        def tell(*told: Any) -> None:
            signal.setitimer(signal.ITIMER_PROF, LIMIT)
            signal.setitimer(signal.ITIMER_REAL, REAL_LIMIT)
            file.write(json.dumps(told) + "\n")

        for late in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(late, signal.SIG_DFL)
        work(tell)
    os._exit(0)


def crew(tasks: Iterable[Any], work: Callable[[Any, Any], None], workers: int) -> Iterator[tuple[Any, list[Any]]]:
    """Do tasks in forked processes, so many at once; yield each with what its process told before it ended."""
    running = dict[int, tuple[Any, Path]]()
    with tempfile.TemporaryDirectory() as folder:
        for number, task in enumerate((*tasks, *[None] * workers)):
            while running and (task is None or len(running) >= workers):
                done, path = running.pop(os.wait()[0])
                yield done, [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            if task is not None:
                path = Path(folder, str(number))
                running[_forked(partial(work, task), path)] = task, path


def _keys(code: types.CodeType, within: str = "") -> Iterator[tuple[str, types.CodeType]]:
    """Yield the code objects inside of one, by what a mutation leaves as it is: name, line, and which of those."""
    for number, each in enumerate(each for each in code.co_consts if isinstance(each, types.CodeType)):
        key = f"{within}/{number if each.co_name.startswith('<') else ''}{each.co_name}:{each.co_firstlineno}"
        yield key, each
        yield from _keys(each, key)


class Campaign:
    """Tries mutants on items."""

    def __init__(self, tried: list[Mutant], workers: int) -> None:
        self.mutants, self.workers = tried, workers
        self.red: list[str] = []
        #: what killed each mutant, or nothing; those that could not be made are not here
        self.by: dict[str, Item | None] = {}

    def go(self, tests: list[Item]) -> None:
        """Find which items reach which mutant, and try each mutant on those."""
        os.chdir(ROOT)
        self.items, self.reaching = [*scenarios(), *tests], [list[int]() for _ in self.mutants]
        chunks = [range(start, len(self.items), 4 * self.workers) for start in range(4 * self.workers)]
        for _, told in crew(chunks, self._look, self.workers):
            for index, failed, self.items[index].seconds, reached in told:
                if failed:
                    self.red.append(self.items[index].name)
                for number in () if failed else reached:
                    self.reaching[number].append(index)
        for number, told in crew(range(len(self.mutants)), self._try, self.workers):
            self._judge(self.mutants[number], told)

    def _look(self, chunk: range, tell: Any) -> None:
        places: dict[tuple[str, int], list[int]] = {}
        for number, mutant in enumerate(self.mutants):
            for place in _places(mutant):
                places.setdefault(place, []).append(number)
        seen = set[tuple[str, int]]()
        builtins.__reached__ = seen.add  # type: ignore[attr-defined]
        for file in sorted({file for file, _ in places}):
            swap(file, telling(file, Path(ROOT, file).read_text("utf-8")))
        for index in chunk:
            seen.clear()
            began = time.process_time()
            failed = self.items[index].run()
            reached = {number for place in seen & places.keys() for number in places[place]}
            tell(index, failed, time.process_time() - began, sorted(reached))

    def _judge(self, mutant: Mutant, told: list[Any]) -> None:
        if told:
            self.by[mutant.name] = killer = self.items[told[-1][0]] if told[-1] != [-1] else None
            if killer is not None:
                killer.kills += 1
        word = "not made" if not told else killer.name if killer is not None else "SURVIVES"
        sys.stderr.write(f"{len(self.by)}/{len(self.mutants)} {mutant.name}: {word}\n")

    def _try(self, number: int, tell: Any) -> None:
        make(self.mutants[number])
        order = [(not (it := self.items[at]).scenario, -it.kills, it.seconds, at) for at in self.reaching[number]]
        for *_, index in sorted(order):
            tell(index)
            if self.items[index].run():
                return
        tell(-1)


def _places(mutant: Mutant) -> Iterator[tuple[str, int]]:
    """Yield the statements that reach a mutant: its own, and for a name of a module wherever it is used."""
    if not mutant.assigns:
        yield mutant.file, mutant.line
    for path in FILES if mutant.assigns else ():
        uses = [each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.stmt)]
        yield from ((str(path.relative_to(ROOT)), each.lineno) for each in uses if mutant.assigns in ast.unparse(each))


def _compiled(file: str, tree: ast.Module) -> types.CodeType:
    flags = __future__.annotations.compiler_flag  # a statement alone has no import of it above
    return compile(tree, str(ROOT / file), "exec", flags, dont_inherit=True)


def swap(file: str, tree: ast.Module) -> None:
    """Give the living functions of a module the code of a changed tree."""
    key_of = {code: key for key, code in _keys(_compiled(file, ast.parse(Path(ROOT, file).read_text("utf-8"))))}
    codes = dict(_keys(_compiled(file, tree)))
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType) and each.__code__.co_filename == str(ROOT / file):
            each.__code__ = codes[key_of[each.__code__]] if each.__code__ in key_of else each.__code__


def make(mutant: Mutant) -> None:
    """Make a mutant in this process; whoever has the former value of a name of a module gets the new one."""
    tree = put(mutant, Path(ROOT, mutant.file).read_text("utf-8"))
    if not mutant.assigns:
        return swap(mutant.file, tree)
    module = next(each for each in sys.modules.values() if getattr(each, "__file__", None) == str(ROOT / mutant.file))
    before = vars(module)[mutant.assigns]
    exec(_compiled(mutant.file, tree), vars(module))  # noqa: S102 - it is the mutant
    defaults = [each.__kwdefaults__ or {} for each in gc.get_objects() if isinstance(each, types.FunctionType)]
    for place in [*map(vars, list(sys.modules.values())), *defaults]:
        for key in [key for key, held in place.items() if held is before]:
            place[key] = vars(module)[mutant.assigns]
    return None


def gate(by: dict[str, Item | None], listed: dict[str, str], red: list[str]) -> tuple[int, str]:
    """Return the exit code (2: nothing was tried, or something is red by itself; 1: an unlisted survivor), and why."""
    survivors = sorted(name for name, killer in by.items() if killer is None)
    lines = [f"listed survivor: {name}\n    {listed[name]}" for name in survivors if name in listed]
    lines += [f"KILLED, though listed: {name}\n    by {by[name].name}" for name in listed if by.get(name)]  # type: ignore[union-attr]
    unlisted = [name for name in survivors if name not in listed]
    lines += [f"SURVIVES: {name}" for name in unlisted]
    lines += [f"RED without any mutant: {name}" for name in red]
    same = sum(listed.get(name, "").startswith("equivalent") for name in survivors)
    shown = sum(killer is not None and killer.scenario for killer in by.values())
    lines.append(f"{len(by)} mutants tried")
    if len(by) > same:
        killed = (
            f"{(len(by) - len(survivors)) / (len(by) - same):.1%} of the {len(by) - same} not equivalent killed in all"
        )
        lines[-1] += f": {shown / len(by):.1%} killed by scenarios alone, {killed}"
    return 2 if not by or red else 1 if unlisted else 0, "\n".join(lines)


def main() -> int:
    """Run a campaign; return the exit code of the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="so many mutants, chosen by the seed; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a part of a mutant's name, such as its file; may be repeated")
    parser.add_argument("-j", dest="workers", type=int, default=1, help="processes")
    parser.add_argument("--list", action="store_true", help="name the mutants only")
    given = parser.parse_args()
    every = [each for path in FILES for each in mutants(path, str(path.relative_to(ROOT)))]
    wanted = [each for each in every if any(part in each.name for part in given.only or [""])]
    wanted.sort(key=lambda each: hashlib.sha256(f"{given.seed} {each.name}".encode()).digest())
    campaign = Campaign(wanted[: given.sample or None], given.workers)
    if given.list:
        sys.stdout.writelines(sorted(f"{each.name}\n" for each in campaign.mutants))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        options = [*_PYTEST, f"--basetemp={folder}/tests", *(str(ROOT / "tests/unit" / each) for each in TESTS)]
        if campaign.mutants:
            pytest.main(options, plugins=[UnitTests(campaign.go)])
    reviewed = tomllib.loads(SURVIVORS.read_text("utf-8")).get("survivor", [])
    code, text = gate(campaign.by, {each["mutant"]: each["reason"] for each in reviewed}, campaign.red)
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
