"""Elements of one process under test: started, driven, looked at, and stopped without a fault of theirs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from simwarden.errors import ManagementError
from simwarden.operations.element import Element, element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.trace.events import Decided, Fault, Note, PeerFault, StateChange
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from simwarden.policy.decision import Decision
    from simwarden.runtime.declare import ElementConfig
    from simwarden.runtime.loop import TestbedLoop

E = TypeVar("E", bound=Element[Any])
V = TypeVar("V")


class Bench:
    """A host of elements, which run from the beginning of an `async with` to its end.

    Its loop is ours (`TestbedLoop`): what runs now, unless another is given. `stores` maps elements to the URLs of
    their databases; more keywords are those of `HostSettings`.
    """

    #: the element that `call` means where it names none, and the accounts for which it calls as a customer
    subject = ""
    accounts: tuple[str, ...] = ()

    def __init__(
        self,
        loop: TestbedLoop | None = None,
        *,
        transport: str = "memory",
        stores: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.loop = loop or cast("TestbedLoop", asyncio.get_running_loop())
        self.clock = Clock(self.loop)
        self.trace = Trace(self.clock.now)
        placements = {name: Placement(store=url) for name, url in (stores or {}).items() if url}
        self.host = Host(
            self.loop, self.clock, self.trace, HostSettings(transport=transport, placements=placements, **settings)
        )

    def add(self, name: str, kind: type[E], config: ElementConfig | Mapping[str, Any] | None = None) -> E:
        """Make an element, with its configuration or the settings of one that is made here."""
        if config is None or not hasattr(config, "model_dump"):
            config = kind.declaration.config.model_validate(config or {})
        return self.host.add(name, kind, config)

    async def __aenter__(self) -> Self:
        """Start what was added, those first that others call."""
        self.host.watch_loop()
        try:
            await self.start()
        except BaseException:
            await self.host.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        """Stop everything, and judge the end if nothing else is raised."""
        await self.host.close()
        if kind is None:
            self.judge()

    def judge(self) -> None:
        """Assert that no element had a fault of its own; a bench that asks for more overrides this."""
        assert self.faults() == [], "\n".join(self.faults())  # noqa: S101 - for tests, which read it

    async def start(self) -> None:
        """Start the elements; a bench that does more at first overrides this."""
        await self.host.start_all()

    async def settle(self) -> None:
        """Wait until nothing is on its way any more; time stands still meanwhile."""
        await self.clock.settle()

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass, and what falls due in it be done."""
        await self.clock.sleep(seconds)
        await self.settle()

    # -- what an operator does

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        element: str = "",
        role: Role = Role.OPERATOR,
        caller: str = "tester",
    ) -> Any:
        """Call the management interface of an element, the `subject` if none is named. Raises ManagementError."""
        called = element_of(self.host, element or self.subject)
        return await called.manage(role, method, path, body, caller=caller, accounts=self.accounts)

    async def refused(
        self, method: str, path: str, body: Any = None, *, element: str = "", role: Role = Role.OPERATOR
    ) -> int:
        """Return the status with which a call is refused. Raises AssertionError if it is not."""
        try:
            await self.call(method, path, body, element=element, role=role)
        except ManagementError as error:
            return error.status
        raise AssertionError(f"{method} {path} was not refused")

    async def do(self, name: str, verb: str, /, **arguments: Any) -> Any:
        """Do what a scenario's step does, and wait until nothing is on its way; return the outcome."""
        outcome = await self.call("POST", f"/verbs/{verb}", arguments, element=name)
        await self.settle()
        return outcome

    # -- what was seen

    def of(self, kind: type[V]) -> list[V]:
        """Return the events of a kind so far."""
        return [event for event in self.trace.events if isinstance(event, kind)]

    def observed(self, observable: str, *, element: str = "", key: str | None = None) -> list[Any]:
        """Return the values that an observable had so far, of any element and key unless they are given."""
        return [
            event.value
            for event in self.of(StateChange)
            if event.observable == observable and element in ("", event.element) and key in (None, event.key)
        ]

    def decisions(self, control: str) -> list[Decision]:
        """Return what a control decided so far."""
        return [event.decision for event in self.of(Decided) if event.decision.control.id == control]

    def verdicts(self, control: str) -> list[bool]:
        """Return whether a control admitted, each time that it was asked."""
        return [decision.admitted for decision in self.decisions(control)]

    def notes(self) -> list[str]:
        """Return what was noted so far."""
        return [event.text for event in self.of(Note)]

    def peer_faults(self) -> list[str]:
        """Return what elements found wrong with what came from others."""
        return [event.reason for event in self.of(PeerFault)]

    def faults(self) -> list[str]:
        """Return the faults of elements' own."""
        return [event.detail or event.reason for event in self.of(Fault)]
