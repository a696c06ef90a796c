"""Standard operators of mutation, over the syntax tree of a source."""

from __future__ import annotations

import ast
import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPPOSITES = {"admit": "refuse", "refuse": "admit", "ADMIT": "REFUSE", "REFUSE": "ADMIT"}
_QUANTIFIERS = {"any": "all", "all": "any"}
#: calls that only tell people something
_TELLING = ("note", "peer_fault")
#: operators whose outcome the name of a mutant shows
_SHOWN = ("opposite", "comparison", "and/or", "off by one", "operand dropped")
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Mutant:
    """One change: the `variant`-th of the `spot`-th place of a file. `name` says it and stays when lines move."""

    file: str
    scope: str
    spot: int
    variant: int
    name: str
    #: the name of the module that it gives another value, if it stands outside of functions
    assigns: str = ""


class Spot(NamedTuple):
    """A node that may be changed, where it hangs, and the statement around it with the list that holds that."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    scope: str
    statement: ast.stmt
    body: list[ast.stmt]
    #: whether the function may return None, which often means that nothing is refused
    may_return_none: bool

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _skipped(parent: ast.AST, field: str, node: ast.AST) -> bool:
    """Whether nothing under a node is enforcement: annotations, declarations, texts, and what is told to people."""
    match node:
        case ast.JoinedStr() | ast.arguments() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict"):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Expr(value=ast.Constant()):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return name in _TELLING
    if isinstance(parent, ast.Module):
        table = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)  # a table or a statement of SQL
        return table or not isinstance(node, (*_DEFS, ast.Assign, ast.AnnAssign))
    if isinstance(parent, ast.ClassDef):
        return not isinstance(node, _DEFS)
    return field in ("annotation", "returns", "decorator_list", "exc", "type_params", "ctx")


def _spots(
    parent: ast.AST,
    scope: str = "",
    statement: ast.stmt | None = None,
    body: list[ast.stmt] | None = None,
    *,
    none: bool = False,
) -> Iterator[Spot]:
    for field, value in ast.iter_fields(parent):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _skipped(parent, field, node):
                continue
            at, around = (node, value) if isinstance(node, ast.stmt) else (statement, body)
            if at is not None and around is not None:
                yield Spot(node, parent, field, index, scope, at, around, none)
            inner = f"{scope}.{node.name}".lstrip(".") if isinstance(node, _DEFS) else scope
            returns = getattr(node, "returns", None)
            nothing = "None" in ast.unparse(returns) if returns is not None else none
            yield from _spots(node, inner, at, around, none=nothing)


def _variants(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    yield from _values(spot.node)
    yield from _collections(spot)
    yield from _statements(spot)
    yield from _conditions(spot)


def _values(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Another value: of a constant, or of an expression that is true or false."""
    match node:
        case ast.Constant(value=bool(value)):
            yield "other constant", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield "off by one", ast.Constant(value + 1)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", node.operand
        case ast.BoolOp():
            yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for each in node.values:
                rest = [other for other in node.values if other is not each]
                yield "operand dropped", ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        case ast.Compare(ops=[op]):
            for other in _COMPARISONS[type(op)]:
                yield "comparison", ast.Compare(node.left, [other()], node.comparators)
        case ast.Attribute(attr=name) if name in _OPPOSITES:
            yield "opposite", ast.Attribute(node.value, _OPPOSITES[name], node.ctx)
        case ast.Call(func=ast.Name(id=name) as function) if name in _QUANTIFIERS:
            yield "opposite", ast.Call(ast.Name(_QUANTIFIERS[name], function.ctx), node.args, node.keywords)


def _collections(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """A collection without what is in it, and one of a module, or to look something up in, without one element."""
    node, outside = spot.node, not spot.scope
    match node:
        case ast.Set(elts=[_, *_]):
            yield "emptied", ast.Call(ast.Name("set", ast.Load()), [], [])
        case ast.List(elts=[_, *_], ctx=ast.Load()):
            yield "emptied", ast.List([], ast.Load())
        case ast.Tuple(elts=[_, *_], ctx=ast.Load()) if isinstance(spot.parent, ast.Compare):
            for each in node.elts:
                yield "element dropped", ast.Tuple([other for other in node.elts if other is not each], ast.Load())
        case ast.Dict(keys=[_, *_]):
            yield "emptied", ast.Dict([], [])
            for number in range(len(node.keys)) if outside else ():
                keep = [each for each in range(len(node.keys)) if each != number]
                yield "element dropped", ast.Dict([node.keys[i] for i in keep], [node.values[i] for i in keep])


def _statements(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """A statement left out; None returned for something."""
    match spot.node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign():
            yield "statement dropped", ast.Pass()
        case ast.Delete(targets=[ast.Subscript()]):
            yield "statement dropped", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) if spot.scope:
            yield "statement dropped", ast.Pass()
        case ast.Return(value=ast.AST() as value) if spot.may_return_none and not isinstance(value, ast.Constant):
            yield "nothing returned", ast.Return(ast.Constant(None))


def _conditions(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """A condition that is negated, or always holds, or never does."""
    if spot.field not in ("test", "guard", "ifs") or isinstance(spot.parent, ast.Assert):
        return
    inverted = isinstance(spot.node, ast.UnaryOp) or (isinstance(spot.node, ast.Compare) and len(spot.node.ops) == 1)
    if not inverted:
        yield "negated", ast.UnaryOp(ast.Not(), spot.node)
    if not isinstance(spot.parent, ast.While):
        yield "always", ast.Constant(True)
    yield "never", ast.Constant(False)


def _assigned(spot: Spot) -> str:
    match spot.statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if not spot.scope:
            return name
    return ""


def _told(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def _mutants(file: str, source: str) -> Iterator[Mutant]:
    seen: collections.Counter[str] = collections.Counter()
    for number, spot in enumerate(_spots(ast.parse(source))):
        for which, (operator, node) in enumerate(_variants(spot)):
            shown = (
                _told(node) if operator in ("opposite", "comparison", "and/or", "off by one", "operand dropped") else ""
            )
            name = f"{file} {spot.scope}: {operator}: {_told(spot.node)}" + (f" -> {shown}" if shown else "")
            seen[name] += 1
            again = f" ({seen[name]})" if seen[name] > 1 else ""
            yield Mutant(file, spot.scope, number, which, name + again, _assigned(spot))


def find(root: Path, targets: Sequence[str], left_out: Sequence[str]) -> list[Mutant]:
    """Return all mutants of the files that the patterns name, in their order."""
    files = sorted({path for pattern in targets for path in root.glob(pattern) if path.name not in left_out})
    return [each for path in files for each in _mutants(str(path.relative_to(root)), path.read_text("utf-8"))]


def applied(mutant: Mutant, source: str) -> tuple[ast.Module, ast.stmt]:
    """Return the tree with a mutant in it, and the statement that holds it."""
    tree = ast.parse(source)
    spot = list(_spots(tree))[mutant.spot]
    _, node = list(_variants(spot))[mutant.variant]
    spot.put(node)
    return tree, spot.statement


def recording(file: str, source: str, mutants: Sequence[Mutant]) -> ast.Module:
    """Return the tree of a file that calls `__reached__` with the numbers of the mutants in a statement, before it.

    A mutant of a name of a module is reached wherever a function uses that name.
    """
    tree = ast.parse(source)
    spots = list(_spots(tree))
    found: dict[int, tuple[ast.stmt, list[ast.stmt], list[int]]] = {}
    outside: dict[str, list[int]] = {}
    for number, mutant in enumerate(mutants):
        if mutant.scope and mutant.file == file:
            spot = spots[mutant.spot]
            found.setdefault(id(spot.statement), (spot.statement, spot.body, []))[2].append(number)
        elif not mutant.scope:
            outside.setdefault(mutant.assigns, []).append(number)
    for spot in spots:
        names = {each.id for each in ast.walk(spot.node) if isinstance(each, ast.Name)} & outside.keys()
        if isinstance(spot.node, (ast.FunctionDef, ast.AsyncFunctionDef)) and names:
            numbers = [number for name in names for number in outside[name]]
            first = spot.node.body[0]
            found.setdefault(id(first), (first, spot.node.body, []))[2].extend(numbers)
    for statement, body, numbers in found.values():
        call = ast.Call(ast.Name("__reached__", ast.Load()), [ast.Constant(tuple(numbers))], [])
        body.insert(
            next(i for i, each in enumerate(body) if each is statement), ast.copy_location(ast.Expr(call), statement)
        )
    return tree
