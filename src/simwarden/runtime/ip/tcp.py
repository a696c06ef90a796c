"""The TCP of one host in the event loop: its connections, over whatever carries its packets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from simwarden.machine.tcp import Connection
from simwarden.machine.tcp_table import Alive, Closed, Ended, Faulted, Opened, Received, State, TcpSettings, reset_for
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire import ip
from simwarden.wire.ip import Packet, Tcp, TcpFlag

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simwarden.runtime.site import Site

#: own address and port, the peer's
Ends = tuple[str, int, str, int]
#: connections that a host has at a time; a SYN beyond is left unanswered, as on a host whose backlog is full
_MOST: Final = 1024
#: seconds that a server waits for the end of who has its answer
_LINGER: Final = 60.0
#: octets of the headers of IP and TCP, by version
_HEADERS: Final = {4: 40, 6: 60}


class Conversation(Protocol):
    """What a program sees of a connection: plain TCP, or TLS on it."""

    async def read(self) -> bytes:
        """Return what came, empty at the end. Raises ConnectionError, TimeoutError, PeerError."""

    def write(self, data: bytes) -> None:
        """Send octets."""

    def close(self) -> None:
        """Send no more."""


@dataclass(slots=True, eq=False)
class Stream:
    """One end of a connection, for who reads and writes octets."""

    _host: TcpHost
    _connection: Connection
    ends: Ends
    #: seconds in which the peer has to send something that is read, None: any time
    patience: float | None = field(init=False)
    #: called when the peer has answered a keep-alive
    on_alive: Callable[[], object] = lambda: None
    _timer: MachineTimer = field(init=False)
    _received: bytearray = field(default_factory=bytearray)
    _opened: bool = False
    _ended: bool = False
    _error: Exception | None = None
    _waiter: asyncio.Future[None] | None = None

    def __post_init__(self) -> None:
        clock, self.patience = self._host.site.clock, self._host.patience
        self._timer = MachineTimer(clock, self._connection.on_timer, self._pump, internal=True)

    async def connect(self) -> None:
        """Open to the peer. Raises ConnectionError (refused) or TimeoutError (nobody answers)."""
        self._connection.connect(self._host.site.clock.now())
        self._pump()
        while not self._opened:
            await self._wait()

    def accept(self, syn: Tcp) -> None:
        """Open to a peer that has sent a SYN."""
        self._connection.accept(syn, self._host.site.clock.now())
        self._pump()

    @property
    def lingers(self) -> bool:
        """Whether all is said, and only the peer's end is awaited."""
        return self._connection.state is State.FIN_WAIT_2

    @property
    def opening(self) -> bool:
        """Whether the peer has not answered yet."""
        return self._connection.state is State.SYN_SENT

    async def read(self) -> bytes:
        """See Conversation. Who says nothing for too long is left: TimeoutError."""
        try:
            async with asyncio.timeout(self.patience):
                while not self._received and (self._error is not None or not self._ended):
                    await self._wait()
        except TimeoutError:
            self.abort()
            raise
        data = bytes(self._received)
        self._received.clear()
        return data

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def write(self, data: bytes) -> None:
        """See Conversation."""
        self._connection.send(data, self._host.site.clock.now())
        self._pump()

    def close(self) -> None:
        """See Conversation."""
        self._connection.close(self._host.site.clock.now())
        self._pump()

    def abort(self, error: Exception | None = None) -> None:
        """End it at once, with a RST; who reads hears of `error`."""
        self._error = self._error or error or ConnectionAbortedError("the connection was ended here")
        self._connection.abort()
        self._pump()

    # -- what happens

    def take(self, segment: Tcp) -> None:
        """Take a segment of the peer's."""
        self._connection.receive(segment, self._host.site.clock.now())
        self._pump()

    def _pump(self) -> None:
        for event in self._connection.events():
            match event:
                case Received(data):
                    self._received += data
                case Opened():
                    self._opened = True
                case Ended():
                    self._ended = True
                case Closed():
                    self._end(event)
                case Alive():
                    self.on_alive()
                case Faulted(reason):
                    self._host.blame(f"TCP: {reason}")
        self._host.send([ip.encode_tcp(each, self.ends[0], self.ends[2]) for each in self._connection.data_to_send()])
        self._timer.arm(self._connection.next_timer())
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end(self, event: Closed) -> None:
        self._host.forget(self.ends)
        if event.timed_out:
            self._error = self._error or TimeoutError("the peer acknowledges nothing")
        elif event.reset:
            kind = ConnectionResetError if self._opened else ConnectionRefusedError
            self._error = self._error or kind("the peer has reset the connection")
        else:
            self._ended = True


class TcpHost:
    """The connections of a host.

    `send` is given packets to be carried away, `blame` is told what a peer did wrong. `serves` says who speaks with
    those that connect to an address and port: None refuses them.
    """

    def __init__(self, site: Site, send: Callable[[list[Packet]], None], blame: Callable[[str], None]) -> None:
        self.site, self._carry, self.blame, self.mtu = site, send, blame, 1500
        #: seconds in which a peer has to say something that is waited for, None: no end of it
        self.patience: float | None = None
        self.serves: Callable[[Ends], Callable[[Stream], Coroutine[None, None, None]] | None] = lambda _ends: None
        #: returns True for an address and port whose connections may outlast a scenario
        self.may_last: Callable[[Ends], bool] = lambda _ends: False
        self._streams: dict[Ends, Stream] = {}

    def send(self, packets: list[Packet]) -> None:
        """Have packets carried away."""
        if packets:
            self._carry(packets)

    async def connect(self, own: str, own_port: int, to: str, port: int, keep_alive: float = 0.0) -> Stream:
        """Connect; `keep_alive` as of TcpSettings. Raises ConnectionError (refused) or TimeoutError (no answer)."""
        stream = self._stream((own, own_port, to, port), keep_alive)
        try:
            await stream.connect()
        except BaseException:
            stream.abort()
            raise
        return stream

    def _stream(self, ends: Ends, keep_alive: float = 0.0) -> Stream:
        own, own_port, _, port = ends
        version = 6 if ":" in own else 4
        settings = TcpSettings(mss=self.mtu - _HEADERS[version], version=version, keep_alive=keep_alive)
        connection = Connection(own_port, port, self.site.rng.getrandbits(32), settings)
        stream = self._streams[ends] = Stream(self, connection, ends)
        return stream

    def knows(self, packet: Packet) -> bool:
        """Whether a packet is of a connection of this host. Raises PeerError."""
        segment = ip.decode_tcp(packet)
        return (packet.destination, segment.destination_port, packet.source, segment.source_port) in self._streams

    def take(self, packet: Packet) -> None:
        """Take a packet with a segment for this host. Raises PeerError."""
        segment = ip.decode_tcp(packet)
        ends = packet.destination, segment.destination_port, packet.source, segment.source_port
        stream = self._streams.get(ends)
        if stream is not None:
            stream.take(segment)
        elif segment.flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST) == TcpFlag.SYN:
            self._take_syn(segment, ends)
        else:
            self._refuse(segment, ends)

    def _take_syn(self, segment: Tcp, ends: Ends) -> None:
        serve = self.serves(ends)
        if serve is None:
            self._refuse(segment, ends)
        elif len(self._streams) < _MOST:
            stream = self._stream(ends)
            stream.accept(segment)
            self.site.spawn(self._serve(serve(stream), stream), "TCP", standing=self.may_last(ends))

    async def _serve(self, work: Coroutine[None, None, None], stream: Stream) -> None:
        """Have a connection served, and see that it ends, also where the peer closes its direction never."""
        try:
            await work
        finally:
            stream.close()
        while stream.ends in self._streams:
            await self.site.clock.sleep(_LINGER)
            if stream.lingers:
                stream.abort()

    def _refuse(self, segment: Tcp, ends: Ends) -> None:
        answer = reset_for(segment)
        if answer is not None:
            self.send([ip.encode_tcp(answer, ends[0], ends[2])])

    def unreachable(self, ends: Ends) -> None:
        """Give up a connection that does not stand yet, as a router says that nobody is there (RFC 9293 3.9.2.2)."""
        stream = self._streams.get(ends)
        if stream is not None and stream.opening:
            stream.abort(ConnectionRefusedError("the network says that nobody is there"))

    def forget(self, ends: Ends) -> None:
        """Have a connection no more."""
        self._streams.pop(ends, None)

    def cut(self, reason: str) -> None:
        """End all connections, as nothing can be sent any more."""
        for stream in list(self._streams.values()):
            stream.abort(ConnectionAbortedError(reason))

    def __len__(self) -> int:
        return len(self._streams)
