"""`new-element`: a package with an element that works, to begin one's own with."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simwarden.errors import ConfigError, Place
from simwarden.scenario.problems import guess
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_SCAFFOLD = "scaffold"
#: of a template's path, and in its text
_MARK = re.compile(r"@(\w+)@")


class Application(NamedTuple):
    """A Diameter application for which a server is written: the request that it answers, and what both ends say."""

    spec: str
    request: str
    imsi: tuple[str, ...]
    asked: tuple[str, ...]
    echo: str = "[]"
    granted: str = "[]"


_USER_NAME = ('return str(request.get("User-Name") or "")',)
_SUBSCRIPTION_ID = (
    'for group in request.all("Subscription-Id"):',
    "    parts = dict(group)",
    '    if parts.get("Subscription-Id-Type") == 1:  # END_USER_IMSI (RFC 8506 8.47)',
    '        return str(parts.get("Subscription-Id-Data", ""))',
    'return ""',
)
_CARD = '("User-Name", imsi),'
_SUBSCRIBER = '("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", imsi)]),'
_INITIAL = ('("CC-Request-Type", 1),  # INITIAL_REQUEST', '("CC-Request-Number", 0),')
_CREDIT_ECHO = '[(each, request.get(each)) for each in ("CC-Request-Type", "CC-Request-Number")]'
APPLICATIONS = {
    "Gx": Application(
        "TS 29.212 4.5.1", "credit-control-request", _SUBSCRIPTION_ID, (*_INITIAL, _SUBSCRIBER), _CREDIT_ECHO
    ),
    "Gy": Application(
        "TS 32.299 6.4.2, RFC 8506",
        "credit-control-request",
        _SUBSCRIPTION_ID,
        ('("Service-Context-Id", "32251@3gpp.org"),', *_INITIAL, _SUBSCRIBER),
        _CREDIT_ECHO,
    ),
    "S13": Application(
        "TS 29.272 6.2.1",
        "me-identity-check-request",
        _USER_NAME,
        ('("Terminal-Information", [("IMEI", "35000100000001"), ("Software-Version", "01")]),', _CARD),
        granted='[("Equipment-Status", 0)]',
    ),
    "S6a": Application(
        "TS 29.272 5.2.1.1",
        "update-location-request",
        _USER_NAME,
        (
            _CARD,
            '("RAT-Type", 1004),',
            '("ULR-Flags", 34),',
            '("Visited-PLMN-Id", Plmn.parse("001-01").to_bytes()),',
        ),
        granted='[("ULA-Flags", 1)]',
    ),
}


def write_element(name: str, speaks: str, folder: str) -> None:
    """Write the package of a new element. Raises ConfigError for a name or a place that cannot be."""
    application = APPLICATIONS.get(speaks)
    if application is None:
        known = ", ".join(APPLICATIONS)
        raise ConfigError(f"no server is written for {speaks!r}, only for {known}", None, guess(speaks, APPLICATIONS))
    _check_name(name)
    root = Path(folder or name)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ConfigError("is there already", Place(str(root)))
    words = _words(name, speaks, application)
    files = {_filled(path, words): _filled(text, words) for path, text in _templates(name)}
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", Place(str(error.filename))) from error
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
        "imsi_of": _lines(application.imsi, 4),
        "avps": _lines(application.asked, 12),
        "echo": application.echo,
        "granted": application.granted,
    }


def _lines(lines: tuple[str, ...], indent: int) -> str:
    return "\n".join(" " * indent + line for line in lines)


def _filled(text: str, words: dict[str, str]) -> str:
    return _MARK.sub(lambda mark: words[mark[1]], text)


def _templates(name: str) -> Iterator[tuple[str, str]]:
    """Yield the paths of files in the new folder, with their templates."""
    top = resources.files("simwarden.cli").joinpath(_SCAFFOLD)

    def walk(folder: Traversable, above: str) -> Iterator[tuple[str, str]]:
        for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if each.is_dir():
                yield from walk(each, f"{above}{name if each.name == 'package' else each.name}/")
            elif each.name.endswith(".in"):
                yield above + each.name.removesuffix(".in"), each.read_text("utf-8")

    return walk(top, "")
