"""The contract between an element and its host: Element is what you write, Site is what you are given.

CONTRIBUTING.md holds the conventions (names, provisioning, verbs).

An element listens, connects, asks controls, keeps what matters in its store and reports what it does to the trace, all
through its Site, so that the same code runs in a scenario on virtual time and alone under `serve`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import ValidationError

from simwarden.operations.management import (
    Call,
    Caller,
    ManagementError,
    Role,
    Route,
    collect_routes,
    manage,
    reasons,
    route,
)
from simwarden.runtime.declare import Declaration, ElementConfig, Model, Verb, VerbModel, collect_verbs
from simwarden.trace.events import Decided, Note, PeerFault, Rejected, StateChange

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from sqlalchemy import Engine, MetaData

    from simwarden.operations.approval import Audit
    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.clock import Clock
    from simwarden.runtime.dice import Dice
    from simwarden.runtime.host import Ailment, Host
    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.endpoint import Endpoint
    from simwarden.trace.records import ChargingRecord, FlowRecord
    from simwarden.trace.trace import Trace

C = TypeVar("C", bound=ElementConfig)


class Site:
    """What the host gives to one element."""

    __slots__ = ("_dice", "clock", "host", "name", "trace")

    def __init__(self, host: Host, name: str) -> None:
        self.host, self.name = host, name
        self.clock: Clock = host.clock
        self.trace: Trace = host.trace
        self._dice: Dice | None = None

    @property
    def rng(self) -> Dice:
        """This element's own generator, derived from (seed, scenario, name): the only source of randomness."""
        if self._dice is None:
            self._dice = self.host.generator(self.name)
        return self._dice

    # -- links

    async def listen(self, interface: str, accept: Callable[[Link], None]) -> None:
        """Accept connections on a reference point (`S6a`); `accept` sets the new link's receivers at once."""
        await self.host.listen(self.name, interface, accept)

    def listens_at(self, interface: str) -> Address | None:
        """Return the address that this element is told to listen on, None where there is no such order."""
        return self.host.listens_at(self.name, interface)

    async def connect(self, interface: str, target: str) -> Link:
        """Connect to an element by name. Set the link's receivers before the next await. Raises ConnectionError."""
        return await self.host.connect(self.name, interface, target)

    def place_of(self, interface: str, target: str) -> object:
        """Return where an element is: what is the same for two is one node's."""
        return self.host.outside(target, interface) or target

    def endpoint(self, *interfaces: str) -> Endpoint:
        """Open one socket of datagrams at this element's own address, for reference points that share a port.

        Set its receivers before the next await; it is closed when the element has stopped. Raises ConfigError, OSError.
        """
        return self.host.endpoint(self.name, *interfaces)

    def address_of(self, target: str, interface: str) -> Address:
        """Return where an element is on a reference point of datagrams (`S11`), to begin with: messages say the rest.

        Raises ConfigError if it has no address there.
        """
        return self.host.address_of(target, interface)

    def behind(self, host: str) -> str:
        """Return the element at an IP address, as an F-TEID says it, ours or external; empty if nobody known is."""
        return self.host.addresses.behind(host)

    def is_external(self, target: str) -> bool:
        """Whether an element is somebody's real one, or in another process."""
        return self.host.is_external(target)

    async def manage(self, target: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call another element's management interface as the operator: in this process, or over HTTP.

        Raises ManagementError: what the route says, or 503 if the element is down or cannot be reached.
        """
        return await self.host.manage(self.name, target, method, path, body)

    # -- work

    def spawn(self, work: Coroutine[Any, Any, None], what: str = "") -> asyncio.Task[None]:
        """Run a procedure in the background. An exception from it is a Fault in the trace; stop() cancels it."""
        return self.host.spawn(self.name, work, what)

    def guard(self, what: str, error: Exception) -> None:
        """Report an exception that should not have happened (a bug of ours) as a Fault, and go on."""
        self.host.fault(self.name, what, error)

    @property
    def ailment(self) -> Ailment | None:
        """What keeps this element from serving although it is connected; None while nothing does."""
        return self.host.ailments.get(self.name)

    # -- rules

    def decide(self, control: Control, subject: str = "", *, on: str, **facts: Any) -> Decision:
        """Ask a control of this element: its rule is called with `facts`. The Decision is in the trace on return.

        `subject` is whom it is about: an IMSI, or an IMEI where no card is known. `on` is the occasion, one of those
        that the control declares. Raises InternalError for another one.
        """
        decision, forced = self.host.judge(self.name, control, subject, on, facts)
        self.trace.emit(Decided(element=self.name, decision=decision, forced=forced))
        if not decision.admitted and subject:
            self.host.tell_refusal(self.name, decision)
        return decision

    def reject(
        self, message: str, cause: Any, reason: str, *, subject: str = "", clause: str = "", by: str = ""
    ) -> None:
        """Say why what is sent next rejects a device: see `Rejected`. A policy's rejection is a control's refusal."""
        self.trace.emit(
            Rejected(
                element=self.name,
                message=message,
                cause=cause,
                reason=reason,
                subject=subject,
                clause=clause,
                by=by or self.name,
            )
        )

    # -- what others may observe

    def observe(self, observable: str, value: Any, *, key: str | None = None) -> None:
        """Report the new value of a declared observable; `key` for a record (value None: it is gone)."""
        self.trace.emit(StateChange(element=self.name, observable=observable, value=value, key=key))

    def note(self, text: str, **fields: Any) -> None:
        """Put a line into the ladder."""
        self.trace.emit(Note(element=self.name, text=text, fields=fields))

    def record(self, record: FlowRecord | ChargingRecord) -> None:
        """Tell of a flow that has ended, or of a CDR that is closed."""
        self.trace.emit(record)

    def peer_fault(self, link: Link, reason: str, data: bytes = b"") -> None:
        """Report bytes from outside that are malformed or break the protocol."""
        self.trace.emit(
            PeerFault(element=self.name, peer=link.remote, interface=link.interface.name, reason=reason, data=data)
        )

    # -- state that survives

    def open_store(self, metadata: MetaData, shared: str = "") -> Engine:
        """Return this element's database with the tables of `metadata`; what is committed survives a killed process.

        Elements of one type may have the one called `shared` in common; in processes of their own, by the same URL.
        """
        return self.host.open_store(self.name, metadata, shared)


class About(Model):
    """What an element says of itself."""

    element: str
    """Its name."""
    type: str
    """Its kind."""
    routes: tuple[str, ...]
    """Methods and paths that the caller's role may call."""


class Element(ABC, Generic[C]):
    """One element of the network. Subclasses set `declaration` and implement start and stop.

    `parts` are types whose routes, verbs and `observables` are the element's as well. One object of each is made by
    `fit`, with the one thing that all of them work on.

    An element may be stopped and started again (a restart): what is not in its store is then forgotten, so `start`
    builds all of its state anew.
    """

    declaration: ClassVar[Declaration]
    parts: ClassVar[tuple[type[Any], ...]] = ()
    routes: ClassVar[tuple[Route, ...]] = ()
    verbs: ClassVar[Mapping[str, Verb]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.routes = collect_routes(cls, *cls.parts)
        if "declaration" in vars(cls):
            seen = (each for part in cls.parts for each in getattr(part, "observables", ()))
            cls.declaration = replace(cls.declaration, observables=(*cls.declaration.observables, *seen))

    def __init__(self, site: Site, config: C) -> None:
        self.site = site
        self.config = config
        self._parts: dict[type[Any], Any] = {}

    def fit(self, shared: Any) -> None:
        """Make the parts anew, each with what they share."""
        self._parts = {part: part(shared) for part in self.parts}

    def part(self, kind: type[Any] | None) -> Any:
        """Return the part of a type; the element itself for None."""
        return self if kind is None else self._parts[kind]

    @abstractmethod
    async def start(self) -> None:
        """Listen and connect; return when ready to serve. Raises ConfigError or ConnectionError."""

    @abstractmethod
    async def stop(self) -> None:
        """Say goodbye on the wire (DPR, detach...), close links, keep what must be kept; spawned work ends after."""

    async def killed(self) -> None:
        """Lose power: links drop without goodbye. Spawned work has ended before; by default nothing is said."""

    def census(self) -> Mapping[str, int]:
        """Count what it holds in memory for others (`connections`), by which `explore` sees what outlives its use.

        What several elements count by one name is the same thing seen from several sides: the sums agree.
        """
        return {}

    def kept(self) -> Audit | None:
        """Return the audit in which refused calls of this element are kept; None where it keeps none."""
        return None

    @classmethod
    def all_verbs(cls) -> Mapping[str, Verb]:
        """The verbs of this class by name (collected on first use: it resolves annotations)."""
        if "verbs" not in cls.__dict__:
            found = [collect_verbs(cls), *(collect_verbs(part, part) for part in cls.parts)]
            cls.verbs = {name: each for verbs in found for name, each in verbs.items()}
        return cls.verbs

    @route("GET", "/", roles=(Role.OPERATOR, Role.CUSTOMER), gives=About)
    async def describe(self, call: Call) -> dict[str, Any]:
        """Say which element this is and what it offers to the caller's role."""
        offered = [f"{r.method} {r.path}" for r in self.routes if call.role in r.roles]
        return {"element": self.site.name, "type": self.declaration.kind, "routes": offered}

    @route("GET", "/openapi.json", roles=(Role.OPERATOR, Role.CUSTOMER), gives=dict[str, Any])
    async def document(self, call: Call) -> dict[str, Any]:
        """Give the OpenAPI document of what the caller's role may call."""
        from simwarden.operations.openapi import document  # noqa: PLC0415 - only who asks pays for it

        return document(type(self), call.role)

    @route("POST", "/verbs/{verb}", public=False)
    async def do(self, call: Call) -> Any:
        """Carry out a verb of a scenario."""
        name = call.path["verb"]
        found = self.all_verbs().get(name)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no verb {name}")
        try:
            arguments: VerbModel = found.arguments.model_validate(dict(call.body))
        except ValidationError as error:
            raise ManagementError(400, reasons(error)) from None
        return await getattr(self.part(found.part), found.method)(arguments)

    async def manage(
        self,
        role: Role,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        caller: str = "",
        accounts: Iterable[str] = (),
    ) -> Any:
        """Call this element's management interface; a customer's cards are those of its accounts.

        Raises ManagementError.
        """
        return await manage(self, Caller(role, caller, frozenset(accounts)), method, path, body)
