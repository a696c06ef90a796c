"""A signalling gateway as a machine without I/O (RFC 4666 4.3 to 4.5): application servers, and their processes.

It acknowledges what processes ask for, tells of states by NTFY, of destinations by DUNA and DAVA, and finds the process
for a message by its destination. Without processes for others it is one end of an IPSP pair in single exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.machine.m3ua_events import AspState, AsState, Closed, Event, Fault, M3uaTimers, Received, Served, Told
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.m3ua import (
    Destination,
    ErrorCode,
    Message,
    MessageType,
    Status,
    TrafficMode,
    decode,
    encode,
    encode_data,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from simwarden.wire.m3ua import ProtocolData

T: Final = MessageType
_NOTIFIED: Final = {
    AsState.INACTIVE: Status.AS_INACTIVE,
    AsState.ACTIVE: Status.AS_ACTIVE,
    AsState.PENDING: Status.AS_PENDING,
}


@dataclass(slots=True)
class ApplicationServer:
    """What a routing context stands for: all that goes to a point code, and how processes share it."""

    routing_context: int
    point_code: int
    traffic_mode: TrafficMode = TrafficMode.OVERRIDE
    state: AsState = AsState.DOWN
    #: links of processes that are active, in the order in which they became so
    active: list[int] = field(default_factory=list)
    recovers_by: float = 0.0


@dataclass(slots=True)
class _Process:
    """A process on its link, at the host `source`; `servers` are those that it has asked for.

    `barred` are those that configuration places elsewhere.
    """

    heard: float
    source: str = ""
    barred: frozenset[int] = frozenset()
    state: AspState = AspState.DOWN
    identifier: int | None = None
    servers: set[int] = field(default_factory=set)
    beats: int = 0


class Gateway(Outputs[tuple[int, bytes], Event]):
    """All associations of one gateway. Links are numbers of the owner's; octets are whole messages."""

    def __init__(
        self,
        servers: Iterable[ApplicationServer],
        *,
        local: Collection[int] = (),
        placed: Collection[int] = (),
        timers: M3uaTimers = M3uaTimers(),  # noqa: B008 - it is a constant
    ) -> None:
        """`local` are point codes of the owner's own: what goes there is told by `Received`.

        `placed` are routing contexts with configured hosts; any other one belongs to the host of its active process.
        """
        super().__init__()
        self.servers = {each.routing_context: each for each in servers}
        self.local, self.placed, self.timers = frozenset(local), frozenset(placed), timers
        self._processes: dict[int, _Process] = {}

    # -- what the owner does

    def connected(self, link: int, now: float, source: str = "", barred: Iterable[int] = ()) -> None:
        """Add an association with a process at a host, which may not serve the `barred` routing contexts."""
        self._processes[link] = _Process(now, source, frozenset(barred))

    def lost(self, link: int, now: float) -> None:
        """Take note that an association is gone."""
        process = self._processes.get(link)
        if process is not None:
            self._deactivate(link, process.servers, now)
            del self._processes[link]
            self._review(now)

    def send(self, data: ProtocolData) -> bool:
        """Send a message to the server of its destination; whether there is a process for it."""
        server = self._server_of(data.destination_point_code)
        if server is None or not server.active:
            return False
        shared = server.traffic_mode is TrafficMode.LOADSHARE
        at = data.signalling_link_selection % len(server.active) if shared else -1
        links = server.active if server.traffic_mode is TrafficMode.BROADCAST else [server.active[at]]
        self._out += [(link, encode_data(data, server.routing_context)) for link in links]
        return True

    def state_of(self, link: int) -> AspState:
        """Return the state of the process on a link."""
        process = self._processes.get(link)
        return process.state if process is not None else AspState.DOWN

    # -- the five calls

    def receive(self, link: int, data: bytes, now: float) -> None:
        """Take a message from a link."""
        process = self._processes.get(link)
        if process is None:
            return
        process.heard, process.beats = now, 0
        try:
            self._hear(link, process, decode(data), data, now)
        except PeerError as error:
            self._refuse(link, error.reason, error.code or ErrorCode.PROTOCOL_ERROR, data)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        pending = [each.recovers_by for each in self.servers.values() if each.state is AsState.PENDING]
        due = [Timer(min(pending), keep_alive=False)] if pending else []
        beats = [each.heard + self.timers.heartbeat * (1 + each.beats) for each in self._processes.values()]
        due += [Timer(min(beats), keep_alive=True)] if beats else []
        return min(due, default=None)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        self._review(now)
        for link, process in list(self._processes.items()):
            if now < process.heard + self.timers.heartbeat * (1 + process.beats):
                continue
            if process.beats:
                self._events.append(Closed("no answer to BEAT", link))
                self.lost(link, now)
            else:
                process.beats = 1
                self._send(link, Message(T.HEARTBEAT, heartbeat_data=b"simwarden"))

    # -- procedures

    def _hear(self, link: int, process: _Process, message: Message, data: bytes, now: float) -> None:
        match message.type:
            case T.DATA:
                self._hear_data(link, process, message, data)
            case T.ASP_UP:
                self._hear_up(link, process, message, data, now)
            case T.ASP_DOWN:
                self._go_down(link, process, now)
            case T.ASP_ACTIVE:
                self._hear_active(link, process, message, data, now)
            case T.ASP_INACTIVE:
                self._hear_inactive(link, process, message, data, now)
            case T.HEARTBEAT:
                self._send(link, Message(T.HEARTBEAT_ACK, heartbeat_data=message.heartbeat_data))
            case T.HEARTBEAT_ACK:
                pass
            case T.DESTINATION_STATE_AUDIT:
                self._tell_destinations([link], {each.point_code for each in message.affected_point_code})
            case T.ERROR | T.NOTIFY:
                self._events.append(Told(message, link))
            case kind:
                self._refuse(link, f"{kind.name} to a gateway", ErrorCode.UNEXPECTED_MESSAGE, data)

    def _hear_data(self, link: int, process: _Process, message: Message, data: bytes) -> None:
        if process.state is not AspState.ACTIVE or message.protocol_data is None:
            self._refuse(link, f"DATA of an ASP that is {process.state.value}", ErrorCode.UNEXPECTED_MESSAGE, data)
            return
        if any(each not in process.servers for each in message.routing_context):
            code = ErrorCode.INVALID_ROUTING_CONTEXT
            self._refuse(link, f"DATA of {message.routing_context}", code, data, message.routing_context)
            return
        origin = message.protocol_data.originating_point_code
        if origin not in {self.servers[each].point_code for each in process.servers}:
            # a process speaks for the points of its servers, and for nobody else
            self._refuse(link, f"DATA from point code {origin}", ErrorCode.INVALID_PARAMETER_VALUE, data)
            return
        destination = message.protocol_data.destination_point_code
        if destination in self.local:
            self._events.append(Received(message.protocol_data, link))
        elif not self.send(message.protocol_data):
            self._tell_destinations([link], {destination})

    def _hear_up(self, link: int, process: _Process, message: Message, data: bytes, now: float) -> None:
        """Let a process up; one that is active and comes up again has to become active anew, and is told (4.3.4.1).

        A process that may serve nothing stays down (Refused - Management Blocking, 3.8.1).
        """
        if self.servers and process.barred >= self.servers.keys():
            code = ErrorCode.REFUSED_MANAGEMENT_BLOCKING
            self._refuse(link, f"ASP Up from {process.source}, which serves nothing here", code, data)
            return
        if process.state is AspState.ACTIVE:
            self._deactivate(link, process.servers, now)
            process.servers.clear()
            self._refuse(link, "ASP Up of an ASP that is active", ErrorCode.UNEXPECTED_MESSAGE, data)
        process.state, process.identifier = AspState.INACTIVE, message.asp_identifier
        self._send(link, Message(T.ASP_UP_ACK))
        self._review(now)

    def _go_down(self, link: int, process: _Process, now: float) -> None:
        self._deactivate(link, process.servers, now)
        process.state = AspState.DOWN
        process.servers.clear()
        self._send(link, Message(T.ASP_DOWN_ACK))
        self._review(now)

    def _hear_active(self, link: int, process: _Process, message: Message, data: bytes, now: float) -> None:
        wanted = message.routing_context or tuple(each for each in self.servers if each not in process.barred)
        blocked = tuple(each for each in wanted if self._is_blocked(process, each))
        unknown = tuple(each for each in wanted if each not in self.servers)
        mode = message.traffic_mode_type
        if process.state is AspState.DOWN:
            self._refuse(link, "ASP Active of an ASP that is down", ErrorCode.UNEXPECTED_MESSAGE, data)
        elif unknown or not wanted:
            code = ErrorCode.INVALID_ROUTING_CONTEXT if unknown else ErrorCode.NO_CONFIGURED_AS_FOR_ASP
            self._refuse(link, f"no server of routing contexts {unknown}", code, data, unknown)
        elif blocked:
            reason = f"ASP Active from {process.source}, which does not serve routing contexts {blocked}"
            self._refuse(link, reason, ErrorCode.REFUSED_MANAGEMENT_BLOCKING, data, blocked)
        elif mode is not None and any(self.servers[each].traffic_mode != mode for each in wanted):
            self._refuse(link, f"traffic mode {mode}", ErrorCode.UNSUPPORTED_TRAFFIC_MODE_TYPE, data)
        else:
            process.state = AspState.ACTIVE
            process.servers |= {*wanted}
            acknowledged = Message(T.ASP_ACTIVE_ACK, traffic_mode_type=mode, routing_context=message.routing_context)
            self._send(link, acknowledged)
            for each in wanted:
                self._activate(link, self.servers[each])
            self._review(now)

    def _is_blocked(self, process: _Process, routing_context: int) -> bool:
        """Return True if another host serves a routing context: by configuration, or as the first that came."""
        server = self.servers.get(routing_context)
        if routing_context in process.barred or server is None or routing_context in self.placed:
            return routing_context in process.barred
        holders = {self._processes[link].source for link in server.active}
        return server.traffic_mode is TrafficMode.OVERRIDE and bool(holders) and process.source not in holders

    def _activate(self, link: int, server: ApplicationServer) -> None:
        """Give a server's traffic to a process, by override to it alone; who had it is told (4.3.4.3)."""
        if link in server.active:
            return
        if server.traffic_mode is TrafficMode.OVERRIDE:
            for each in server.active:
                told = Message(
                    T.NOTIFY,
                    status=Status.ALTERNATE_ASP_ACTIVE,
                    asp_identifier=self._processes[link].identifier,
                    routing_context=(server.routing_context,),
                )
                self._send(each, told)
                self._forget(each, server.routing_context)
            server.active.clear()
        server.active.append(link)

    def _forget(self, link: int, routing_context: int) -> None:
        process = self._processes[link]
        process.servers.discard(routing_context)
        if not process.servers:
            process.state = AspState.INACTIVE

    def _hear_inactive(self, link: int, process: _Process, message: Message, data: bytes, now: float) -> None:
        if process.state is AspState.DOWN:
            self._refuse(link, "ASP Inactive of an ASP that is down", ErrorCode.UNEXPECTED_MESSAGE, data)
            return
        wanted = message.routing_context or tuple(process.servers)
        self._deactivate(link, wanted, now)
        for each in wanted:
            self._forget(link, each)
        self._send(link, Message(T.ASP_INACTIVE_ACK, routing_context=message.routing_context))
        self._review(now)

    def _deactivate(self, link: int, wanted: Iterable[int], now: float) -> None:
        for each in wanted:
            server = self.servers.get(each)
            if server is not None and link in server.active:
                server.active.remove(link)
                server.recovers_by = now + self.timers.recovery

    def _review(self, now: float) -> None:
        """Bring the states of servers in line with their processes, and tell whom it concerns (4.3.2, 4.3.4.5)."""
        up = [link for link, each in self._processes.items() if each.state is not AspState.DOWN]
        for server in self.servers.values():
            state = _state_now(server, now, up=bool(up))
            if state is server.state:
                continue
            before, server.state = server.state, state
            self._events.append(Served(server.routing_context, state))
            if state in _NOTIFIED:
                told = Message(T.NOTIFY, status=_NOTIFIED[state], routing_context=(server.routing_context,))
                for link in up:
                    self._send(link, told)
            if AsState.ACTIVE in (before, state) or before is AsState.PENDING:
                others = [link for link in up if link not in server.active]
                self._tell_destinations(others, {server.point_code})

    # -- destinations

    def _server_of(self, point_code: int) -> ApplicationServer | None:
        return next((each for each in self.servers.values() if each.point_code == point_code), None)

    def _tell_destinations(self, links: Iterable[int], point_codes: Iterable[int]) -> None:
        """Tell processes which of some destinations can be reached (4.5)."""
        for point_code in sorted(point_codes):
            server = self._server_of(point_code)
            there = point_code in self.local or (server is not None and bool(server.active))
            kind = T.DESTINATION_AVAILABLE if there else T.DESTINATION_UNAVAILABLE
            for link in links:
                if self.state_of(link) is AspState.ACTIVE:
                    self._send(link, Message(kind, affected_point_code=(Destination(point_code),)))

    # -- what all do

    def _send(self, link: int, message: Message) -> None:
        self._out.append((link, encode(message)))

    def _refuse(self, link: int, reason: str, code: int, data: bytes, contexts: tuple[int, ...] = ()) -> None:
        """Tell a process what is wrong; an ERR is never answered by one (3.8.1)."""
        self._events.append(Fault(reason, data, link))
        if data[2:4] != b"\0\0":
            message = Message(T.ERROR, error_code=code, routing_context=contexts, diagnostic_information=data[:40])
            self._send(link, message)


def _state_now(server: ApplicationServer, now: float, *, up: bool) -> AsState:
    if server.active:
        return AsState.ACTIVE
    if server.state in (AsState.ACTIVE, AsState.PENDING) and now < server.recovers_by:
        return AsState.PENDING
    return AsState.INACTIVE if up else AsState.DOWN
