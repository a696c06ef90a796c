"""Which occasions a change touches: by the files that git says have changed."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simwarden.scenario.claims import Spot
    from simwarden.scenario.registry import Registry

_WORD = re.compile(r"\w+")


def changed_files(base: str) -> frozenset[Path]:
    """Return the files that differ from a commit, those that git does not follow too. Raises ConfigError."""
    top = Path(_git("rev-parse", "--show-toplevel").strip())
    names = _git("diff", "--name-only", base, "--") + _git("ls-files", "--others", "--exclude-standard", "--full-name")
    return frozenset(top / name for name in names.splitlines())


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise ConfigError(f"git does not tell what has changed: {said.strip()}") from error


def touched_by(files: frozenset[Path], registry: Registry) -> Callable[[Spot], bool]:
    """Return what tells the occasions of controls that changed files declare, rule or ask.

    A file of an element asks a control if it says its name; the controls of an element whose declarations changed, and
    those whose rule stands in a changed file, are touched whole.
    """

    @cache
    def words(kind: str) -> frozenset[str]:
        folder = _file_of(registry.kinds[kind].__module__).parent
        said = [path.read_text("utf-8") for path in files if path.suffix == ".py" and folder in path.parents]
        return frozenset(word for text in said for word in _WORD.findall(text))

    @cache
    def touches(kind: str, control: str) -> bool:
        held = next(each for each in registry.declaration(kind).controls if each.id == control)
        names = {name for name, value in _globals(registry.kinds[kind].__module__) if value is held}
        return _file_of(held.rule.__module__) in files or bool(names & words(kind))

    return lambda spot: touches(spot.kind, spot.control.id)


def _file_of(module: str) -> Path:
    return Path(str(sys.modules[module].__file__)).resolve()


def _globals(module: str) -> Iterator[tuple[str, object]]:
    """Yield what the modules of an element's package call their things."""
    package = module.rpartition(".")[0]
    for name, loaded in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            yield from list(vars(loaded).items())
