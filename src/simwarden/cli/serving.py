"""`serve`: one element alone, on real sockets and the real clock."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from simwarden.cli import exits
from simwarden.cli.serving_events import BROKER, EventsService, check_broker, read_events
from simwarden.cli.serving_file import ServeFile, TokenEntry
from simwarden.cli.serving_subscribers import rows_in
from simwarden.errors import ConfigError, Place
from simwarden.model.interfaces import INTERFACES
from simwarden.operations.management import Caller, Role
from simwarden.operations.remote import Endpoint
from simwarden.operations.tokens import Tokens, digest
from simwarden.runtime.host import HostSettings, Placement
from simwarden.runtime.transport.choose import carrier_to_outside, carriers_of, check_hosts
from simwarden.scenario.load import read_file
from simwarden.scenario.network import parse_address, read_sources
from simwarden.scenario.problems import Problems, guess
from simwarden.scenario.registry import Registry
from simwarden.scenario.renamed import rename
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Spot, read
from simwarden.wire.apdu.family import CONTACTS
from simwarden.wire.mqtt.family import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.cli.serving_subscribers import Row
    from simwarden.operations.element import Element
    from simwarden.runtime.declare import ElementConfig

Address = tuple[str, int]
#: how a file of records is opened; one that is made now its owner alone reads: it says who spoke to whom
_ADDED_TO = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Service:
    """One element, with all that its file says."""

    def __init__(self, name: str, path: str, *, vpcd: bool = False) -> None:
        self.problems = Problems()
        try:
            text = read_file(path)
        except ConfigError:
            _known_kind(name)  # a misspelt name comes before a file that is not there
            raise
        source = read(text, path, self.problems)
        for each in rename(source, Registry.installed()):
            exits.complain(str(each))
        self.name, self.path, self.top = name, path, Spot(source)
        found = check(ServeFile, source.data, self.top, self.problems)
        self.problems.raise_if_any()
        assert found is not None  # noqa: S101 - what is wrong was raised
        self.file = found
        self.folder = Path(path).parent
        self.kind = self._kind()
        self.reader = self._reader(vpcd=vpcd)
        config = check(
            self.kind.declaration.config, found.settings, self.top / "settings", self.problems, what="setting"
        )
        self._check_subscribers()
        self.events = self._events()
        self.settings = self._host_settings()
        self.tokens = self._tokens()
        self.management = (
            parse_address(found.management, self.top / "management", self.problems) if found.management else None
        )
        self.problems.raise_if_any()
        assert config is not None  # noqa: S101 - as above
        self.config: ElementConfig = config

    def _host_settings(self) -> HostSettings:
        store = self._secret(self.file.store, self.top / "store")
        word, carriers = self._transport()
        listen = self._listen()
        placement = Placement(listen, store, source=self._source())
        external, placements = self._peers(), {self.name: placement}
        named = {name: placement.listen[name] for name in self.file.listen if name in placement.listen}
        sources = {name: address for name, address in placement.source.items() if name}  # the first, of one for all
        for key, addresses in (("listen", named), ("source", sources)):
            self._check_hosts(addresses, self.top / key, word, carriers)
        for name, addresses in external.items():
            self._check_hosts(addresses, self.top / "peers" / name, word, carriers)
        events, tls = self.events, {}
        if events is not None and events.outside is not None:
            external[BROKER] = {EVENTS: events.outside}
            tls = {BROKER: events.tls} if events.tls is not None else {}
        elif events is not None:
            # What the broker has acknowledged must last as long as what the element has: in the same database.
            placements[BROKER] = Placement({EVENTS: events.listen}, store)
        return HostSettings(
            scenario=self.name,
            seed=int.from_bytes(os.urandom(8), "big"),
            transport=word,
            carriers=carriers | ({CONTACTS: "vpcd"} if self.reader else {}),
            external=external,
            placements=placements,
            management=self._managed(),
            events=events.settings if events is not None else None,
            tls=tls,
            limits=self.file.limits,
            allowed=self._allowed(listen),
        )

    def _transport(self) -> tuple[str, dict[str, str]]:
        """Return what carries all interfaces, and what carries single ones; by default it is as specified.

        What else the element listens on of the same protocol goes with those that are named (one port, RFC 6733 2.1).
        """
        spot = self.top / "transport"
        carriers: dict[str, str] = {}
        for name, word in self.file.transport.items():
            if not name:
                return word or "memory", {}
            if not self._is_interface(name, spot / name):
                continue
            allowed = carriers_of(INTERFACES[name])
            if word in allowed:
                carriers[name] = word
            else:
                self.problems.unknown(f"transport of {name}", word, allowed[1:], (spot / name).place)
        for name in self.kind.declaration.listens:
            beside = (carriers[each] for each in carriers if INTERFACES[each].port == INTERFACES[name].port)
            if chosen := carriers.get(name) or next(beside, ""):
                carriers[name] = chosen
        return "memory", carriers

    def _source(self) -> dict[str, Address]:
        return read_sources(self.file.source, self.top / "source", self.problems)

    def _check_hosts(self, addresses: Mapping[str, Address], spot: Spot, word: str, carriers: dict[str, str]) -> None:
        """Report addresses that the carrier of their interface, or of all that the element calls, cannot have."""
        for name, address in addresses.items():
            wrong: list[ConfigError] = []
            points = (name,) if name else self.kind.declaration.calls
            for point in (INTERFACES[each] for each in points if address[0] and each in INTERFACES):
                try:
                    check_hosts(point, carrier_to_outside(point, word, carriers), address)
                except ConfigError as error:
                    wrong.append(error)
            if wrong and len(wrong) == len(points):
                self.problems.add(wrong[0].reason, (spot / name if name else spot).place, wrong[0].hint)

    def _events(self) -> EventsService | None:
        if self.file.events is None:
            return None
        spot = self.top / "events"
        if not self.kind.declaration.events:
            self.problems.add(f"events: {self.kind.declaration.kind} tells none", spot.key)
        return read_events(self.file.events, spot, self.problems, self.folder, self._secret)

    def _kind(self) -> type[Element[Any]]:
        return _known_kind(self.file.type or self.name, (self.top / "type").place if self.file.type else None)

    def _reader(self, *, vpcd: bool) -> Address | None:
        """Return where the virtual reader is, if the card is to be put into one."""
        if not (vpcd or self.file.reader):
            return None
        spot = self.top / "reader"
        if CONTACTS not in self.kind.declaration.listens:
            raise ConfigError(f"{self.name} is no card: no reader takes it", spot.place if self.file.reader else None)
        port = INTERFACES[CONTACTS].port
        return parse_address(self.file.reader, spot, self.problems, port) if self.file.reader else ("127.0.0.1", port)

    def _listen(self) -> dict[str, Address]:
        chosen = {each: ("127.0.0.1", INTERFACES[each].port) for each in self.kind.declaration.listens}
        for name, text in self.file.listen.items():
            spot = self.top / "listen" / name
            if name not in chosen:
                self.problems.unknown("interface", name, chosen, spot.key)
            else:
                chosen[name] = parse_address(text, spot, self.problems, INTERFACES[name].port, several=True)
                if name == EVENTS:
                    check_broker(chosen[name], spot, self.problems)
        for name in (
            chosen.keys() - self.file.listen.keys()
        ):  # points of one protocol stay together (one port, RFC 6733 2.1)
            beside = (each for each in self.file.listen if each in chosen and INTERFACES[each].port == chosen[name][1])
            chosen[name] = chosen[next(beside, name)]
        if self.reader is not None:
            chosen[CONTACTS] = self.reader
        return chosen

    def _allowed(self, listen: Mapping[str, Address]) -> dict[str, tuple[str, ...]]:
        """Return the allowed source networks of each interface, joined for those that share a port."""
        for name in self.file.allow.keys() - listen.keys():
            self.problems.unknown("interface", name, listen, (self.top / "allow" / name).key)
        ports = {name: (at, INTERFACES[name].port) for name, at in listen.items()}
        return {
            name: tuple(each for other, of in self.file.allow.items() if ports.get(other) == port for each in of)
            for name, port in ports.items()
        }

    def _peers(self) -> dict[str, dict[str, Address]]:
        found: dict[str, dict[str, Address]] = {}
        for name, value in self.file.peers.items():
            spot = self.top / "peers" / name
            if isinstance(value, dict):
                found[name] = {
                    each: parse_address(str(text), spot / each, self.problems, INTERFACES[each].port, several=True)
                    for each, text in value.items()
                    if self._is_interface(each, spot / each)
                }
            else:
                found[name] = {"": parse_address(str(value), spot, self.problems, several=True)}
        return found

    def _managed(self) -> dict[str, Endpoint]:
        found = {}
        for name, each in self.file.managed.items():
            spot = self.top / "managed" / name
            if urlsplit(each.url).scheme not in ("http", "https"):
                self.problems.add(f"{each.url!r} is no http or https URL", (spot / "url").place)
            found[name] = Endpoint(each.url, self._secret(each.token, spot / "token") if each.token else "")
        return found

    def _is_interface(self, name: str, spot: Spot) -> bool:
        if name not in INTERFACES:
            self.problems.unknown("interface", name, INTERFACES, spot.key)
        return name in INTERFACES

    def _tokens(self) -> Tokens[Caller]:
        """Return who may call by token. Raises ConfigError for what cannot be read or is no token."""
        found: list[tuple[str, Caller]] = []
        spot = self.top / "tokens"
        for name, entry in self.file.tokens.items():
            given = entry if isinstance(entry, TokenEntry) else self._short(name, entry, spot / name)
            if given.role is Role.OPERATOR and given.accounts:
                raise ConfigError(f"{name}: the operator's cards are all; accounts are a customer's", spot.place)
            token = self._secret(given.token, spot / name)
            try:
                digest(token)
            except ValueError as error:
                raise ConfigError(f"{name}: {error}", (spot / name).place) from error
            found.append((token, Caller(given.role, name, frozenset(given.accounts))))
        try:
            return Tokens(found)
        except ValueError as error:
            raise ConfigError(str(error), spot.place) from error

    @staticmethod
    def _short(name: str, token: str, spot: Spot) -> TokenEntry:
        roles = {role.value: role for role in Role}
        if name not in roles:
            said = f"{name}: a token alone is for {' or '.join(roles)}; of another caller say token, role and accounts"
            raise ConfigError(said, spot.place)
        return TokenEntry(token=token, role=roles[name])

    def _secret(self, text: str, spot: Spot) -> str:
        kind, colon, where = text.partition(":")
        try:
            if colon and kind == "env":
                return os.environ[where]
            if colon and kind == "file":
                return (self.folder / where).read_text("utf-8").strip()
        except KeyError as error:
            raise ConfigError(f"{text} cannot be read: no such variable is in the environment", spot.place) from error
        except OSError as error:
            raise ConfigError(f"{text} cannot be read: {error.strerror}", spot.place) from error
        return text

    def place_of(self, error: Exception) -> Place | None:
        """Return the place of the database or address that cannot be had, if that is what is wrong."""
        if isinstance(error, ConfigError) and error.reason.startswith(("store ", "store:")):  # it knows no file
            return (self.top / "store").place
        if isinstance(error, ConfigError) and "SCTP" in error.reason:
            return (self.top / "transport").place
        if isinstance(error, OSError) and error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            return (self.top / "listen").place if isinstance(error, socket.gaierror) else None  # it names no address
        address = address_in(error)
        if not address:
            return self.top.place if isinstance(error, OSError) else None
        for interface, (host, port) in self.settings.placements[self.name].listen.items():
            if f"{host}:{port}" == address:
                return (self.top / "listen" / interface).place
        # Any setting of any element may be an address to listen on.
        found = (spot for spot in _texts(self.top) if spot.value.replace("[", "").replace("]", "") == address)
        return next(found, self.top).place

    @contextlib.contextmanager
    def added_to(self, setting: Literal["records", "cdrs"]) -> Iterator[FileIO | None]:
        """Open a file to which records are added; None where none is wanted. Raises ConfigError."""
        name: str = getattr(self.file, setting)
        if not name:
            yield None
            return
        path = self.folder / name
        try:
            stream = FileIO(os.open(path, _ADDED_TO, 0o600), "a")
        except OSError as error:
            raise ConfigError(
                f"{path}: {setting} cannot be written: {error.strerror}", (self.top / setting).place
            ) from error
        with stream:
            yield stream

    def _check_subscribers(self) -> None:
        path = self.folder / self.file.subscribers
        if self.file.subscribers and not path.is_file():
            said = f"{path}: there is no such file"
            self.problems.add(said, (self.top / "subscribers").place, "`simwarden export` writes one")

    def subscribers(self) -> Iterator[Row]:
        """Yield the subscribers to provision. Raises ConfigError."""
        if not self.file.subscribers:
            return
        yield from rows_in(self.folder / self.file.subscribers)


def address_in(error: Exception) -> str:
    """Return the address that cannot be had, as host:port, where an error tells one."""
    found = re.search(r"address \('([^']+)', (\d+)| on (\S+):(\d+): ", str(error))
    return f"{found[1] or found[3]}:{found[2] or found[4]}" if found else ""


def _texts(spot: Spot) -> Iterator[Spot]:
    """Yield all texts at and below a place."""
    value = spot.value
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield from _texts(spot / step)
    if isinstance(value, str):
        yield spot


def _known_kind(kind: str, place: Place | None = None) -> type[Element[Any]]:
    kinds = Registry.installed().kinds
    if kind not in kinds:
        raise ConfigError(f"no element type is called {kind!r}", place, guess(kind, kinds))
    return kinds[kind]
