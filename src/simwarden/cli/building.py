"""`new-element`: a package with an element that works, to begin one's own with."""

from __future__ import annotations

import keyword
import re
import tomllib
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, NamedTuple

from simwarden.campaign.grid import write
from simwarden.errors import ConfigError, Place
from simwarden.scenario.problems import guess
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCAFFOLD = Path(__file__).parent / "scaffold"
#: of a template's path, and in its text
_MARK = re.compile(r"@(\w+)@")


class Application(NamedTuple):
    """A Diameter application for which a server is written: the request that it answers, and what both ends say.

    All but the first two is code: the body of a function of the request, the AVPs of one, and AVPs of its answer.
    """

    spec: str
    request: str
    imsi: str
    asked: str
    echo: str = "[]"
    granted: str = "[]"


@cache
def applications() -> dict[str, Application]:
    """Return the applications by their reference points."""
    text = (_SCAFFOLD / "servers.toml").read_text("utf-8")
    return {point: Application(**said) for point, said in tomllib.loads(text).items()}


def write_element(name: str, speaks: str, folder: str) -> None:
    """Write the package of a new element. Raises ConfigError for a name or a place that cannot be."""
    known = applications()
    application = known.get(speaks)
    if application is None:
        only = ", ".join(known)
        raise ConfigError(f"no server is written for {speaks!r}, only for {only}", None, guess(speaks, known))
    _check_name(name)
    root = Path(folder or name)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ConfigError("is there already", Place(str(root)))
    words = _words(name, speaks, application)
    files = {_filled(path, words): _filled(text, words) for path, text in _templates(name)}
    for path, text in files.items():
        write(root / path, text)
    print(f"wrote {root}: {len(files)} files, which {root}/README.md explains")
    print(f"try it: cd {root} && pip install -e . && pytest && simwarden run scenarios")


def _check_name(name: str) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ConfigError(f"{name!r} is no name of an element: small letters, digits and _, beginning with a letter")
    if name in Registry.installed().kinds or name in {"simwarden", "simulators", "tests", "scenarios"}:
        raise ConfigError(f"{name} is taken")


def _words(name: str, speaks: str, application: Application) -> dict[str, str]:
    """Return what stands for each mark of a template."""
    return {
        "kind": name,
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "point": speaks,
        "spec": application.spec,
        "request": application.request,
        "procedure": application.request.removesuffix("-request").replace("-", "_"),
        "imsi_of": indent(application.imsi, 4 * " "),
        "avps": indent(application.asked, 12 * " "),
        "echo": application.echo,
        "granted": application.granted,
    }


def _filled(text: str, words: dict[str, str]) -> str:
    return _MARK.sub(lambda mark: words[mark[1]], text)


def _templates(name: str) -> Iterator[tuple[str, str]]:
    """Yield the paths of files in the new folder, with their templates."""
    for file in sorted(_SCAFFOLD.rglob("*.in")):
        path = file.relative_to(_SCAFFOLD).with_suffix("").as_posix()
        yield re.sub("^package/", f"{name}/", path), file.read_text("utf-8")
