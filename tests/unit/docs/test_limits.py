"""The page of limits names each bounded table in the code, with its bound."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from simwarden.machine.diameter_shared import Answers
from simwarden.runtime.transport.reception import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "limits.md").read_text("utf-8")
#: parts of the code that keep state for peers and devices
OURS: Final = ("machine", "runtime", "operations", "trace", "web")
FOLDERS: Final = (*(f"src/simwarden/{each}" for each in OURS), "simulators")
#: names of constants that bound tables
BOUND: Final = re.compile(r"_?(MOST|MOST_\w+|BOUNDS?|REMEMBERED|LATELY)")


def rows(mark: str) -> list[list[str]]:
    """Return the rows of the table behind a mark of the page."""
    table = PAGE.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


TABLES: Final = rows("tables")
OTHERS: Final = rows("others")
NAMED: Final = {row[1].strip(" `"): row[2].strip() for row in (*TABLES, *OTHERS)}


def bounds_in(path: Path) -> Iterator[str]:
    """Yield the constants with which a file compares a number of entries."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Compare):
            inner = [*ast.walk(node)]
            if any(isinstance(each, ast.Call) and ast.unparse(each.func) in ("len", "sum") for each in inner):
                names = [each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in inner]
                yield from (name for name in names if BOUND.fullmatch(name))
        elif isinstance(node, ast.keyword) and node.arg == "maxlen":
            yield ast.unparse(node.value)


def found_in_code() -> set[str]:
    """Return each bound in the code as the page names it."""
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            shown = str(path.relative_to(ROOT)).removeprefix("src/simwarden/").removeprefix("simulators/")
            found |= {f"{shown}: {name}" for name in bounds_in(path)}
    return found


def value_of(named: str) -> Any:
    """Return the bound that the code has for a constant of the page."""
    shown, _, name = named.partition(": ")
    package = "simwarden" if (ROOT / "src/simwarden" / shown).is_file() else "simulators"
    module = importlib.import_module(f"{package}.{shown.removesuffix('.py').replace('/', '.')}")
    if name == "limit":
        return inspect.signature(Answers).parameters[name].default
    values: dict[str, Any] = dict(vars(module))
    for owner in (*filter(inspect.isclass, vars(module).values()), Limits):
        values |= {**vars(owner), **getattr(owner, "_field_defaults", {})}
        values |= {key: field.default for key, field in getattr(owner, "model_fields", {}).items()}
    value = values[name]
    return sum(value.values()) if isinstance(value, dict) else value


def test_each_bounded_table_of_the_code_is_on_the_page() -> None:
    found = found_in_code()
    assert len(found) > 25
    assert sorted(found - set(NAMED)) == []


@pytest.mark.parametrize("named", NAMED)
def test_the_page_has_the_bound_of_the_code(named: str) -> None:
    assert NAMED[named] == f"{value_of(named):,}"


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row[1])
def test_a_row_says_what_happens_and_who_can_cause_it(row: list[str]) -> None:
    assert len(row) == 5
    assert all(row)
