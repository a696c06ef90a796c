"""The contract between an element and its host: Site is what an element is given, Managed what the host knows of it.

An element listens, connects, asks controls, keeps what matters in its store and reports what it does to the trace, all
through its Site, so that the same code runs in a scenario on virtual time and alone under `serve`. How it is operated
(management, approvals, audit, events) the engine does not know: see `operations`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simwarden.model.interfaces import INTERFACES
from simwarden.policy.decision import REFUSAL_IGNORED, Verdict
from simwarden.trace.events import Decided, Note, PacketDropped, Rejected, StateChange

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from sqlalchemy import Engine, MetaData

    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.clock import Clock
    from simwarden.runtime.declare import Declaration
    from simwarden.runtime.dice import Dice
    from simwarden.runtime.host import Host, InjectedFault
    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.endpoint import Endpoint
    from simwarden.runtime.tun import Tun
    from simwarden.trace.records import ChargingRecord, FlowRecord
    from simwarden.trace.trace import Trace


class Managed(Protocol):
    """An element as its host knows it: when it is up, and that the operator may call it."""

    declaration: ClassVar[Declaration]
    forgets: ClassVar[tuple[str, ...]]

    async def bring_up(self) -> None:
        """Be ready to serve on return. Raises ConfigError or ConnectionError."""

    async def bring_down(self, *, kill: bool) -> None:
        """Say goodbye, or lose power (`kill`)."""

    def census(self) -> Mapping[str, int]:
        """Count what it holds in memory for others."""

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell what it holds in memory that others hold too."""

    async def manage_for(self, caller: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Carry out a management call that `caller` makes for the operator. Raises ManagementError."""


class Site:
    """What the host gives to one element."""

    __slots__ = ("_dice", "clock", "host", "name", "refused", "trace")

    def __init__(self, host: Host, name: str) -> None:
        self.host, self.name = host, name
        #: hears of refusals that concern a card, before anybody is told of them
        self.refused: Callable[[Decision], None] | None = None
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
        await self.host.transport.listen(INTERFACES[interface], self.name, accept, self.listens_at(interface))

    def listens_at(self, interface: str) -> Address | None:
        """Return the address that this element is told to listen on, None where there is no such order."""
        return self.host.listens_at(self.name, interface)

    def carrier_of(self, interface: str) -> str:
        """Return what carries links to and from the outside on a reference point (`tcp`, `sctp`)."""
        return self.host.transport.carrier(INTERFACES[interface], outside=True)

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
        placed = next(filter(None, map(self.listens_at, interfaces)), None)
        return self.host.transport.endpoint([INTERFACES[each] for each in interfaces], self.name, placed)

    def tun(self, take: Callable[[list[bytes]], None]) -> Tun | None:
        """Open a TUN interface of this element's own, None in a run without; `take` is given what programs send."""
        return self.host.tun(self.name, take)

    def address_of(self, target: str, interface: str) -> Address:
        """Return where an element is on a reference point of datagrams (`S11`), to begin with: messages say the rest.

        Raises ConfigError if it has no address there.
        """
        return self.host.address_of(target, interface)

    def behind(self, host: str) -> str:
        """Return the element at an IP address, as an F-TEID says it, ours or external; empty if nobody known is."""
        return self.host.addresses.behind(host)

    def tell_reach(self, interface: str, target: str, reason: str) -> None:
        """Tell why an element outside is not there on a reference point of datagrams; empty: it has answered."""
        self.host.tell_reach(self.name, interface, target, self.host.addresses.outside(target, interface), reason)

    def is_external(self, target: str) -> bool:
        """Whether an element is somebody's real one, or in another process."""
        return target in self.host.settings.external

    def has_element(self, name: str) -> bool:
        """Return True if an element of that name is in this process."""
        return name in self.host.elements

    async def manage(self, target: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call another element's management interface as the operator: in this process, or over HTTP.

        Raises ManagementError: what the route says, or 503 if the element is down or cannot be reached.
        """
        return await self.host.manage(self.name, target, method, path, body)

    # -- work

    def spawn(self, work: Coroutine[Any, Any, object], what: str = "", *, standing: bool = False) -> asyncio.Task[None]:
        """Run a procedure in the background. An exception from it is a Fault in the trace; stop() cancels it.

        What is `standing` goes on as long as the element, or a call: all else is over at the end of a story.
        """
        return self.host.background.spawn(self.name, work, what, standing=standing)

    def guard(self, what: str, error: Exception) -> None:
        """Report an exception that should not have happened (a bug of ours) as a Fault, and go on."""
        self.host.fault(self.name, what, error)

    @property
    def injected_fault(self) -> InjectedFault | None:
        """What keeps this element from serving although it is connected; None while nothing does."""
        return self.host.injected_faults.get(self.name)

    # -- rules

    def decide(self, control: Control, subject: str = "", *, on: str, **facts: Any) -> Decision:
        """Ask a control of this element: its rule is called with `facts`. The Decision is in the trace on return.

        `subject` is whom it is about: an IMSI, or an IMEI where no card is known. `on` is the occasion, one of those
        that the control declares. Raises InternalError for another one. Under the switch `refusal-ignored` trace and
        events contain the refusal, and the caller gets an admission.
        """
        decision, forced = self.host.judge(self.name, control, subject, on, facts)
        self.trace.emit(Decided(element=self.name, decision=decision, forced=forced))
        if self.refused is not None and not decision.admitted and not control.narrows and subject:
            self.refused(decision)
        return replace(decision, verdict=Verdict.ADMIT) if forced == REFUSAL_IGNORED else decision

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
        link.report_fault(reason, data)

    def drop_packet(self, interface: str, reason: str, packet: bytes, subject: str = "") -> None:
        """Report a user packet that goes no further."""
        self.trace.emit(
            PacketDropped(
                element=self.name, interface=interface, protocol="ip", reason=reason, subject=subject, data=packet
            )
        )

    # -- state that survives

    def open_store(self, metadata: MetaData, shared: str = "") -> Engine:
        """Return this element's database with the tables of `metadata`; what is committed survives a killed process.

        Elements of one type may have the one called `shared` in common; in processes of their own, by the same URL.
        """
        return self.host.open_store(self.name, metadata, shared)
