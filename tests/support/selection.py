"""Which slow tests `.ci/run` runs: a fixed smoke set, and those that belong to what the change touches.

CI_BASE in the environment names the commit before the change. Without it no test is left out. The choice depends on the
change and on `.ci/smoke` alone: two runs at one commit run the same tests.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SMOKE: Final = ROOT / ".ci" / "smoke"
#: a change of more packages than these would bring in nearly all slow tests, which take over 25 minutes
MOST_PACKAGES: Final = 8
_IMPORT: Final = re.compile(r"^\s*(?:from ([\w.]+) import (.+)|import ([\w., ]+))", re.MULTILINE)


def smoke_set() -> tuple[str, ...]:
    """Return the beginnings of the node ids in `.ci/smoke`; blank lines and comments are skipped."""
    lines = (line.split("#")[0].strip() for line in SMOKE.read_text("utf-8").splitlines())
    return tuple(line for line in lines if line)


def changed_files(base: str) -> list[str]:
    """Return the files that differ from a commit. Raises CalledProcessError if git does not know it."""
    command = ["git", "diff", "--name-only", base]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - git on the path
    return done.stdout.split()


@cache
def imported_names(path: Path) -> frozenset[str]:
    """Return the dotted names that a file imports; of `from a import b` both `a` and `a.b`."""
    names: set[str] = set()
    for module, members, plain in _IMPORT.findall(path.read_text("utf-8")):
        names.update(name.strip().split(" ")[0] for name in plain.split(",") if name.strip())
        if module:
            names.add(module)
            names.update(f"{module}.{member}" for member in re.findall(r"\w+", members))
    return frozenset(names)


def module_of(path: str) -> str:
    """Return the dotted name of a Python file of ours: of a module in tests/support its bare name."""
    stem = path.removeprefix("src/").removeprefix("tests/support/").removesuffix(".py").removesuffix("/__init__")
    return stem.replace("/", ".")


def mirror_of(path: str) -> str:
    """Return the folder of the unit tests of a source file, from the root; empty for any other file."""
    for root, tests in (("src/simwarden/", "tests/unit/"), ("simulators/", "tests/unit/simulators/")):
        if path.startswith(root):
            return tests + path.removeprefix(root).split("/")[0] + "/"
    return "tests/unit/docs/" if path.startswith("docs/") else ""


def is_touched(test: str, changed: list[str]) -> bool:
    """Return True if a test file changed, tests a changed package, or imports a changed module, helpers included.

    Of a change of more than `MOST_PACKAGES` packages only changed test files count: `.ci/full` is for such a change.
    """
    packages = {mirror for path in changed if (mirror := mirror_of(path))}
    if test in changed or len(packages) > MOST_PACKAGES:
        return test in changed
    if any(map(test.startswith, packages)):
        return True
    modules = {module_of(path) for path in changed if path.endswith(".py")}
    names = imported_names(ROOT / test)
    helpers = [helper for name in names if (helper := ROOT / "tests" / "support" / f"{name}.py").exists()]
    return not modules.isdisjoint(names.union(*map(imported_names, helpers)))
