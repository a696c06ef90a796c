"""The ring of the event loop around a user agent of SIP: an element's trunk to other networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.machine.sip_agent import SipAgent
from simwarden.machine.sip_events import Fault
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire.sip.family import TRUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.machine.sip_events import Address, CallEvent
    from simwarden.runtime.site import Site


class SipTrunk:
    """Calls over one endpoint of datagrams. `agent` is the machine: what it was told to do leaves by `flush`.

    `take` is given what becomes of calls; what is no message of SIP is a fault of the peer's.
    """

    def __init__(self, site: Site, take: Callable[[CallEvent], None], **more: Any) -> None:
        self.site, self._take = site, take
        self._endpoint = site.endpoint(TRUNK)
        self._endpoint.on_receive = self._receive
        self.agent = SipAgent(self._endpoint.address, site.rng.randbytes, **more)
        self._timer = MachineTimer(site.clock, self.agent.on_timer, self.flush, internal=False)

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._endpoint.address

    def flush(self) -> None:
        """Send what the agent has, and tell what it has to tell."""
        for data, to in self.agent.data_to_send():
            self._endpoint.send(data, to)
        for event in self.agent.events():
            if isinstance(event, Fault):
                self.site.peer_fault(self._endpoint.path(event.source, TRUNK), event.reason, event.data)
            else:
                self._take(event)
        self._timer.arm(self.agent.next_timer())

    def stop(self) -> None:
        """Rest: nothing is sent any more."""
        self._timer.arm(None)

    def _receive(self, data: bytes, source: Address) -> None:
        self.agent.receive(data, source, self.site.clock.now())
        self.flush()
