"""What files of a package import of each other, read from their source: lazy imports too, those for types alone not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Imports = dict[str, set[str]]

#: the files of an element, or folders of files, each above all that it may import; others stand where they fit
ORDER = ("element", "parts", "dispatch", "procedures", "clients", "contexts", "store", "config", "controls")


def imports_of(folder: Path, package: str) -> Imports:
    """Return which modules of a package each of its modules imports; a package's own `__init__` counts as a module."""
    files = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        files[".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return {name: set(_imported(path, name, files)) - {name} for name, path in files.items()}


def _imported(path: Path, module: str, known: Mapping[str, Path]) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _that_run(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join((*above, *([node.module] if node.module else [])))
            for each in node.names:
                inner = f"{source}.{each.name}"
                yield from (name for name in (inner if inner in known else source,) if name in known)


def _that_run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from (other, *_that_run(other))
        else:
            yield child
            yield from _that_run(child)


def circles(imports: Imports) -> list[str]:
    """Return the modules that need themselves, by way of others, in words."""
    return [f"{' > '.join(way)} > {name}" for name in imports if (way := _way(imports, name, name))]


def climbs(imports: Imports, package: str) -> list[str]:
    """Return where a file of an element reaches one that stands above it in the order, in words."""
    found = []
    for low in imports:
        for high in imports:
            ranks = [_rank(each, package) for each in (low, high)]
            if None not in ranks and ranks[0] > ranks[1] and (way := _way(imports, low, high)):  # type: ignore[operator]
                found.append(f"{' > '.join(way)} > {high}")
    return found


def _rank(module: str, package: str) -> int | None:
    place = module.removeprefix(f"{package}.").partition(".")[0]
    return ORDER.index(place) if place in ORDER else None


def _way(imports: Imports, start: str, end: str) -> list[str]:
    """Return the shortest way of imports from one module to another, without its end; nothing where there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for name in sorted(imports[way[-1]] - seen):
            if name == end:
                return way
            seen.add(name)
            ways.append([*way, name])
    return []


def strangers(folder: Path, package: str, packages: list[str]) -> list[str]:
    """Return where a package names another one of `packages`, for types too, in words."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                source = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                names = [f"{source}{each.name}." for each in node.names]
                others = [each for each in packages if each != package and any(n.startswith(f"{each}.") for n in names)]
                found |= {f"{path.relative_to(folder)} > {each}" for each in others}
    return sorted(found)
