"""Mutates the rules and the procedures that enforce them, and looks who notices: scenarios first, then unit tests.

    python tests/bench/mutants.py --sample 60 --seed 1     # a sample; without --sample all of them, which takes hours
    python tests/bench/mutants.py --only simulators/hss    # text in file or name: a function, an operator
    python tests/bench/mutants.py --only hss.store: --show # print the chosen ones, run none

What is changed and how is in mutations.py. Everything is imported once; each mutant is a fork that puts its code in the
place of what is loaded, and runs what reaches the place: of a condition, what saw it other than the mutant has it.
The list mutants.toml is the gate: a survivor not on it fails, a run that tried no mutant, and one red by itself.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import collections
import functools
import gc
import hashlib
import importlib
import itertools
import os
import signal
import sys
import time
import tomllib
from multiprocessing import Pipe, connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import pytest
from mutations import Mutant, module_of, mutants, spots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Items = dict[str, Callable[[], bool]]

ROOT = Path(__file__).resolve().parents[2]
_ENFORCING = ("mme", "hss", "eir", "cmp", "sgw", "pgw", "smsc", "sms_gateway", "ssp", "scp", "pcrf", "ocs")
#: the rule book; what asks it, refuses by it and carries that out; and where cards and verdicts are kept
TARGETS = (
    *("src/simwarden/policy/*.py", *(f"src/simwarden/*/diameter/{name}.py" for name in ("server", "pcc_rules"))),
    *(f"src/simwarden/operations/{name}.py" for name in ("approval", "restriction")),
    *(f"simulators/{kind}/{inner}*.py" for kind in _ENFORCING for inner in ("", "[cdp]*/")),
    *(f"simulators/cmp/north/{name}.py" for name in ("camara", "rest")),
    *(f"simulators/uicc/{name}.py" for name in ("applet", "authentication", "card", "element", "pins")),
    *(f"simulators/device/{name}.py" for name in ("clients/card", "terminal")),
)
#: what is declared, and what refuses nobody: records, too, are of what was let pass
_NOT = ("config", "controls", "events", "requirements", "risk_scenes", "answers", "addresses", "charging", "inspection")
#: rules by which `classify` advises who orders or opens a card: no element asks them, and so no story reaches them
ADVICE = tuple(f"simwarden.policy.{name}:" for name in ("access_list", "classification", "need"))
FILES = sorted(str(at.relative_to(ROOT)) for each in TARGETS for at in ROOT.glob(each) if at.stem not in _NOT)
TESTS = (
    *("tests/unit/policy", "tests/unit/simulators", "tests/unit/runtime/test_pcc_rules.py"),
    *(f"tests/unit/operations/test_{name}.py" for name in ("approval", "restriction")),
)
#: other processes see no mutant; besides, what is marked `interop` is left out: a database server takes too long
TESTS_LEFT_OUT = ("cmp/test_managed.py", "cmp/test_delivery.py", "kill_9", "/broker/", "/enb/")
_PACKAGES = ("simulators.", "simwarden.policy.", "simwarden.operations.")
_PYTEST = ("-qs", "-pno:cacheprovider", "-pno:xdist", "--assert=plain")
#: seconds of processor time, and real ones, that one scenario or test may take
LIMIT, REAL_LIMIT = 15.0, 90.0


def parsed(file: str) -> ast.Module:
    """Return the tree of a file."""
    return ast.parse(Path(ROOT, file).read_text("utf-8"))


def watched(file: str) -> ast.Module:
    """Return a tree that calls `__reached__` with file and line at each statement, and with what each condition saw."""
    tree, reached = parsed(file), ast.Name("__reached__", ast.Load())
    for spot in [each for each in spots(tree) if each.is_test]:
        place = ast.Constant((file, spot.node.lineno, spot.node.col_offset))
        spot.holder[spot.key] = ast.copy_location(ast.Call(reached, [place, spot.node], []), spot.node)
    nodes = [each for each in ast.walk(tree) if not isinstance(each, (ast.Module, ast.ClassDef))]
    for inside in [getattr(node, field, None) for node in nodes for field in ("body", "orelse", "finalbody")]:
        for statement in list(inside) if isinstance(inside, list) else ():
            call = ast.Expr(ast.Call(reached, [ast.Constant((file, statement.lineno))], []))
            inside.insert(inside.index(statement), ast.copy_location(call, statement))
    return tree


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, str, int], CodeType]]:
    yield (code.co_filename, code.co_qualname, code.co_firstlineno), code
    for each in code.co_consts:
        yield from _codes(each) if isinstance(each, CodeType) else ()


def _loaded() -> list[Any]:
    """Return all functions of ours, and our caches, that hold what the code as it is has found."""
    ours, every = str(ROOT / "s"), gc.unfreeze() or gc.get_objects()  # also what the product has frozen
    caches = [each for each in every if isinstance(each, functools._lru_cache_wrapper)]
    return [
        *(each for each in every if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(ours)),
        *(each for each in caches if each.__module__.startswith(_PACKAGES)),
    ]


def put(file: str, tree: ast.Module, functions: list[Any]) -> None:
    """Put what a tree has in the place of what is loaded: code of functions, what a module assigns and makes of it."""
    codes = dict(_codes(compile(ast.fix_missing_locations(tree), str(ROOT / file), "exec")))
    for each in functions:
        if isinstance(each, FunctionType):
            key, _ = next(_codes(each.__code__))
            each.__code__ = codes.get(key, each.__code__)
        else:
            each.cache_clear()
    loaded = vars(importlib.import_module(module_of(file)))
    namespace, fresh = dict(loaded), set[str]()
    for before, now in zip(parsed(file).body, tree.body, strict=True):
        names = {each.id for each in ast.walk(now) if isinstance(each, ast.Name)}
        if isinstance(now, (ast.Assign, ast.AnnAssign)) and (ast.dump(before) != ast.dump(now) or fresh & names):
            exec(compile(ast.Module([now], []), file, "exec"), namespace)  # noqa: S102
            fresh |= {each for each in names if namespace.get(each) is not loaded.get(each)}
    for old, new in [(loaded[name], namespace[name]) for name in fresh]:
        for holder in [each for each in gc.get_referrers(old) if isinstance(each, dict) and each is not loaded]:
            holder.update((key, new) for key in [*holder] if holder[key] is old)
    loaded.update((name, namespace[name]) for name in fresh)


def _around(mutant: Mutant) -> set[str]:
    """Return the files that what a mutant changes may be used in: of what a module assigns, all of its element."""
    inside = Path(mutant.file).parts[:2]
    return {each for each in FILES if each == mutant.file or (not mutant.place[1:] and Path(each).parts[:2] == inside)}


def work(send: Callable[[Any], None], what: Mutant | set[str], items: Items) -> None:
    """Run scenarios and unit tests, with a mutant until one fails; tell time of each, and what it reaches in files."""
    seen = set[tuple[Any, ...]]()

    def reached(place: tuple[Any, ...], value: Any = None) -> Any:
        seen.add((*place, bool(value)) if place[2:] else place)
        return value

    vars(builtins)["__reached__"] = reached
    mutant, functions = what if isinstance(what, Mutant) else None, _loaded()
    for file in [mutant.file] if mutant else what:
        tree = parsed(file) if mutant else watched(file)
        next(None for each in mutants(file, tree) if each == mutant) if mutant else None
        put(file, tree, functions)
    for item, fails in items.items():
        signal.setitimer(signal.ITIMER_PROF, LIMIT)  # the signal ends who is late
        signal.setitimer(signal.ITIMER_REAL, REAL_LIMIT)
        send((item, True, 0.0, ()))
        seen.clear()
        began, failed = time.process_time(), fails()
        send((item, failed, time.process_time() - began, {*seen, *((file,) for file, *_ in seen)}))
        if mutant and failed:
            break


def forks(tasks: Iterator[tuple[Any, Items]], workers: int) -> Iterator[tuple[Any, list[Any]]]:
    """Do each task in a process of its own, some at a time; yield what it was and what it sent."""
    running = dict[Any, tuple[Any, list[Any], int]]()
    while True:
        for what, items in itertools.islice(tasks, workers - len(running)):
            receiver, sender = Pipe(duplex=False)
            if not (process := os.fork()):
                try:
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                    os.dup2(1, 2)
                    work(sender.send, what, items)
                finally:
                    os._exit(0)
            sender.close()
            running[receiver] = (what, [], process)
        if not running:
            return
        for receiver in connection.wait(running):
            what, sent, process = running[receiver]
            try:
                sent.append(receiver.recv())
            except EOFError:
                os.waitpid(process, 0)
                del running[receiver]
                yield what, sent


class Campaign:
    """A plugin of pytest, which tries mutants in the place of running the tests: what killed each, and what is red."""

    def __init__(self, tried: list[Mutant], workers: int) -> None:
        self.tried, self.workers, self.by, self.red = tried, workers, dict[str, str](), list[str]()
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def _fails(self, test: pytest.Item) -> bool:
        self._failed = False
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
        return self._failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from simwarden.scenario import suite
        from simwarden.scenario.load import Loader
        from simwarden.scenario.result import Verdict
        from simwarden.scenario.runner import RunOptions, run_scenario

        def fails(path: str) -> bool:
            return run_scenario(Loader().load(path), path, RunOptions(limit=REAL_LIMIT)).verdict is not Verdict.PASSED

        own = [each for each in session.items if each.get_closest_marker("interop") is None]
        tests = {each.nodeid: each for each in own if not any(word in each.nodeid for word in TESTS_LEFT_OUT)}
        for file in FILES:  # what is loaded later would have the code as it is
            importlib.import_module(module_of(file))
        self._try({job.reference: functools.partial(fails, job.reference) for job in suite.find(["scenarios"])})
        self._try({name: functools.partial(self._fails, test) for name, test in tests.items()})
        return True

    def _measure(self, files: set[str], items: Items) -> tuple[dict[str, float], dict[Any, set[str]]]:
        """Return how long each item takes, and what reaches each place in files."""
        seconds, red, reaching = dict[str, float](), dict[str, bool](), collections.defaultdict[Any, set[str]](set)
        parts = ((files, {name: items[name] for name in [*items][at :: self.workers]}) for at in range(self.workers))
        for _, sent in forks(parts, self.workers):
            for name, failed, took, places in sent:
                seconds[name], red[name] = took, failed
                for place in places:
                    reaching[place].add(name)
        self.red += [name for name in items if red.get(name, True)]  # also if it, or one before it, took too long
        return seconds, reaching

    def _try(self, items: Items) -> None:
        left, kills = [each for each in self.tried if not self.by.get(each.name)], collections.Counter[Any]()
        seconds, places = self._measure(set().union(*map(_around, left)), items) if left else ({}, {})

        def reaching(mutant: Mutant) -> set[str]:
            found = [mutant.place] if mutant.place[1:] else [(file,) for file in _around(mutant)]
            return set().union(*(places[place] for place in found))

        def tasks() -> Iterator[tuple[Mutant, Items]]:
            for mutant in left:
                order = sorted(reaching(mutant), key=lambda name: (-kills[mutant.file, name], seconds[name]))
                yield mutant, {name: items[name] for name in order}

        for mutant, sent in forks(tasks(), self.workers):
            killer = sent[-1][0] if sent and sent[-1][1] else ""
            is_made = bool(sent) or not reaching(mutant)
            if is_made:
                self.by[mutant.name] = killer
            kills[mutant.file, killer] += 1
            told = killer or ("survives so far" if is_made else "COULD NOT BE MADE")
            sys.stderr.write(f"{len(self.by)}/{len(self.tried)} {mutant.name}: {told}\n    {mutant.shown}\n")


def gate(by: dict[str, str], listed: dict[str, str], red: list[str], shown: dict[str, str]) -> tuple[int, str]:
    """Return the exit code (2: nothing was tried, or something is red by itself; 1: an unlisted survivor), and why."""
    survivors = sorted(name for name, killer in by.items() if not killer)
    unlisted = [f"SURVIVES: {name}\n    {shown[name]}" for name in survivors if name not in listed]
    lines = [f"listed survivor: {name}\n    {shown[name]}\n    {listed[name]}" for name in survivors if name in listed]
    lines += [f"KILLED, though listed: {name}\n    by {by[name]}" for name in sorted(listed) if by.get(name)]
    lines += [*unlisted, *(f"RED without any mutant: {name}" for name in red)]
    enforced = {name: killer for name, killer in by.items() if not name.startswith(ADVICE)}
    lines.append(f"{len(by)} mutants tried{_figures(by, listed)}")
    lines += [f"{len(enforced)} of them without rules that only advise{_figures(enforced, listed)}"] * bool(enforced)
    return 2 if not by or red else 1 if unlisted else 0, "\n".join(lines)


def _figures(by: dict[str, str], listed: dict[str, str]) -> str:
    """Return who noticed how many of mutants that are not equivalent."""
    killers = [killer for name, killer in by.items() if killer or not listed.get(name, "").startswith("equivalent")]
    shown, killed = sum(bool(each) and not each.startswith("tests/") for each in killers), sum(map(bool, killers))
    parts = f"{shown / len(killers):.1%} killed by scenarios alone, {killed / len(killers):.1%}" if killers else ""
    return f", of those not equivalent {parts} in all" if parts else ""


def main() -> int:
    """Run a campaign; return the exit code of the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many mutants, chosen by the seed; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of a mutant's file or name")
    parser.add_argument("--show", action="store_true", help="print the mutants and their code, run none")
    parser.add_argument("-j", dest="workers", type=int, default=1, help="processes")
    given = parser.parse_args()
    os.chdir(ROOT)
    every = [each for file in FILES for each in mutants(file, parsed(file))]
    every.sort(key=lambda each: hashlib.sha256(f"{given.seed} {each.name}".encode()).digest())
    wanted = [each for each in every if given.only in f"{each.file} {each.name}"][: given.sample]
    if given.show:
        sys.stdout.writelines(f"{each.name}\n    {each.shown}\n" for each in wanted)
        return 0
    reviewed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).get("survivor", [])
    campaign = Campaign(wanted, given.workers)
    if wanted:
        pytest.main([*_PYTEST, *TESTS], plugins=[campaign])
    listed, shown = {each["mutant"]: each["reason"] for each in reviewed}, {each.name: each.shown for each in wanted}
    code, text = gate(campaign.by, listed, campaign.red, shown)
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
