"""The reference points of the network: what each speaks, over which kind of transport, on which well-known port.

The wire families declare them, each its own; a family is found by its entry point, so that other packages bring theirs.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP: Final = "simwarden.families"


class Service(enum.Enum):
    """What a link keeps of what was sent: a stream of octets, messages (SCTP, or framed on TCP), or datagrams."""

    STREAM = "stream"
    MESSAGES = "messages"
    DATAGRAMS = "datagrams"


@dataclass(frozen=True, slots=True)
class Interface:
    """A reference point: name, wire family, service, IANA port of the listening side and SCTP payload protocol id.

    Messages that are `self_delimiting` tell their length in a header of their own, and need no frame on TCP.
    `own_frame` marks a frame of simwarden instead of the specification's, which no other implementation speaks. A peer
    that `may_be_idle` has no first message by which it shows who it is, and may have nothing to send for long.
    """

    name: str
    protocol: str
    service: Service
    port: int
    ppid: int = 0
    spec: str = ""
    self_delimiting: bool = False
    own_frame: bool = False
    may_be_idle: bool = False


class Declared(Protocol):
    """What is read here of a wire family; the whole of it is `simwarden.wire.family.Family`."""

    @property
    def name(self) -> str:
        """Its name, as `Interface.protocol` has it."""

    @property
    def place(self) -> int:
        """Where it is spoken between card (0) and core (100)."""

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Where it is spoken."""


@cache
def declared() -> Mapping[str, Declared]:
    """Return the wire families of all installed packages by name, from card to core.

    Raises ConfigError for one that cannot be loaded, and for two of which only one can be meant.
    """
    found: dict[str, tuple[Declared, str]] = {}
    for point in entry_points(group=GROUP):
        try:
            family: Declared = point.load()
            where = f"{point.name} ({point.value})"
            _check_alone(family, where, found)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"wire family {point.name} ({point.value}) cannot be loaded: {error}") from error
        found[family.name] = family, where
    return {each.name: each for each, _ in sorted(found.values(), key=lambda one: (one[0].place, one[0].name))}


def _check_alone(family: Declared, where: str, others: Mapping[str, tuple[Declared, str]]) -> None:
    if family.name in others:
        raise ConfigError(f"wire family {where} has the name of {others[family.name][1]}")
    spoken = {(each.name, each.service): other for one, other in others.values() for each in one.interfaces}
    for each in family.interfaces:
        if each.protocol != family.name:
            raise ConfigError(f"wire family {where}: its interface {each.name} speaks {each.protocol}")
        if (each.name, each.service) in spoken:
            other = spoken[each.name, each.service]
            raise ConfigError(f"wire family {where}: interface {each.name} is declared by {other} too")


@cache
def _by_name() -> Mapping[str, tuple[Interface, ...]]:
    found: dict[str, tuple[Interface, ...]] = {}
    for family in declared().values():
        for each in family.interfaces:
            found[each.name] = (*found.get(each.name, ()), each)
    return found


def spoken_on(name: str) -> Iterable[Interface]:
    """Return what is spoken on a reference point: mostly one protocol, another for each service that it is carried by.

    Nothing for a name that no family declares.
    """
    return _by_name().get(name, ())


class _Interfaces(Mapping[str, Interface]):
    """The reference points by name, read when first asked for; of one with several services the first."""

    def __getitem__(self, name: str) -> Interface:
        return _by_name()[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(_by_name())

    def __len__(self) -> int:
        return len(_by_name())


INTERFACES: Final[Mapping[str, Interface]] = _Interfaces()
