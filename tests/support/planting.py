"""Faults that are planted in the elements: a node of a function's syntax tree is replaced, for all of its callers."""

from __future__ import annotations
import __future__ as future

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def plant(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], *changes: tuple[str, str]) -> None:
    """Change a function in place. Of each change the first is an expression or statement that the function has once.

    `...` in it stands for anything, as the only argument of a call for any arguments. The second takes its place; there
    `...` is what was found. Layout and comments do not matter, but a node that is not there is an error.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for old, new in changes:
        planter = _Planter(old, new)
        planter.visit(tree)
        assert planter.found == 1, f"{function.__qualname__} has {planter.found} times: {old}"
    made: dict[str, Any] = {}
    flags = future.annotations.compiler_flag
    code = compile(ast.fix_missing_locations(tree), inspect.getfile(function), "exec", flags, dont_inherit=True)
    exec(code, function.__globals__, made)  # noqa: S102 - our own source
    monkeypatch.setattr(function, "__code__", made[function.__name__].__code__)


def _parsed(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


class _Planter(ast.NodeTransformer):
    """Replaces the nodes that a pattern fits."""

    def __init__(self, old: str, new: str) -> None:
        (statement,) = _parsed(old)
        self.pattern = statement.value if isinstance(statement, ast.Expr) else statement
        self.new, self.found = new, 0

    def visit(self, node: ast.AST) -> Any:
        whole = isinstance(node, ast.Expr) and isinstance(self.pattern, ast.expr)
        if not _fits(self.pattern, node.value if isinstance(node, ast.Expr) and whole else node):
            return self.generic_visit(node)
        self.found += 1
        if isinstance(node, ast.For):
            (made,) = _parsed(self.new)
            assert isinstance(made, ast.For)
            node.iter = made.iter
            return node
        made_all = [_Filled(node).visit(each) for each in _parsed(self.new)]
        return made_all if isinstance(node, ast.stmt) else made_all[0].value


class _Filled(ast.NodeTransformer):
    """Puts what was found in the place of `...`."""

    def __init__(self, found: ast.AST) -> None:
        self.found = found

    def visit_Expr(self, node: ast.Expr) -> Any:
        return self.found if isinstance(self.found, ast.stmt) and _is_any(node.value) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return self.found if _is_any(node) else node


def _is_any(node: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _fits(pattern: Any, node: Any) -> bool:
    if _is_any(pattern):
        return True
    if isinstance(pattern, list):
        return isinstance(node, list) and len(pattern) == len(node) and all(map(_fits, pattern, node))
    if not isinstance(pattern, ast.AST):
        return bool(pattern == node)
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, ast.Call) and isinstance(node, ast.Call) and [*map(_is_any, pattern.args)] == [True]:
        return _fits(pattern.func, node.func)
    skipped = ("ctx", "type_comment", *(("body", "orelse") if isinstance(pattern, ast.For) else ()))
    fields = (name for name in pattern._fields if name not in skipped)
    return all(_fits(getattr(pattern, name), getattr(node, name)) for name in fields)
