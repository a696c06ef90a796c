"""The scenarios that come with simwarden: in the wheel, or in the repository around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import simwarden
from simwarden.errors import ConfigError, Place
from simwarden.scenario import suite
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.campaign.matrix.plan import Plan

#: the keys of a story that tell what it is, each with the lines that belong to it
_HEAD: Final = re.compile(r"^(?:scenario|proves|tags)[ \t]*:.*\n(?:(?:[ \t#-].*)?\n)*", re.MULTILINE)


class Story(NamedTuple):
    """What a shipped scenario says of itself."""

    name: str
    path: str
    title: str
    tags: tuple[str, ...]
    proves: tuple[str, ...]


def stories(word: str = "") -> Iterator[Story]:
    """Read what the shipped scenarios say of themselves, and no more of them: they are as they were checked.

    With a word only of those that say it.
    """
    from simwarden.scenario.load import read_file  # noqa: PLC0415 - as the next one
    from simwarden.scenario.problems import Problems  # noqa: PLC0415 - few commands ask for it
    from simwarden.scenario.yamlfile import read  # noqa: PLC0415

    for job in suite.find([str(shipped())]):
        head = "".join(found[0] for found in _HEAD.finditer(read_file(job.path)))
        if word not in head:
            continue
        data = read(head, job.path, Problems()).data
        told = data if isinstance(data, dict) else {}
        yield Story(
            job.name, job.path, str(told.get("scenario", "")), *(tuple(told.get(key, ())) for key in ("tags", "proves"))
        )


def shipped() -> Path:
    """Return the folder of shipped scenarios. Raises ConfigError where they are missing."""
    package = Path(simwarden.__file__).parent
    for folder in (package / "shipped_scenarios", package.parent.parent / "scenarios"):
        if folder.is_dir():
            return folder
    raise ConfigError("the shipped scenarios are missing; install simwarden again")


def located(paths: Iterable[str]) -> list[str]:
    """Return paths with those of shipped scenarios in the place of their names, as `list` has them or shorter.

    What is there under a path is that: `moved-card`, `demo-moved-card`, `demo/moved-card.yaml` and `demo` name shipped
    scenarios where no file or folder is called so. Raises ConfigError for what is neither.
    """
    return [each for path in paths for each in ([path] if path and Path(path).exists() else _shipped_as(path))]


def _shipped_as(name: str) -> list[str]:
    root = shipped()
    if not name:
        raise ConfigError("a file, a folder or the name of a shipped scenario is expected, not ''")
    if not Path(name).is_absolute() and ".." not in Path(name).parts and (root / name).exists():
        return [str(root / name)]
    jobs = suite.find([str(root)])
    found = [job.path for job in jobs if name in (job.name, Path(job.path).stem)]
    if not found:
        near = guess(name, [word for job in jobs for word in (job.name, Path(job.path).stem)])
        raise ConfigError("there is no such file or folder, and no shipped scenario of that name", Place(name), near)
    return found


def plan_of(folder: str) -> Plan:
    """Return the plan of a matrix: that in a folder, or the one shipped. Raises ConfigError for what is none."""
    from simwarden.campaign.matrix.plan import read_plan  # noqa: PLC0415 - few commands ask for it
    from simwarden.scenario.registry import Registry  # noqa: PLC0415

    return read_plan(Path(folder) if folder else shipped() / "matrix", Registry.installed())
