"""A connection of a gateway: SMPP 3.4, of which the centre is the server."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Any

from simulators.smsc import controls
from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Answered, Asked, BindAsked, Closed, Fault
from simwarden.operations.guessing import address_of
from simwarden.runtime.driven import Driven
from simwarden.wire.smpp import Command, MessageId, Pdu, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.smsc.core import Core
    from simwarden.runtime.link import Link
    from simwarden.wire.smpp import Bind, Parameter, ShortMessage


class GatewayLink:
    """One link with its session.

    `take` is given submit_sm, `cancel` cancel_sm, `bound` hears that messages can go to the gateway.
    """

    def __init__(
        self,
        core: Core,
        link: Link,
        *,
        take: Callable[[GatewayLink, Pdu], None],
        cancel: Callable[[GatewayLink, Pdu], None],
        bound: Callable[[str], None],
    ) -> None:
        self.core, self.link, self.system_id = core, link, ""
        self._take, self._cancel, self._bound = take, cancel, bound
        self.session = SmppSession(Role.SMSC, core.clock.now())
        #: where the core has it, when it is bound
        self._of_its_kind: dict[str, GatewayLink] = {}
        self._asked: dict[int, asyncio.Future[Pdu | None]] = {}
        self._driven = Driven(core.site, link, self.session, self._handle)

    async def deliver(self, message: ShortMessage, *parameters: Parameter) -> Pdu | None:
        """Send deliver_sm, one after the other; return its answer, None if there is none, or it is unbinding."""
        if not self.session.room:
            return None
        sequence = self.session.ask(Command.DELIVER_SM, message, self.core.clock.now(), *parameters)
        answer: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        self._asked[sequence] = answer
        self._driven.settle()
        return await answer

    def answer(self, asked: Pdu, status: int = 0, message_id: str = "") -> None:
        """Answer submit_sm or cancel_sm."""
        body = None if status or asked.command is not Command.SUBMIT_SM else MessageId(message_id)
        self.session.answer(asked, status, body)
        self._driven.settle_soon()

    def close(self) -> None:
        """Say goodbye (unbind)."""
        self.session.unbind(self.core.clock.now())
        self._driven.settle()

    def _handle(self, event: Event) -> None:
        match event:
            case BindAsked():
                self._bind(event.pdu, event.bind)
            case Asked():
                self._serve(event.pdu)
            case Answered():
                waiting = self._asked.pop(event.asked.sequence)
                if not waiting.done():
                    waiting.set_result(event.answer)
            case Fault():
                self.core.site.peer_fault(self.link, event.reason, event.data)
            case Closed():
                self._closed(event.reason)

    def _bind(self, asked: Pdu, bind: Bind) -> None:
        """Let a listed gateway bind that knows its password; a new link takes the place of an older one of its kind."""
        listed, tries, now = self.core.config.gateways, self.core.tries, self.core.clock.now()
        known, address = listed.get(bind.system_id), address_of(self.link.remote, internal=self.link.internal)
        failed, most = tries.count(address, now), self.core.config.guessing.tries
        secret = (known.password if known is not None else "").encode()
        proven = bool(secret) and hmac.compare_digest(secret, bind.password.encode())
        facts: dict[str, Any] = {"system_id": bind.system_id, "listed": listed, "proven": proven}
        facts |= {"tries": failed, "most": most}
        if not self.core.site.decide(controls.GATEWAY, on=controls.BIND, **facts).admitted:
            if failed < most:
                tries.begin(address, now)
            self.session.refuse(asked, Status.ESME_RINVPASWD if known is not None else Status.ESME_RINVSYSID)
            return
        self.link.know()
        self.system_id = bind.system_id
        self._of_its_kind = self.core.transmitters if asked.command is Command.BIND_TRANSMITTER else self.core.gateways
        former, self._of_its_kind[self.system_id] = self._of_its_kind.get(self.system_id), self
        self.session.accept(asked, self.core.site.name)
        self.core.site.observe("gateway", {"system_id": self.system_id, "state": "bound"}, key=self.system_id)
        if former is not None:
            former.close()
        if self._of_its_kind is self.core.gateways:
            self._bound(self.system_id)

    def _serve(self, asked: Pdu) -> None:
        if asked.command is Command.SUBMIT_SM:
            self._take(self, asked)
        elif asked.command is Command.CANCEL_SM:
            self._cancel(self, asked)
        else:
            self.session.answer(asked, Status.ESME_RINVCMDID)

    def _closed(self, reason: str) -> None:
        self.core.site.note(f"a connection of a gateway is over: {reason}")
        if self._of_its_kind.get(self.system_id) is not self:
            return
        del self._of_its_kind[self.system_id]
        if all(link.system_id != self.system_id for link in self.core.links):
            self.core.site.observe("gateway", None, key=self.system_id)
