"""The scenarios that come with simwarden: in the wheel, or in the repository around it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import simwarden
from simwarden.errors import ConfigError, Place
from simwarden.scenario import suite
from simwarden.scenario.case_reference import folder_tags, join_reference, split_reference, stem_of
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.campaign.matrix.plan import Plan


class Story(NamedTuple):
    """What a shipped scenario says of itself."""

    name: str
    reference: str
    title: str
    tags: tuple[str, ...]
    proves: tuple[str, ...]


def stories(word: str = "") -> Iterator[Story]:
    """Read what the shipped scenarios say of themselves, and no more of them: they are as they were checked.

    With a word only of those that say it.
    """
    from simwarden.scenario.cases import headings_in  # noqa: PLC0415 - few commands ask for it
    from simwarden.scenario.load import read_file  # noqa: PLC0415 - as the one before

    text, headings = cache(read_file), cache(headings_in)
    for job in suite.find([str(shipped())]):
        file, case = split_reference(job.reference)
        if word in text(file):
            told = headings(text(file), file)[case]
            title, own, proves = str(told.get("scenario", "")), told.get("tags", ()), told.get("proves", ())
            tags = tuple(dict.fromkeys((*folder_tags(file), *own)))
            yield Story(job.name, job.reference, title, tags, tuple(proves))


def shipped() -> Path:
    """Return the folder of shipped scenarios. Raises ConfigError where they are missing."""
    package = Path(simwarden.__file__).parent
    for folder in (package / "shipped_scenarios", package.parent.parent / "scenarios"):
        if folder.is_dir():
            return folder
    raise ConfigError("the shipped scenarios are missing; install simwarden again")


_MISSING = "there is no such file or folder, and no shipped scenario of that name"


def located(paths: Iterable[str]) -> list[str]:
    """Return paths with those of shipped scenarios in the place of their names, as `list` has them or shorter.

    What is there under a path is that: `moved-card`, `demo-moved-card`, `demo/moved-card.yaml` and `demo` name shipped
    scenarios where no file or folder is called so. Raises ConfigError for what is neither.
    """
    return [each for path in paths for each in ([path] if _is_there(path) else _shipped_as(path))]


def _is_there(reference: str) -> bool:
    file, _ = split_reference(reference)
    return bool(file) and Path(file).exists()


def _shipped_as(name: str) -> list[str]:
    root = shipped()
    file, case = split_reference(name)
    if not file:
        raise ConfigError(f"a file, a folder or the name of a shipped scenario is expected, not {name!r}")
    if not Path(file).is_absolute() and ".." not in Path(file).parts and (root / file).exists():
        return [join_reference(str(root / file), case)]
    jobs = suite.find([str(root)])
    found = [job.reference for job in jobs if name in _names_of(job)]
    if not found and (new := _new_names_of(file)):
        names = " or ".join(f"`{each}`" for each in new)  # some stems were in two folders
        raise ConfigError(f"the scenario was renamed: {names}", Place(name))
    if not found:
        if own := next((f"{file}{end}" for end in (".yaml", ".yml") if Path(f"{file}{end}").is_file()), ""):
            raise ConfigError(_MISSING, Place(name), f"did you mean {join_reference(own, case)!r}?")
        near = guess(name, [word for job in jobs for word in _names_of(job)])
        raise ConfigError(_MISSING, Place(name), near)
    return found


def _new_names_of(name: str) -> list[str]:
    """Return the names of the shipped scenarios that had this name in the version before."""
    import tomllib  # noqa: PLC0415 - only who uses an old name needs it

    renamed = shipped() / "renamed.toml"
    if not renamed.is_file():
        return []
    wanted = name.removesuffix(".yaml")
    return [
        f"{folder.partition('/')[0]}/{new}".replace("/", "-")
        for folder, names in tomllib.loads(renamed.read_text("utf-8")).items()
        for old, new in names.items()
        if wanted in (old, f"{folder}/{old}", f"{folder}/{old}".replace("/", "-"))
    ]


def _names_of(job: suite.Job) -> Iterator[str]:
    """Yield what a shipped case may be called, and its file with all of its cases."""
    for name in (job.name, stem_of(job.reference)):
        yield from dict.fromkeys((name, split_reference(name)[0]))


def plan_of(folder: str) -> Plan:
    """Return the plan of a matrix: that in a folder, or the one shipped. Raises ConfigError for what is none."""
    from simwarden.campaign.matrix.plan import read_plan  # noqa: PLC0415 - few commands ask for it
    from simwarden.scenario.registry import Registry  # noqa: PLC0415

    return read_plan(Path(folder) if folder else shipped() / "matrix", Registry.installed())
