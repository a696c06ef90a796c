"""A signalling point of an element: its associations, SCCP on them, and users of TCAP by their subsystems.

The users' machines are handed to them: what they put into a dialogue leaves when they call `flush`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.machine.m3ua_events import AsState
from simwarden.machine.sccp import Fault, Returned, SccpPoint, SubsystemChanged, Unitdata
from simwarden.machine.tcap import TcapEndpoint
from simwarden.machine.tcap_events import Fault as TcapFault
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.sigtran.association import Association
from simwarden.runtime.sigtran.gateway import Listening
from simwarden.wire.m3ua import MessageType
from simwarden.wire.sccp import Address, ReturnCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simwarden.machine.m3ua_events import Served
    from simwarden.machine.m3ua_gateway import ApplicationServer
    from simwarden.machine.sccp import Translation
    from simwarden.machine.tcap_events import DialogueEvent
    from simwarden.runtime.sigtran.gateway import Place
    from simwarden.runtime.site import Site
    from simwarden.wire.m3ua import Message, ProtocolData
    from simwarden.wire.tcap.user import TcUser


class Route(NamedTuple):
    """Which point codes are reached by an association with an element (none: all others)."""

    target: str
    routing_context: int | None = None
    point_codes: tuple[int, ...] = ()


class TcapUser:
    """A user of TCAP at a subsystem: `tc` is its machine; events come to `take`."""

    def __init__(self, point: SignallingPoint, tc: TcapEndpoint, take: Callable[[DialogueEvent], None]) -> None:
        self.tc, self._point, self._take = tc, point, take
        self._timer = MachineTimer(point.site.clock, tc.on_timer, self.flush, internal=True)

    def flush(self) -> None:
        """Send what the machine has, and tell what it has to tell."""
        for each in self.tc.data_to_send():
            self._point.send(each.called, each.calling, each.data)
        for event in self.tc.events():
            if isinstance(event, TcapFault):
                self._point.site.note(f"TCAP: {event.reason}")
            else:
                self._take(event)
        self._timer.arm(self.tc.next_timer())

    def receive(self, data: Unitdata) -> None:
        """Take data of SCCP."""
        self.tc.receive(data.called, data.calling, data.data)
        self.flush()

    def returned(self, data: Returned) -> None:
        """Take data that could not be delivered."""
        self.tc.returned(data.data, _words(data.cause))
        self.flush()

    def stop(self) -> None:
        """Rest."""
        self._timer.arm(None)


class SignallingPoint:
    """A point code, and all that is at it."""

    def __init__(
        self,
        site: Site,
        point_code: int,
        *,
        routes: Iterable[Route] = (),
        servers: Iterable[ApplicationServer] | None = None,
        translations: Iterable[Translation] = (),
        places: Mapping[int, Place] = {},
    ) -> None:
        """`servers` are those of a gateway, which listens; None: this point only dials its `routes`.

        `places` are those of servers by their routing contexts: see `Listening`.
        """
        self.site = site
        self.sccp = SccpPoint(point_code, (), translations)
        self._users: dict[int, TcapUser] = {}
        self._routes = [(each, self._associate(each)) for each in routes]
        self._listening: Listening | None = None
        if servers is not None:
            self._servers = {each.routing_context: each for each in servers}
            self._listening = Listening(
                site, self._servers.values(), self._receive, local=(point_code,), served=self._served, places=places
            )
        self._timer = MachineTimer(site.clock, self.sccp.on_timer, self._flush, internal=True)

    @property
    def point_code(self) -> int:
        """Its point code."""
        return self.sccp.point_code

    def user(self, ssn: int, user: TcUser, take: Callable[[DialogueEvent], None], **more: Any) -> TcapUser:
        """Bring a user of TCAP to a subsystem."""
        self.sccp.subsystems[ssn] = True
        first = int.from_bytes(self.site.rng.randbytes(4))
        tc = TcapEndpoint(user, Address(ssn, self.point_code), first=first, **more)
        self._users[ssn] = TcapUser(self, tc, take)
        return self._users[ssn]

    async def start(self) -> None:
        """Listen, and make the associations."""
        if self._listening is not None:
            await self._listening.listen()
        for _, association in self._routes:
            await association.connect()

    def stop(self, *, kill: bool = False) -> None:
        """Go down, or lose power (`kill`)."""
        for _, association in self._routes:
            association.leave(kill=kill)
        if self._listening is not None:
            self._listening.close()
        for user in self._users.values():
            user.stop()
        self._timer.arm(None)

    def send(self, called: Address, calling: Address, data: bytes) -> None:
        """Send data of a subsystem of this point."""
        self.sccp.send(called, calling, data)
        self._flush()

    # -- what comes

    def _associate(self, route: Route) -> Association:
        return Association(self.site, route.target, route.routing_context, self._receive, tell=self._told)

    def _receive(self, data: ProtocolData) -> None:
        self.sccp.receive(data, self.site.clock.now())
        self._flush()

    def _told(self, message: Message) -> None:
        """Take what a gateway says of destinations (RFC 4666 4.5)."""
        for each in message.affected_point_code:
            if each.mask:
                continue  # whole ranges are nowhere used here
            if message.type is MessageType.DESTINATION_UNAVAILABLE:
                self.sccp.pause(each.point_code)
            elif message.type is MessageType.DESTINATION_AVAILABLE:
                self.sccp.resume(each.point_code)
        self._flush()

    def _served(self, served: Served) -> None:
        point_code = self._servers[served.routing_context].point_code
        if served.state is AsState.ACTIVE:
            self.sccp.resume(point_code)
        elif served.state is not AsState.PENDING:
            self.sccp.pause(point_code)
        self._flush()

    def _flush(self) -> None:
        for data in self.sccp.data_to_send():
            self._transmit(data)
        for event in self.sccp.events():
            match event:
                case Unitdata(called) if called.ssn in self._users:
                    self._users[called.ssn].receive(event)
                case Returned(_, calling) if calling.ssn in self._users:
                    self._users[calling.ssn].returned(event)
                case SubsystemChanged(point_code, ssn, allowed):
                    self.site.note(f"subsystem {ssn} at {point_code} is {'there' if allowed else 'away'}")
                case Fault(reason):
                    self.site.note(f"SCCP: {reason}")
                case _:
                    pass
        self._timer.arm(self.sccp.next_timer())

    def _transmit(self, data: ProtocolData) -> None:
        """Send a message of MTP where its destination is, by the first way that is open."""
        to = data.destination_point_code
        if self._listening is not None and self._listening.send(data):
            return
        ways = [way for route, way in self._routes if not route.point_codes or to in route.point_codes]
        way = next((each for each in ways if each.active), None)
        if way is None:
            self.site.note(f"no way to point code {to}")
            self.sccp.undelivered(data)
            self._flush()
            return
        way.send(data)


def _words(cause: int) -> str:
    return ReturnCause(cause).name.lower().replace("_", " ") if cause in {*ReturnCause} else f"cause {cause}"
