"""Lists of people's apps (guideline 2.2.4) as files: the one that is shipped, `app_blacklists.toml`, and a user's."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - read at run time
from functools import cache, lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from simwarden.errors import ConfigError, Place
from simwarden.model.profile import find_use
from simwarden.policy.access_list import Destination, is_public_suffix
from simwarden.policy.app_blacklists import Blacklist, Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: the shortest prefixes that may still be one app's: wider ones are of a network that others are in as well
_WIDEST = {4: 16, 6: 32}
_K = TypeVar("_K", bound="Known")
_WORD = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def _host(text: str) -> str:
    """Read a name in the form that the wire has, `*.` before it or not. Raises ValueError."""
    star, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if not name.isascii():
        name = name.encode("idna").decode()
    entry = Destination.parse(star + name)
    host = entry.host
    if isinstance(host, str) and entry.ports is None and "://" not in name and "." in host[len(star) :]:
        return host
    raise ValueError(f"{text!r} is no name of at least two labels; all its ports are meant")


def _domain(text: str) -> str:
    if text.startswith("*"):
        raise ValueError(f"{text!r}: a domain is a name with all below it; what is below alone is one of `hosts`")
    return _host(text)


def _network(text: str) -> str:
    network = ip_network(text)
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        raise ValueError(f"{text!r} is wider than /{widest}: others than one app have addresses of it")
    return str(network)


def _use(text: str) -> str:
    use = find_use(text)
    if use is None:
        raise ValueError(f"{text!r} is no use of the catalogue")
    return use.name


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Sourced(_Model):
    """What a public page tells (`source`), and the day on which it was read there."""

    source: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    read: date


class Fact(_Sourced):
    """What something is known by in the network: names, and addresses that its own house publishes.

    `domains` are names with all below them, `hosts` names alone or (`*.`) all below a name.
    """

    domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = ()
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()

    @model_validator(mode="after")
    def _tells(self) -> Fact:
        if not (self.domains or self.hosts or self.networks):
            raise ValueError("a fact has domains, hosts or networks")
        return self

    @property
    def destinations(self) -> Iterator[Destination]:
        """All of them; a domain is two: the name, and all below it."""
        for name in self.domains:
            yield Destination.parse(name)
            yield Destination.parse(f"*.{name}")
        yield from map(Destination.parse, (*self.hosts, *self.networks))


class Known(_Model):
    """What is known by facts; with `uses` it is of the lists of cards of these uses alone, or of their variants."""

    name: Annotated[str, StringConstraints(pattern=_WORD)]
    title: str
    uses: tuple[Annotated[str, AfterValidator(_use)], ...] = ()
    fact: Annotated[tuple[Fact, ...], Field(min_length=1)]


class App(Known):
    """An app of people, which is closed; its category is one of the four of 2.2.4, or another that an operator adds."""

    title_zh: str = ""
    category: Annotated[str, StringConstraints(pattern=_WORD)]


class Needed(Known):
    """What devices need of what would be closed, and why."""

    why: str


class Shared(_Sourced):
    """Suffixes that are not closed as a whole, since others than one app have names below them; `*.`: nor any below."""

    suffixes: tuple[Annotated[str, AfterValidator(_host)], ...]
    why: str


class _File(_Model):
    app: tuple[App, ...] = ()
    needed: tuple[Needed, ...] = ()
    shared: tuple[Shared, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, by which what is made of it is found again
class AppLists:
    """All apps that are known, what is needed beside them, and the suffixes that many share."""

    apps: tuple[App, ...] = ()
    needed: tuple[Needed, ...] = ()
    shared: tuple[Shared, ...] = ()

    def read(self, text: str, file: str) -> AppLists:
        """Return these lists with those of a file (TOML) beside them, which take the place of what has their name.

        Raises ConfigError, which names the line of the entry that is wrong, or 0 for an inline one.
        """
        try:
            said = _File.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            raise ConfigError(f"is no TOML: {error}", Place(file, *map(int, at.groups() if at else ()))) from error
        except ValidationError as error:
            raise _wrong(error, text, file) from error
        _check_names(said, text, file)
        lists = AppLists(_beside(self.apps, said.app), _beside(self.needed, said.needed), (*self.shared, *said.shared))
        lists._check_suffixes(said, text, file)
        return lists

    def of(self, use: str = "", categories: Collection[str] | None = None) -> Blacklist:
        """Return the blacklist of a use's cards (empty: of no known use), of some categories of apps or of all.

        Raises ValueError for what is no use, or no category of these lists.
        """
        known = frozenset(each.category for each in self.apps)
        wanted = known if categories is None else frozenset(categories)
        if wanted - known:
            raise ValueError(f"{min(wanted - known)!r} is no kind of app; there are {', '.join(sorted(known))}")
        return _blacklist(self, _use(use) if use else "", wanted)

    def _check_suffixes(self, said: _File, text: str, file: str) -> None:
        for index, app in enumerate(said.app):
            for number, fact in enumerate(app.fact):
                for name in (*fact.domains, *(host for host in fact.hosts if host.startswith("*"))):
                    suffix = name.removeprefix("*.")
                    if why := self._why_not_all_below(suffix):
                        place = Place(file, _line(text, ("app", index, "fact", number), name))
                        raise ConfigError(f"app {app.name}: what is below {suffix} may not be closed: {why}", place)

    def _why_not_all_below(self, name: str) -> str:
        if is_public_suffix(name):
            return "anybody may have a name below it"
        for shared in self.shared:
            for suffix in shared.suffixes:
                whole = suffix.removeprefix("*.")
                if f".{whole}".endswith(f".{name}") or (whole != suffix and name.endswith(f".{whole}")):
                    return f"{shared.why} ({shared.source})"
        return ""


@lru_cache(maxsize=256)
def _blacklist(lists: AppLists, use: str, categories: frozenset[str]) -> Blacklist:
    found = find_use(use)
    names = {found.name, found.variant_of} if found else set()
    known: tuple[Known, ...] = (*(each for each in lists.apps if each.category in categories), *lists.needed)
    return Blacklist(
        Entry(destination, isinstance(each, App), each.name, bool(each.uses))
        for each in known
        if not each.uses or names.intersection(each.uses)
        for fact in each.fact
        for destination in fact.destinations
    )


@cache
def shipped_lists() -> AppLists:
    """The lists that come with simwarden."""
    data = pkgutil.get_data("simwarden.policy", "app_blacklists.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    return AppLists().read(data.decode(), "app_blacklists.toml")


def _beside(before: tuple[_K, ...], said: tuple[_K, ...]) -> tuple[_K, ...]:
    names = {each.name for each in said}
    return (*(each for each in before if each.name not in names), *said)


def _check_names(said: _File, text: str, file: str) -> None:
    kinds: dict[str, tuple[Known, ...]] = {"app": said.app, "needed": said.needed}
    for kind, rows in kinds.items():
        names: set[str] = set()
        for index, each in enumerate(rows):
            if each.name in names:
                place = Place(file, _line(text, (kind, index), each.name))
                raise ConfigError(f"there are two entries {each.name!r} of `{kind}`", place)
            names.add(each.name)


def _wrong(error: ValidationError, text: str, file: str) -> ConfigError:
    first = error.errors(include_url=False)[0]
    where, said = first["loc"], first["input"]
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        reason = "there is no such key"
    value = said if isinstance(said, str) else next((each for each in reversed(where) if isinstance(each, str)), "")
    return ConfigError(f"{_path(where)}: {reason}", Place(file, _line(text, where, value)))


def _path(where: tuple[int | str, ...]) -> str:
    """Name an entry as people count: `app 2, fact 1, domains 3`."""
    return "".join(f" {each + 1}" if isinstance(each, int) else f", {each}" for each in where).removeprefix(", ")


_HEADER = re.compile(r"\s*\[\[\s*(app|needed|shared)(\s*\.\s*fact)?\s*\]\]")


def _line(text: str, where: tuple[int | str, ...], value: str) -> int:
    """Return the line on which an entry has a value or key, else that of its header; 0: there is none (inline)."""
    target = tuple([each for each in where[:4] if isinstance(each, int)])[: 2 if "fact" in where[:4] else 1]
    written = re.compile(rf"""["']{re.escape(value)}["']|^[\s\[]*{re.escape(value)}\s*[=\]]""")
    entry, fact, found = -1, -1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            if found:
                break
            if header[1] == where[0]:
                entry, fact = (entry, fact + 1) if header[2] else (entry + 1, -1)
                found = number * (target == ((entry, fact) if header[2] else (entry,)))
        elif (found or not target) and written.search(line):
            return number
    return found
