"""What binds at the gateway have in common, whichever protocol they speak."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from simulators.platform.contexts import Outcome
from simwarden.machine.windowed_session import Answered, Asked, BindAnswered, Closed, Fault, WindowedSession
from simwarden.runtime.driven import Driven

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.platform.config import PlatformConfig
    from simulators.platform.contexts import Incoming, Outgoing, Reported
    from simwarden.runtime.site import Site

S = TypeVar("S", bound=WindowedSession[Any, Any, Any])


class Connection(ABC, Generic[S]):
    """A bind at the gateway; `heard` is told of what comes and says whether it is taken, `lost` that it is over."""

    interface: ClassVar[str]

    def __init__(
        self, site: Site, config: PlatformConfig, heard: Callable[[Incoming | Reported], bool], lost: Callable[[], None]
    ) -> None:
        self._site, self._config, self._heard, self._lost = site, config, heard, lost
        self._session: S | None = None
        self._driven: Driven[Any] | None = None
        self._opening: asyncio.Future[int | None] | None = None
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}

    @abstractmethod
    def _begin(self, now: float) -> S:
        """Make the session, which asks for the bind."""

    @abstractmethod
    def _ask(self, session: S, message: Outgoing) -> int:
        """Have a message sent; return the sequence number of its answer."""

    @abstractmethod
    def _outcome(self, answer: Any | None) -> Outcome:
        """Read the answer to a message, None: there was none."""

    @abstractmethod
    def _hear(self, session: S, pdu: Any) -> None:
        """Handle a request of the gateway."""

    @property
    def bound(self) -> bool:
        """Whether messages can be exchanged."""
        return self._session is not None and self._session.is_bound

    async def open(self) -> int | None:
        """Bind; return 0, or why not in the protocol's numbers, None without an answer. Raises ConnectionError."""
        link = await self._site.connect(self.interface, self._config.binds_at)
        self._session = self._begin(self._site.clock.now())
        self._opening = asyncio.get_running_loop().create_future()
        self._driven = Driven(self._site, link, self._session, self._take)
        return await self._opening

    async def submit(self, message: Outgoing) -> Outcome:
        """Send one message and wait for its answer."""
        session, driven = self._session, self._driven
        if session is None or driven is None or not session.room:
            return Outcome(None)
        made: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[self._ask(session, message)] = made
        driven.settle()
        return await made

    def end(self, *, say: bool) -> None:
        """Unbind, or be gone."""
        if self._session is None or self._driven is None:
            return
        if say:
            self._session.unbind(self._site.clock.now())
            self._driven.settle()
        else:
            self._driven.drop("connection lost")
            self._over()

    def _take(self, event: Any) -> None:
        match event:
            case BindAnswered(status):
                self._opened(status)
            case Asked(pdu) if self._session is not None:
                self._hear(self._session, pdu)
            case Answered(asked, answer):
                self._answered(asked.sequence, answer)
            case Fault(reason, data):
                self._fault(reason, data)
            case Closed():
                self._over()
            case _:
                pass

    def _opened(self, status: int) -> None:
        """Take note of the answer to the bind; 0: it stands."""
        if self._driven is not None and not status:
            self._driven.link.know()
        if self._driven is not None and status:
            self._driven.link.refuse(f"the gateway refuses the bind: {status:#x}")
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(status)

    def _answered(self, sequence: int, answer: Any | None) -> None:
        waits = self._waiting.pop(sequence, None)
        if waits is not None and not waits.done():
            waits.set_result(self._outcome(answer))

    def _fault(self, reason: str, data: bytes) -> None:
        if self._driven is not None:
            self._site.peer_fault(self._driven.link, reason, data)

    def _over(self) -> None:
        self._session = self._driven = None
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(None)
        for sequence in list(self._waiting):
            self._answered(sequence, None)
        self._lost()
