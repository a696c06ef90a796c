"""What `mutants.py` changes in a file: standard operators on what decides and what acts upon it.

Conditions and their parts, numbers compared, truth values, whether something is returned, what is looked up, and
statements that call, raise or write state; not what only tells people, nor declarations and the contents of messages.
"""

from __future__ import annotations

import ast
import collections
import copy
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        at.parent, ast.Compare)) and [type(n)(rest, *[ast.Load()] * isinstance(n, ast.Tuple))
            for rest in _less_one(n.elts) if rest]),
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


class Mutant(NamedTuple):
    """A mutant: its file, its name on the list, the present code of the change, and the place to reach for it.

    The name holds the function, the operator and the shape of the change (its code with all names and strings blanked),
    and a number if the function has several such changes. Renamed locals and edits of other lines do not affect it.
    """

    file: str
    name: str
    shown: str
    place: tuple[Any, ...]


def module_of(file: str) -> str:
    """Return the module name of a file."""
    return file.removeprefix("src/").removesuffix(".py").replace("/", ".")


def _code(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def _shape(node: ast.AST) -> str:
    """Return the code of a node with its names and strings blanked."""
    blank = copy.deepcopy(node)
    for each in ast.walk(blank):
        for field, value in ast.iter_fields(each):
            if isinstance(value, str | bytes):
                setattr(each, field, "_")
    return _code(blank)


def mutants(file: str, tree: ast.Module) -> Iterator[Mutant]:
    """Yield each mutant; while one is yielded, the tree is it."""
    found = list[tuple[Spot, str, Any, str]]()
    for spot, (operator, kind, others) in itertools.product(list(spots(tree)), OPERATORS):
        for other in (isinstance(spot.node, kind) and others(spot.node, spot)) or ():
            change = f"{_shape(spot.node)} -> {_shape(ast.fix_missing_locations(other))}"
            found.append((spot, operator, other, f"{module_of(file)}:{spot.scope}: {operator}: {change}"))
    alike, seen = collections.Counter(name for *_, name in found), collections.Counter[str]()
    for spot, operator, other, name in found:
        seen[name] += 1
        place = (file, *[spot.statement.lineno] * bool(spot.scope))  # what is no function is reached by the file
        if operator in ("always", "never"):
            place = (file, spot.node.lineno, spot.node.col_offset, operator == "never")
        shown = f"{file}:{spot.statement.lineno}: {_code(spot.node)} -> {_code(other)}"
        which = f" ({seen[name]} of {alike[name]})" * (alike[name] > 1)
        spot.holder[spot.key] = other
        yield Mutant(file, name + which, shown, place)
        spot.holder[spot.key] = spot.node
