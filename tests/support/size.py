"""Print the size of the code base by package: `make size`.

A code line holds at least one token of code: blank lines, comments and docstrings do not count. YAML and JavaScript
lines are those that are neither blank nor comments. The last row shows how long the recorded `.ci/run` took.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
#: commit and wall-clock seconds of the last green `.ci/run`, which writes it
LAST_RUN: Final = ROOT / ".ci" / "last-run"
_NO_CODE: Final = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                lines.update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines


def code_lines(source: str) -> int:
    """Return the number of lines of Python that hold code; attribute docstrings are docstrings too."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - _docstring_lines(ast.parse(source)))


def text_lines(source: str, comment: str) -> int:
    """Return the number of lines that are neither blank nor a comment."""
    return sum(1 for line in source.splitlines() if line.strip() and not line.strip().startswith(comment))


def _package(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    depth = 3 if parts[0] == "src" else 2
    return "/".join(parts[: min(depth, len(parts) - 1)])


def python_sizes() -> Counter[str]:
    """Return the code lines of each package of `src`, `simulators` and `tests`."""
    sizes: Counter[str] = Counter()
    for folder in ("src", "simulators", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            sizes[_package(path)] += code_lines(path.read_text("utf-8"))
    return sizes


def _count(pattern: str, comment: str, *folders: str) -> tuple[int, int]:
    paths = [path for folder in folders for path in (ROOT / folder).rglob(pattern)]
    return len(paths), sum(text_lines(path.read_text("utf-8"), comment) for path in paths)


def report() -> str:
    """Return the table that `make size` prints."""
    sizes = python_sizes()
    rows = [f"{package:32} {lines:8,}" for package, lines in sorted(sizes.items())]
    product = sum(lines for package, lines in sizes.items() if not package.startswith("tests"))
    rows += ["", f"{'product, Python':32} {product:8,}", f"{'tests, Python':32} {sizes.total() - product:8,}"]
    for title, (files, lines) in {
        "scenarios, YAML": _count("*.yaml", "#", "scenarios"),
        "other YAML": _count("*.yaml", "#", "src", "simulators", "docker"),
        "JavaScript": _count("*.js", "//", "src"),
    }.items():
        rows.append(f"{title:32} {lines:8,}  in {files:,} files")
    if LAST_RUN.exists():
        commit, seconds = LAST_RUN.read_text("utf-8").split()
        rows.append(f"{'last .ci/run, seconds':32} {int(seconds):8,}  at {commit[:12]}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(report())
