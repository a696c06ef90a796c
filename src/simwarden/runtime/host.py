"""The host of the elements of one run: makes them, starts and stops them in order, and serves their Sites."""

from __future__ import annotations

import asyncio
import ipaddress
import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.errors import ConfigError, InternalError, ManagementError, SimwardenError
from simwarden.model.interfaces import INTERFACES, Service
from simwarden.policy.decision import ALWAYS_ADMIT, ALWAYS_REFUSE, REFUSAL_IGNORED, Control, Decision, Ruling, Verdict
from simwarden.runtime.background import Background
from simwarden.runtime.dice import Dice
from simwarden.runtime.frame_queue import FrameQueue
from simwarden.runtime.reach import Reach, speaks_tls, why_closed, why_refused
from simwarden.runtime.site import Managed, Site
from simwarden.runtime.store import StoreError, mend, open_engine, prepare, silence
from simwarden.runtime.transport.addresses import Address, Addresses
from simwarden.runtime.transport.base import Outgoing, Wiring
from simwarden.runtime.transport.choose import Carriers
from simwarden.runtime.transport.reception import Limits
from simwarden.trace.events import Fault, Note
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from sqlalchemy import Engine, MetaData

    from simwarden.runtime.clock import Clock
    from simwarden.runtime.link import Link
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.runtime.passing import Passing
    from simwarden.runtime.store_lock import Lock
    from simwarden.runtime.tun import Tun
    from simwarden.trace.trace import Trace

    #: a management call for the operator: who makes it, method, path, body
    ManageFor = Callable[[str, str, str, Mapping[str, Any] | None], Awaitable[Any]]

E = TypeVar("E", bound=Managed)
#: what a peer outside is until it has shown who it is
_SILENT = "it took the connection, and has not answered"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an element's sockets and store are, when it is not simply part of an all-in-one run.

    `listen` maps interfaces to the addresses to bind; with `host` those that are not among them are bound there, at
    their well-known ports; `store` is a database URL. `source` maps interfaces ("" for any) to the local addresses that
    connections to the outside are made from (port 0: any); with `host` alone it is that.
    """

    listen: Mapping[str, Address] = field(default_factory=dict)
    store: str = ""
    host: str = ""
    source: Mapping[str, Address] = field(default_factory=dict)

    def address(self, interface: str, *, several: bool = False) -> Address | None:
        """Return where an element is on a reference point, with `several` addresses if it may be multi-homed.

        None: where its host likes.
        """
        chosen = self.listen.get(interface)
        return chosen or ((_hosts(self.host, several=several), INTERFACES[interface].port) if self.host else None)

    def source_to(self, target: Address, interface: str, *, several: bool = False) -> Address | None:
        """Return where an element connects to a target from; None: where the system likes.

        By default that is its own address, if it is of the target's version of IP.
        """
        if chosen := self.source.get(interface):
            return chosen
        host, port = self.source.get("", (self.host, 0))
        if not host or (":" in host) != (":" in target[0]):
            return None
        return _hosts(host, several=several), port


def _hosts(hosts: str, *, several: bool) -> str:
    return hosts if several else hosts.partition(",")[0]


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """Why an element that is connected does not serve: it gives a Result-Code as `answer`, or (0) none.

    With `after` it does serve, but takes each request up so many seconds late.
    """

    answer: int = 0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Where events go: the broker's element name, who we are to it, and the start of all topics.

    `most` is how many events may wait in one element's outbox. `client` is by default made of prefix and element.
    """

    broker: str
    prefix: str = "simwarden"
    client: str = ""
    user: str | None = None
    password: bytes | None = None
    most: int = 1_000_000


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What distinguishes one run from another.

    `seed` and `scenario` (the name of its file and case) derive all randomness; `worker` tells parallel runs apart.
    `transport` says what carries frames, `carriers` what carries those of single reference points.
    `external` maps elements outside this process to the address of each of their interfaces ("" for any interface).
    `switches` maps controls to "always-admit", "always-refuse" or "refusal-ignored" (`policy/decision.py`): by
    `KIND/ID@OCCASION` for one of a control's occasions, by `KIND/ID` or the id alone for all of them; the runner sets
    them, nothing else can.
    `management` maps elements outside this process to their management interfaces. `events` says which broker takes
    events; without it there are none. `tls` has the elements outside to which connections are encrypted. `limits` holds
    for peers from outside at each listener; `allowed` restricts their source networks, by interface. With `tun`,
    elements that carry packets of programs have TUN interfaces, in namespaces whose names begin so.
    """

    seed: int = 0
    scenario: str = ""
    transport: str = "memory"
    carriers: Mapping[str, str] = field(default_factory=dict)
    worker: int = 0
    external: Mapping[str, Mapping[str, Address]] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    management: Mapping[str, ManageFor] = field(default_factory=dict)
    events: EventSettings | None = None
    tls: Mapping[str, ssl.SSLContext] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tun: str = ""


class Host:
    """Elements of one process by name, with what they share."""

    def __init__(self, loop: TestbedLoop, clock: Clock, trace: Trace, settings: HostSettings) -> None:
        self.loop, self.clock, self.trace, self.settings = loop, clock, trace, settings
        self.elements: dict[str, Managed] = {}
        self.running: set[str] = set()
        #: elements that fail for now, set by a run's steps and by nothing else
        self.injected_faults: dict[str, InjectedFault] = {}
        self.frame_queue = frame_queue = FrameQueue()
        loop.in_flight = frame_queue
        self.addresses = addresses_of(settings)
        wiring = Wiring(trace, frame_queue, settings.limits, self.addresses, settings.allowed)
        self.transport = Carriers(settings.transport, wiring, settings.carriers)
        self.background = Background(loop, self._given_up, self.fault)
        self._engines: dict[str, Engine] = {}
        #: of elements that are stopped: a call under way may have used one once more
        self._spent: list[Engine] = []
        self._stores: dict[str, set[str]] = {}
        self._locks: dict[str, Lock | None] = {}
        self._tuns: dict[str, Tun] = {}
        self._probes: dict[Address, asyncio.Future[bool]] = {}
        #: how the last attempt of each element to connect to another went, by element, interface and target
        self.reached: dict[tuple[str, str, str], Reach] = {}
        self._passing: Passing | None = None

    # -- elements

    def add(self, name: str, kind: Callable[[Site, Any], E], config: Any) -> E:
        """Make an element. Raises ConfigError if the name is taken."""
        if name in self.elements or name in self.settings.external:
            raise ConfigError(f"two elements are called {name}")
        self.addresses.of(name)
        element = kind(Site(self, name), config)
        self.elements[name] = element
        return element

    async def start(self, name: str) -> None:
        """Start an element and wait until it is ready."""
        await self.elements[name].bring_up()
        self.running.add(name)

    async def start_all(self) -> None:
        """Start all elements that are not running, those first that others call."""
        for name in self._start_order():
            if name not in self.running:
                await self.start(name)

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """Stop an element with its goodbyes, or take its power away."""
        if name not in self.running:
            return
        self.running.discard(name)
        await self.transport.stop_listening(name)
        if kill:
            self.background.cancel(name)
        await self.elements[name].bring_down(kill=kill)
        if not kill:
            self.background.cancel(name)
        self.transport.close_endpoints(name)
        self._release(name)

    async def close(self) -> None:
        """Stop all elements, those first that call others, and release everything."""
        for name in reversed(self._start_order()):
            await self.stop(name)
        await self.clock.settle()
        await self.transport.close()
        for name in dict.fromkeys((*self._engines, *self._tuns, *self._locks)):  # of elements that did not get to run
            self._release(name)
        for engine in self._spent:
            engine.dispose()
        if self._passing is not None:
            self._passing.close()
        if self.clock.keep_alives_skipped:
            self.trace.emit(Note(element="clock", text=f"{self.clock.keep_alives_skipped} keep-alives skipped"))

    def _start_order(self) -> list[str]:
        done: list[str] = []
        types = {name: element.declaration.kind for name, element in self.elements.items()}
        present = set(types.values())

        def visit(kind: str, path: tuple[str, ...]) -> None:
            if kind in path:
                raise ConfigError(f"elements wait for each other: {' -> '.join((*path, kind))}")
            names = [name for name, each in types.items() if each == kind and name not in done]
            if names:
                for before in self.elements[names[0]].declaration.starts_after:
                    if before in present:
                        visit(before, (*path, kind))
                done.extend(names)

        broker = self.settings.events.broker if self.settings.events is not None else ""
        if broker in types:  # it takes what others tell from their first step to their last
            done.append(broker)
        for kind in dict.fromkeys(types.values()):
            visit(kind, ())
        return done

    # -- what Sites pass on

    def generator(self, name: str) -> Dice:
        """Return a generator derived from (seed, scenario, name), the same under any hash seed."""
        return Dice(f"{self.settings.seed}/{self.settings.scenario}/{name}")

    def listens_at(self, owner: str, interface: str) -> Address | None:
        """Return the address that an element is told to listen on, None where there is no such order."""
        several = self.transport.is_on_sctp(INTERFACES[interface])
        return self._placement(owner).address(interface, several=several)

    def _placement(self, owner: str) -> Placement:
        return self.settings.placements.get(owner, Placement())

    def tun(self, owner: str, take: Callable[[list[bytes]], None]) -> Tun | None:
        """Open a TUN interface for an element until it stops, where the run has some. Raises ConfigError."""
        if not self.settings.tun:
            return None
        from simwarden.runtime.tun import Tun  # noqa: PLC0415 - few runs have one

        self._tuns[owner] = made = Tun(self.settings.tun + owner, self.loop, take)
        return made

    def address_of(self, target: str, interface: str) -> Address:
        """Return where an element is on a reference point of datagrams. Raises ConfigError if nobody says."""
        placed = self.listens_at(target, interface)
        if target in self.settings.external:
            placed = self.addresses.outside(target, interface)
        elif placed is None and target in self.elements:
            placed = self.addresses.of(target), INTERFACES[interface].port
        if placed is None:
            raise ConfigError(f"{target} has no address for {interface}")
        try:
            ipaddress.ip_address(placed[0])
        except ValueError:
            raise ConfigError(f"{target} on {interface} needs an IP address, which {placed[0]!r} is not") from None
        return placed

    def outside(self, target: str, interface: str) -> Address | None:
        """Return where an element outside takes connections, None for one of this process. Raises ConfigError."""
        address = self.addresses.outside(target, interface)
        if target in self.settings.external and address is None:
            raise ConfigError(f"external element {target} has no address for {interface}")
        return address

    async def connect(self, owner: str, interface: str, target: str) -> Link:
        """Connect an element to another, in this process or outside. Raises ConnectionError."""
        address = self.outside(target, interface)
        tried = partial(self.tell_reach, owner, interface, target, address)
        try:
            if address is None:
                link = await self.transport.connect(INTERFACES[interface], owner, target)
            else:
                several = self.transport.is_on_sctp(INTERFACES[interface])
                source = self._placement(owner).source_to(address, interface, several=several)
                to = Outgoing(address, self.settings.tls.get(target), source)
                link = await self.transport.connect_outside(INTERFACES[interface], owner, target, to)
        except OSError as error:
            tried(why_refused(error))
            if isinstance(error, ConnectionError):
                raise
            raise ConnectionError(why_refused(error)) from error
        except ConfigError as error:  # this system cannot speak so to the outside
            tried(str(error))
            raise ConnectionError(str(error)) from error
        if address is not None:
            tried(_SILENT)
        if address is not None or family_of(link.interface.protocol).introduced:
            link.on_standing = lambda reason: self._hear_standing(link, tried, address, reason)
        return link

    def _hear_standing(self, link: Link, tried: Callable[[str], None], address: Address | None, reason: str) -> None:
        """Keep why a peer outside is not there; of one that closes without a word, whether it wants TLS."""
        why = why_closed(link, reason)
        tried(why)
        if address is not None and reason and not link.known and not link.first and not link.on_sctp:
            probe = self._probes.get(address) or self.loop.run_in_executor(None, speaks_tls, address)
            self._probes[address] = probe
            probe.add_done_callback(lambda done: tried(f"{why}: it speaks TLS") if done.result() else None)

    async def probed(self) -> None:
        """Wait until it is known what peers outside speak that closed without a word."""
        if self._probes:
            await asyncio.wait(self._probes.values())

    def tell_reach(self, owner: str, interface: str, target: str, address: Address | None, reason: str) -> None:
        """Keep how an attempt to connect ended, and put a new reason why a peer outside is not there into the trace."""
        key = owner, interface, target
        before = self.reached.get(key)
        where = f"{address[0]}:{address[1]}" if address is not None else ""
        reach = self.reached[key] = Reach(owner, interface, target, where, reason)
        if where and reason not in ("", _SILENT, before.reason if before is not None else ""):
            self.trace.emit(Note(element=owner, text=f"no link: {reach}"))

    async def manage(
        self, owner: str, target: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        """Call an element's management interface as the operator. Raises ManagementError (503: it is down)."""
        manage = self.settings.management.get(target)
        if manage is None:
            if target not in self.running:
                raise ManagementError(503, f"{target} is not running")
            manage = self.elements[target].manage_for
        return await manage(owner, method, path, body)

    def under_way(self, name: str) -> list[str]:
        """Return the procedures that an element runs in the background."""
        return self.background.under_way(name)

    def _given_up(self, name: str, what: str, error: StoreError) -> None:
        self.trace.emit(Note(element=name, text=f"{what} is given up: {error}"))

    def watch_loop(self) -> None:
        """Record what the loop's callbacks raise as bugs of ours: all that others send comes by these."""
        self.loop.set_exception_handler(
            lambda _, of: self.fault("host", of["message"], of.get("exception") or RuntimeError())
        )

    def fault(self, name: str, what: str, error: Exception) -> None:
        """Record a bug of ours."""
        reason = f"{what}: {error}" if isinstance(error, SimwardenError) else f"{what}: {type(error).__name__}: {error}"
        self.trace.emit(Fault(element=name, reason=reason, detail="".join(traceback.format_exception(error))))

    def judge(
        self, name: str, control: Control, subject: str, on: str, facts: Mapping[str, Any]
    ) -> tuple[Decision, str]:
        """Let a control's rule decide, or the switch that overrules it.

        Returns the decision, and the switch if it changes what happens: up to its first such decision a switched run is
        the same as one without, byte for byte. Raises InternalError for an occasion that the control does not declare.
        """
        if on not in control.occasions:
            raise InternalError(f"{control.id} is asked on {on!r}, an occasion that it does not declare")
        ruling, forced = control.rule(**facts), ""
        if self.settings.switches:
            point = f"{self.elements[name].declaration.kind}/{control.id}"
            names = (f"{point}@{on}", point, control.id)
            switch = next((switch for each in names if (switch := self.settings.switches.get(each))), "")
            if switch and ruling.admitted != (switch != ALWAYS_REFUSE):
                forced = switch
                if switch != REFUSAL_IGNORED:
                    ruling = Ruling(switch == ALWAYS_ADMIT, f"switched to {switch}", ruling.details)
        verdict = Verdict.ADMIT if ruling.admitted else Verdict.REFUSE
        return Decision(control, verdict, ruling.reason, subject, ruling.details, on), forced

    def open_store(self, name: str, metadata: MetaData, shared: str = "") -> Engine:
        """Open an element's database: at its placement's URL, or one in memory that lives as long as the run.

        All that open the one called `shared` in this run have it in common.
        """
        url = self._placement(name).store
        key = shared or name
        self._stores.setdefault(name, set()).add(key)
        engine = self._engines.get(key)
        if engine is None:
            lock = self._hold(name, url, shared) if url else None
            engine = self._engines[key] = open_engine(url, metadata) if url else self._memory().open(key, metadata)
            if lock is not None:
                lock.guard(engine)
        elif url:
            prepare(engine, metadata)
        else:
            self._memory().add(key, metadata)
        return engine

    def _memory(self) -> Passing:
        from simwarden.runtime.passing import Passing  # noqa: PLC0415 - SQLAlchemy is heavy

        self._passing = self._passing or Passing()
        return self._passing

    def _hold(self, name: str, url: str, shared: str) -> Lock | None:
        """Keep other processes from an element's database; where elements share one, from being the same element."""
        from simwarden.runtime.store_lock import hold  # noqa: PLC0415 - only what lasts is locked

        if name not in self._locks:
            kind = self.elements[name].declaration.kind
            self._locks[name] = hold(url, f"{kind}-{name}" if shared else kind)
        return self._locks[name]

    def _release(self, name: str) -> None:
        """Close what a stopped element has of the system: its TUN interface, its database and the lock on that."""
        if name in self._tuns:
            self._tuns.pop(name).close()
        if (engine := self._engines.pop(name, None)) is not None:
            mend(engine)
            engine.dispose()
            self._spent.append(engine)
        if (lock := self._locks.pop(name, None)) is not None:
            lock.release()

    def fail_database(self, name: str) -> None:
        """Let the databases of an element not answer any more. Raises ManagementError (409): it has none."""
        if not self._stores.get(name):
            raise ManagementError(409, f"{name} has no database")
        for key in self._stores[name] & self._engines.keys():
            silence(self._engines[key])

    def mend_database(self, name: str) -> bool:
        """Let an element's databases answer again; return whether they did not."""
        mended = [mend(self._engines[key]) for key in self._stores.get(name, set()) & self._engines.keys()]
        return any(mended)

    def has_store(self, name: str) -> bool:
        """Whether an element has a database."""
        return name in self._engines

    def engines(self, name: str) -> list[Engine]:
        """Return the databases that an element has."""
        return [self._engines[key] for key in sorted(self._stores.get(name, ())) if key in self._engines]


def addresses_of(settings: HostSettings) -> Addresses:
    """Return the addresses of a run's elements.

    Datagrams leave it where a file says at which address an element is, or where one outside is that speaks them.
    """
    given = {name: each.host.partition(",")[0] for name, each in settings.placements.items() if each.host}
    placed = any(each.host or each.listen for each in settings.placements.values())
    outside = any(
        _speaks_datagrams(name, port) for each in settings.external.values() for name, (_, port) in each.items()
    )
    return Addresses(settings.worker, given=given, external=settings.external, open_to_outside=placed or outside)


def _speaks_datagrams(interface: str, port: int) -> bool:
    """Whether an address is one for datagrams: by its reference point, where none is named by its port."""
    if interface:
        return INTERFACES[interface].service is Service.DATAGRAMS
    return any(each.service is Service.DATAGRAMS and each.port == port for each in INTERFACES.values())
