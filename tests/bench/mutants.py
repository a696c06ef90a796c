"""Mutates the rules and the procedures that enforce them, and looks who notices: scenarios first, then unit tests.

    python tests/bench/mutants.py --sample 60 --seed 1     # a sample; without --sample all of them, which takes hours
    python tests/bench/mutants.py --only simulators/hss    # those whose name has this in it: a file, an operator

Mutated is what decides and what acts upon it: conditions and their parts, numbers compared, truth values, whether
something is returned, what is looked up, and statements that call, raise or write state; not what only tells people,
nor declarations and the contents of messages. Each mutant is a process of its own, which runs what reaches it.
The list mutants.toml is the gate: a survivor not on it fails, a run that tried no mutant, and one red by itself.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import collections
import contextlib
import hashlib
import importlib.machinery
import itertools
import multiprocessing
import os
import signal
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Choose = Callable[[list[str]], list[str]]
    Each = Callable[[str, Callable[[], bool]], None]

ROOT = Path(__file__).resolve().parents[2]
#: the rule book; what asks it, refuses by it and carries that out; and where cards and verdicts are kept
TARGETS = (
    *("src/simwarden/policy/*.py", "src/simwarden/*/diameter/server.py", "src/simwarden/*/approval.py"),
    *(f"simulators/{kind}/{inner}*.py" for kind in ("mme", "hss", "eir", "cmp") for inner in ("", "[cdp]*/")),
    *(f"simulators/cmp/north/{name}.py" for name in ("camara", "rest")),
    *(f"simulators/uicc/{name}.py" for name in ("applet", "authentication", "card", "element", "pins")),
    *(f"simulators/device/{name}.py" for name in ("clients/card", "terminal")),
)
#: what is declared, and what refuses nobody
_NOT = ("config", "controls", "events", "requirements", "classification", "risk_scenes", "answers", "addresses")
FILES = sorted(str(at.relative_to(ROOT)) for each in TARGETS for at in ROOT.glob(each) if at.stem not in _NOT)
TESTS = ("tests/unit/policy", "tests/unit/simulators", "tests/unit/operations/test_approval.py")
#: other processes see no mutant, and a database server takes too long
TESTS_LEFT_OUT = ("test_managed.py", "test_stores.py", "test_delivery.py", "postgresql", "kill_9", "/broker/", "/enb/")
_PYTEST = ("-qs", "-pno:cacheprovider", "-pno:xdist", "--assert=plain")
#: seconds of processor time, and real ones, that one scenario or test may take
LIMIT, REAL_LIMIT = 15.0, 90.0
_PAIRS = ("Eq NotEq", "Lt GtE", "LtE Gt", "In NotIn", "Is IsNot", "admit refuse", "ADMIT REFUSE", "any all")
_OPPOSITE = {one: other for pair in _PAIRS for one, other in itertools.permutations(pair.split())}
_NEXT = {"Lt": "LtE", "LtE": "Lt", "Gt": "GtE", "GtE": "Gt"}
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Spot(NamedTuple):
    """A node that may be changed, where it hangs, the statement around it, and whether its function may return None."""

    node: Any
    parent: ast.AST
    holder: Any
    key: Any
    is_test: bool
    scope: str
    statement: ast.stmt
    returns_none: bool


def _less_one(items: list[Any]) -> list[list[Any]]:
    return [[*items[:at], *items[at + 1 :]] for at in range(len(items))]


#: name, kind of node, and what it puts in the node's place, if anything
OPERATORS: list[tuple[str, Any, Callable[[Any, Spot], Any]]] = [
    ("other constant", ast.Constant, lambda n, _: isinstance(n.value, bool) and [ast.Constant(not n.value)]),
    ("off by one", ast.Constant, lambda n, at: type(n.value) is int and isinstance(at.parent, ast.Compare) and [
        ast.Constant(n.value + 1)]),
    ("not dropped", ast.UnaryOp, lambda n, _: isinstance(n.op, ast.Not) and [n.operand]),
    ("and/or", ast.BoolOp, lambda n, _: [ast.BoolOp(ast.Or() if isinstance(n.op, ast.And) else ast.And(), n.values)]),
    ("operand dropped", ast.BoolOp, lambda n, _: [
        ast.BoolOp(n.op, rest) if len(rest) > 1 else rest[0] for rest in _less_one(n.values)]),
    ("comparison", ast.Compare, lambda n, _: [
        ast.Compare(n.left, [*n.ops[:at], getattr(ast, name)(), *n.ops[at + 1 :]], n.comparators)
        for at, each in enumerate(n.ops) for table in (_OPPOSITE, _NEXT) if (name := table.get(type(each).__name__))]),
    ("opposite", ast.Attribute, lambda n, _: n.attr in ("admit", "refuse", "ADMIT", "REFUSE") and [
        ast.Attribute(n.value, _OPPOSITE[n.attr], n.ctx)]),
    ("opposite", ast.Call, lambda n, _: getattr(n.func, "id", "") in ("any", "all") and [
        ast.Call(ast.Name(_OPPOSITE[n.func.id], n.func.ctx), n.args, [])]),
    ("dropped", (ast.Raise, ast.AugAssign), lambda *_: [ast.Pass()]),
    ("dropped", ast.Expr, lambda n, _: isinstance(n.value, (ast.Call, ast.Await)) and [ast.Pass()]),
    ("dropped", (ast.Assign, ast.Delete), lambda n, at: at.scope and isinstance(
        n.targets[0], (ast.Attribute, ast.Subscript)) and [ast.Pass()]),
    ("nothing returned", ast.Return, lambda n, at: at.returns_none and not isinstance(
        n.value, ast.Constant | None) and [ast.Return(ast.Constant(None))]),
    ("element dropped", (ast.Tuple, ast.Set), lambda n, at: (isinstance(n, ast.Set) or isinstance(
        at.parent, ast.Compare)) and [type(n)(rest) for rest in _less_one(n.elts) if rest]),
    ("element dropped", ast.Dict, lambda n, at: not at.scope and [
        ast.Dict(*rest) for rest in zip(_less_one(n.keys), _less_one(n.values), strict=True) if rest[0]]),
    ("always", ast.expr, lambda _, at: at.is_test and not isinstance(at.parent, ast.While) and [ast.Constant(True)]),
    ("never", ast.expr, lambda _, at: at.is_test and [ast.Constant(False)]),
]  # fmt: skip


def _left_alone(parent: ast.AST, field: str, node: ast.AST) -> bool:
    """Whether nothing under a node decides or acts: annotations, declarations, texts, what is told to people."""
    called = getattr(getattr(node, "value", node), "func", None)
    if isinstance(parent, ast.Module):  # what is called there makes a pattern, a table of a database...
        made = called is not None and getattr(called, "id", "") != "frozenset"
        return made or not isinstance(node, (*_DEFS, ast.Assign, ast.AnnAssign))
    if isinstance(parent, ast.ClassDef):
        return not isinstance(node, _DEFS)
    told = getattr(called, "attr", "") in ("note", "peer_fault") or getattr(node, "arg", "") == "strict"
    texts = told or isinstance(node, (ast.JoinedStr, ast.arguments))
    return texts or field in ("annotation", "returns", "decorator_list", "exc", "type_params", "ctx")


def spots(parent: ast.AST, scope: str = "", statement: ast.stmt | None = None, *, none: bool = False) -> Iterator[Spot]:
    """Yield all places of a tree in their order."""
    for field, value in ast.iter_fields(parent):
        holder, keys = (value, range(len(value))) if isinstance(value, list) else (vars(parent), [field])
        for key, node in [(key, holder[key]) for key in keys]:
            if isinstance(node, ast.AST) and not _left_alone(parent, field, node):
                at = node if isinstance(node, ast.stmt) else statement
                if at is not None:
                    is_test = field in ("test", "guard", "ifs") and not isinstance(parent, ast.Assert)
                    yield Spot(node, parent, holder, key, is_test, scope, at, none)
                inner = f"{scope}.{node.name}".lstrip(".") if isinstance(node, _DEFS) else scope
                returns = getattr(node, "returns", None)
                yield from spots(node, inner, at, none="None" in ast.unparse(returns) if returns else none)


def mutants(file: str, tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Yield file, name and line of each mutant; while one is yielded, the tree is it. Lines may move, names do not."""
    seen = collections.Counter[str]()
    for spot in list(spots(tree)):
        for operator, kind, others in OPERATORS:
            for other in (isinstance(spot.node, kind) and others(spot.node, spot)) or ():
                texts = [" ".join(ast.unparse(ast.fix_missing_locations(each)).split()) for each in (spot.node, other)]
                name = f"{file} {spot.scope}: {operator}: " + " -> ".join(text[:90] for text in texts)
                seen[name] += 1
                spot.holder[spot.key] = other
                yield file, name + f" ({seen[name]})" * (seen[name] > 1), spot.statement.lineno if spot.scope else 0
                spot.holder[spot.key] = spot.node


def changed(file: str, wanted: str) -> ast.Module:
    """Return the tree of a mutant; for no name, one that calls `__reached__` with file and line at each statement."""
    tree = ast.parse(Path(ROOT, file).read_text("utf-8"))
    nodes = [each for each in ast.walk(tree) if not wanted and not isinstance(each, (ast.Module, ast.ClassDef))]
    for inside in [getattr(node, field, None) for node in nodes for field in ("body", "orelse", "finalbody")]:
        for statement in list(inside) if isinstance(inside, list) else ():
            call = ast.Call(ast.Name("__reached__", ast.Load()), [ast.Constant((file, statement.lineno))], [])
            inside.insert(inside.index(statement), ast.copy_location(ast.Expr(call), statement))
    if wanted:
        next(None for _, name, _ in mutants(file, tree) if name == wanted)
    return ast.fix_missing_locations(tree)


class UnitTests:
    """A plugin of pytest, which lets the chosen ones be run by `each`: it gets the name, and what tells if it fails."""

    def __init__(self, choose: Choose, each: Each) -> None:
        self._choose, self._each, self._failed = choose, each, False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        found = {each.nodeid: each for each in session.items if not any(word in each.nodeid for word in TESTS_LEFT_OUT)}
        for name in self._choose(list(found)):
            self._each(name, partial(self._fails, found[name]))
        return True

    def _fails(self, test: pytest.Item) -> bool:
        self._failed = False
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
        return self._failed


def work(send: Callable[[Any], None], files: list[str], wanted: str, items: list[str] | slice) -> None:
    """Run scenarios and unit tests in this process, with a mutant until one fails; tell time and reach of each."""
    paths, plain = {str(ROOT / file): file for file in files}, importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, name: str) -> Any:
        file = paths.get(self.path)
        return plain(self, name) if file is None else compile(changed(file, wanted), self.path, "exec")

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    seen = set[tuple[str, int]]()
    vars(builtins)["__reached__"] = seen.add  # what is imported runs, too
    from simwarden.scenario import suite
    from simwarden.scenario.load import Loader
    from simwarden.scenario.result import Verdict
    from simwarden.scenario.runner import RunOptions, run_scenario

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    loader, options = Loader(), RunOptions(limit=LIMIT)

    def choose(names: list[str]) -> list[str]:
        return names[items] if isinstance(items, slice) else [item for item in items if item in names]

    def each(item: str, fails: Callable[[], bool]) -> None:
        signal.setitimer(signal.ITIMER_PROF, LIMIT)  # the signal ends who is late
        signal.setitimer(signal.ITIMER_REAL, REAL_LIMIT)
        send((item, True, 0.0, ()))
        seen.clear()
        began, failed = time.process_time(), fails()
        send((item, failed, time.process_time() - began, {(file, at) for file, line in seen for at in (line, 0)}))
        if wanted and failed:
            os._exit(0)

    for path in choose([job.path for job in suite.find(["scenarios"])]):
        each(path, lambda path=path: run_scenario(loader.load(path), path, options).verdict is not Verdict.PASSED)  # type: ignore[misc]
    tests = TESTS if isinstance(items, slice) else {item.partition("::")[0] for item in items if "::" in item}
    if tests:
        pytest.main([*_PYTEST, *tests], plugins=[UnitTests(choose, each)])


def do(*task: Any) -> list[Any]:
    """Work in a process of its own, and return what it sends."""
    context, sent = multiprocessing.get_context("forkserver"), list[Any]()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(sender.send, *task))
    process.start()
    sender.close()
    with contextlib.suppress(EOFError):
        while True:
            sent.append(receiver.recv())
    process.join()
    return sent


def campaign(tried: list[tuple[str, str, int]], workers: int) -> tuple[dict[str, str], list[str]]:
    """Try mutants; return what killed each that could be made (nothing: it survives), and what is red without any."""
    failed, seconds, by = dict[str, bool](), dict[str, float](), dict[str, str]()
    reaching = collections.defaultdict[tuple[str, int], set[str]](set)  # line 0: what is outside of functions

    def attempt(mutant: tuple[str, str, int]) -> None:
        file, name, line = mutant
        items = sorted(reaching[file, line], key=lambda item: ("::" in item, seconds[item]))
        sent = do([file], name, items) if items else [("", False)] if seconds else []
        if sent:
            by[name] = sent[-1][0] if sent[-1][1] else ""
        sys.stderr.write(f"{len(by)}/{len(tried)} {name}: {by.get(name, 'not made') or 'SURVIVES'}\n")

    with ThreadPoolExecutor(workers) as pool:
        for sent in pool.map(lambda at: do(FILES, "", slice(at, None, workers)), range(workers)):
            for item, failed[item], seconds[item], reached in sent:
                for place in reached:
                    reaching[place].add(item)
        list(pool.map(attempt, tried))
    return by, [item for item in failed if failed[item]]


def gate(by: dict[str, str], listed: dict[str, str], red: list[str]) -> tuple[int, str]:
    """Return the exit code (2: nothing was tried, or something is red by itself; 1: an unlisted survivor), and why."""
    survivors = sorted(name for name, killer in by.items() if not killer)
    unlisted = [f"SURVIVES: {name}" for name in survivors if name not in listed]
    lines = [f"listed survivor: {name}\n    {listed[name]}" for name in survivors if name in listed]
    lines += [f"KILLED, though listed: {name}\n    by {by[name]}" for name in sorted(listed) if by.get(name)]
    lines += [*unlisted, *(f"RED without any mutant: {name}" for name in red)]
    others = len(by) - sum(listed.get(name, "").startswith("equivalent") for name in survivors) or 1
    shown = sum(bool(killer) and "::" not in killer for killer in by.values()) / others
    told = f"{shown:.1%} killed by scenarios alone, {(len(by) - len(survivors)) / others:.1%} in all"
    lines.append(f"{len(by)} mutants tried" + f", of those not equivalent {told}" * bool(by))
    return 2 if not by or red else 1 if unlisted else 0, "\n".join(lines)


def main() -> int:
    """Run a campaign; return the exit code of the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many mutants, chosen by the seed; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of a mutant's name, such as its file")
    parser.add_argument("-j", dest="workers", type=int, default=1, help="processes")
    given = parser.parse_args()
    os.chdir(ROOT)
    every = [each for file in FILES for each in mutants(file, ast.parse(Path(file).read_text("utf-8")))]
    every.sort(key=lambda each: hashlib.sha256(f"{given.seed} {each[1]}".encode()).digest())
    wanted = [each for each in every if given.only in each[1]][: given.sample]
    reviewed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).get("survivor", [])
    by, red = campaign(wanted, given.workers) if wanted else ({}, [])
    code, text = gate(by, {each["mutant"]: each["reason"] for each in reviewed}, red)
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
