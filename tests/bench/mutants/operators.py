"""Standard operators of mutation, over the syntax tree of a source."""

from __future__ import annotations

import ast
import collections
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEGATED = ["Eq", "NotEq", "Lt", "GtE", "LtE", "Gt", "In", "NotIn", "Is", "IsNot"]
_NEXT = {"Lt": "LtE", "LtE": "Lt", "Gt": "GtE", "GtE": "Gt"}
_OPPOSITES = {"admit": "refuse", "refuse": "admit", "ADMIT": "REFUSE", "REFUSE": "ADMIT", "any": "all", "all": "any"}
#: calls that only tell people something
_TELLING = ("note", "peer_fault")
#: operators whose outcome the name of a mutant shows
_SHOWN = ("opposite", "comparison", "and/or", "off by one", "operand dropped")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFS = (*_FUNCTIONS, ast.ClassDef)


class Mutant(NamedTuple):
    """One change: a file's tree by the `variant`-th of its `spot`-th place; `name` says it, and stays as lines move."""

    file: str
    spot: int
    variant: int
    name: str
    #: the line of its statement, which reaches it; outside of functions the name of the module that gets another value
    line: int
    assigns: str


class Spot(NamedTuple):
    """A node that may be changed, where it hangs, and the statement around it."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    scope: str
    statement: ast.stmt
    #: whether the function may return None, which often means that nothing is refused
    may_return_none: bool


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


def spots(parent: ast.AST, scope: str = "", statement: ast.stmt | None = None, none: bool = False) -> Iterator[Spot]:  # noqa: FBT001, FBT002
    """Yield all places of a tree in their order."""
    for field, value in ast.iter_fields(parent):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not _skipped(parent, field, node):
                at = node if isinstance(node, ast.stmt) else statement
                if at is not None:
                    yield Spot(node, parent, field, index, scope, at, none)
                inner = f"{scope}.{node.name}".lstrip(".") if isinstance(node, _DEFS) else scope
                returns = getattr(node, "returns", None)
                yield from spots(node, inner, at, "None" in ast.unparse(returns) if returns is not None else none)


def variants(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """Yield what may be put in a place, with the operator's name."""
    yield from _values(spot.node)
    yield from _collections(spot)
    match spot.node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign() | ast.Delete([ast.Subscript()]):
            yield "statement dropped", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) if spot.scope:
            yield "statement dropped", ast.Pass()
        case ast.Return(value=ast.AST() as value) if spot.may_return_none and not isinstance(value, ast.Constant):
            yield "nothing returned", ast.Return(ast.Constant(None))
    if spot.field in ("test", "guard", "ifs") and not isinstance(spot.parent, ast.Assert):
        if not isinstance(spot.node, ast.UnaryOp) and len(getattr(spot.node, "ops", "no")) != 1:
            yield "negated", ast.UnaryOp(ast.Not(), spot.node)
        if not isinstance(spot.parent, ast.While):
            yield "always", ast.Constant(True)
        yield "never", ast.Constant(False)


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
            name = type(op).__name__
            for other in filter(None, (_NEXT.get(name), _NEGATED[_NEGATED.index(name) ^ 1])):
                yield "comparison", ast.Compare(node.left, [getattr(ast, other)()], node.comparators)
        case ast.Attribute(attr=name) if name in _OPPOSITES and name not in ("any", "all"):
            yield "opposite", ast.Attribute(node.value, _OPPOSITES[name], node.ctx)
        case ast.Call(func=ast.Name(id="any" | "all" as name) as function):
            yield "opposite", ast.Call(ast.Name(_OPPOSITES[name], function.ctx), node.args, node.keywords)


def _collections(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """A collection without what is in it, and one of a module, or to look something up in, without one element."""
    match spot.node:
        case ast.Set(elts=[_, *_]):
            yield "emptied", ast.Call(ast.Name("set", ast.Load()), [], [])
        case ast.List(elts=[_, *_], ctx=ast.Load()):
            yield "emptied", ast.List([], ast.Load())
        case ast.Tuple(elts=[_, *_] as items, ctx=ast.Load()) if isinstance(spot.parent, ast.Compare):
            for each in items:
                yield "element dropped", ast.Tuple([other for other in items if other is not each], ast.Load())
        case ast.Dict(keys=[_, *_] as keys, values=values):
            yield "emptied", ast.Dict([], [])
            for number in range(len(keys)) if not spot.scope else ():
                at = [each for each in range(len(keys)) if each != number]
                yield "element dropped", ast.Dict([keys[i] for i in at], [values[i] for i in at])


def _told(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def mutants(path: Path, file: str) -> Iterator[Mutant]:
    """Yield all mutants of a file in their order."""
    seen: collections.Counter[str] = collections.Counter()
    for number, spot in enumerate(spots(ast.parse(path.read_text("utf-8")))):
        match spot.statement:
            case ast.Assign(targets=[ast.Name(id=named)]) | ast.AnnAssign(target=ast.Name(id=named)) if not spot.scope:
                assigns = named
            case _:
                assigns = ""
        for which, (operator, other) in enumerate(variants(spot)):
            shown = f" -> {_told(other)}" if operator in _SHOWN else ""
            name = f"{file} {spot.scope}: {operator}: {_told(spot.node)}{shown}"
            seen[name] += 1
            yield Mutant(
                file,
                number,
                which,
                name + (f" ({seen[name]})" if seen[name] > 1 else ""),
                spot.statement.lineno,
                assigns,
            )


def put(mutant: Mutant, source: str) -> ast.Module:
    """Return the tree of a source with a mutant in it; outside of functions only the statement that holds it."""
    tree = ast.parse(source)
    spot = list(spots(tree))[mutant.spot]
    node = list(variants(spot))[mutant.variant][1]
    if spot.index is None:
        setattr(spot.parent, spot.field, node)
    else:
        getattr(spot.parent, spot.field)[spot.index] = node
    return ast.fix_missing_locations(ast.Module([spot.statement], []) if mutant.assigns else tree)


def telling(file: str, source: str) -> ast.Module:
    """Return the tree of a source that calls `__reached__` with the file and the line before each statement."""
    tree = ast.parse(source)
    for node in [each for each in ast.walk(tree) if not isinstance(each, (ast.Module, ast.ClassDef))]:
        for field in ("body", "orelse", "finalbody"):
            inside = getattr(node, field, None)
            for statement in list(inside) if isinstance(inside, list) else ():
                call = ast.Call(ast.Name("__reached__", ast.Load()), [ast.Constant((file, statement.lineno))], [])
                inside.insert(inside.index(statement), ast.copy_location(ast.Expr(call), statement))
    return ast.fix_missing_locations(tree)
