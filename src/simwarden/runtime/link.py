"""A link: one end of a connection between two elements, whatever carries it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, ClassVar

from simwarden.errors import InternalError
from simwarden.model.interfaces import Service
from simwarden.trace.events import Frame, PacketDropped, PeerFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Wiring
    from simwarden.runtime.transport.reception import Reception
    from simwarden.trace.trace import Trace


def _ignore_data(_data: bytes, _stream: int) -> None:
    """Receive for a link whose owner has not set a receiver yet, or no longer cares."""


def _ignore_failure() -> None:
    """Hear of a failure of the radio that the owner of a link takes no notice of."""


def _ignore_close(_reason: str) -> None:
    """Hear of the close of a link whose owner does not care."""


@dataclass(slots=True, eq=False, repr=False)
class Link(ABC):
    """One end of a connection on a reference point.

    The owner sets `on_receive` (called with the octets and the SCTP stream; one call a message where the interface's
    service keeps messages, any segmentation where it is a stream) and `on_close` (called once with a reason, when the
    far end closed or was lost; not after a close of one's own). On the radio `on_failure` is told when lower
    layers have given up a message, and with it the connection of the device, while the ends still hear each other.
    `remote` is the far element's name, or host:port of a peer outside this process; `internal` says which. Who accepted
    it calls `know` at the first message that shows who the peer is: a stranger from outside is soon sent away.

    User packets have a lane of their own: `send_packets` hands over many at once, which come to `on_packets` as one
    batch, in their place among the messages. They are counted (`packets`, `octets`), and none is a frame of the trace
    unless somebody asked for that (`Trace.show_packets`).
    """

    #: whether each message is one of SCTP's, also where the reference point is a stream
    on_sctp: ClassVar[bool] = False

    wiring: Wiring
    interface: Interface
    local: str
    remote: str
    number: int
    _: KW_ONLY
    client: bool
    trace: Trace = field(init=False)
    #: the other end, where it is in this process and a connection joins the two
    far: Link | None = None
    internal: bool = True
    up: bool = True
    on_receive: Callable[[bytes, int], None] = _ignore_data
    on_close: Callable[[str], None] = _ignore_close
    on_failure: Callable[[], None] = _ignore_failure
    on_packets: Callable[[Sequence[bytes]], None] = field(init=False)
    #: called when the peer has shown who it is (""), and with the reason why it is not there
    on_standing: Callable[[str], None] = _ignore_close
    #: user packets sent from this end, and their octets
    packets: int = 0
    octets: int = 0
    known: bool = False
    #: our own addresses, on a multi-homed association of SCTP
    hosts: tuple[str, ...] = ()
    #: the first octets that came from a peer outside
    first: bytes = b""
    #: where a connection from outside was received
    reception: Reception | None = None

    def __post_init__(self) -> None:
        self.trace, self.on_packets = self.wiring.trace, self._take_no_packets

    def send(
        self, data: bytes, *, stream: int = 0, clear: bytes | None = None, interface: Interface | None = None
    ) -> None:
        """Send a message (or a piece of a stream). On a link that is down this does nothing, as on a dead wire.

        `clear` is the same message before ciphering, for those who read the trace; `interface` the reference point that
        it is of, on a link that carries several.
        """
        if self.up:
            self.trace.emit(self._frame(data, stream, sent=True, clear=clear, interface=interface))
            self._transmit(data, stream)

    def send_together(self, messages: Sequence[bytes]) -> None:
        """Send messages of a stream by as few writes as there can be; each is a frame of the trace by itself."""
        if self.internal or len(messages) < 2 or self.interface.service is not Service.STREAM:
            for each in messages:
                self.send(each)
        elif self.up:
            for each in messages:
                self.trace.emit(self._frame(each, sent=True))
            self._transmit(b"".join(messages), 0)

    def _frame(
        self,
        data: bytes,
        stream: int = 0,
        *,
        sent: bool,
        clear: bytes | None = None,
        interface: Interface | None = None,
    ) -> Frame:
        return Frame(
            source=self.local if sent else self.remote,
            target=self.remote if sent else self.local,
            interface=(interface or self.interface).name,
            protocol=self.interface.protocol,
            data=data,
            link=self.number,
            stream=stream,
            ppid=self.interface.ppid,
            clear=clear,
            from_client=self.client is sent,
            on_sctp=self.on_sctp,
            ends=self._ends(sent=sent),
        )

    def _ends(self, *, sent: bool) -> tuple[Address, Address] | None:
        """Return the addresses of sender and receiver of a datagram."""
        del sent
        return None

    def record_received(self, data: bytes, stream: int = 0, *, interface: Interface | None = None) -> None:
        """Put into the trace a message from a peer outside this process (those within are recorded when sent)."""
        if self.internal:
            return
        self.first = self.first or data[:5]
        self.trace.emit(self._frame(data, stream, sent=False, interface=interface))

    def send_packets(self, packets: Sequence[bytes]) -> None:
        """Send user packets: of datagrams, and on the radio. On a link that is down this does nothing."""
        point = self.interface
        if point.service is Service.STREAM or (point.service is Service.MESSAGES and point.ppid):
            raise InternalError(f"{point.name} carries no user packets")
        if not self.up or not packets:
            return
        self.packets += len(packets)
        self.octets += sum(map(len, packets))
        self._show_packets(packets, sent=True)
        self._transmit_packets(packets)

    def hear_packets(self, packets: Sequence[bytes]) -> None:
        """Be handed user packets (called by the transport)."""
        if self.up:
            if not self.internal:
                self._show_packets(packets, sent=False)
            self.on_packets(packets)

    def _show_packets(self, packets: Sequence[bytes], *, sent: bool) -> None:
        if self.trace.show_packets:
            for each in packets:
                self.trace.emit(self._frame(each, sent=sent))

    def drop(self, packets: Sequence[bytes], reason: str, subject: str = "") -> None:
        """Tell of user packets that came here and go no further."""
        for each in packets:
            self.trace.emit(
                PacketDropped(
                    element=self.local,
                    interface=self.interface.name,
                    protocol=self.interface.protocol,
                    reason=reason,
                    subject=subject,
                    data=each,
                )
            )

    def report_fault(self, reason: str, data: bytes = b"") -> None:
        """Report bytes from outside that are malformed or break the protocol."""
        interface = self.interface.name
        self.trace.emit(PeerFault(element=self.local, peer=self.remote, interface=interface, reason=reason, data=data))

    def _take_no_packets(self, packets: Sequence[bytes]) -> None:
        self.drop(packets, "it takes no user packets here")

    def know(self) -> None:
        """Take note that the peer has shown who it is, by a message that its element understood; once is enough."""
        if not self.known:
            self.known = True
            self.on_standing("")
        if self.reception is not None:
            self.reception.know(self)

    def refuse(self, reason: str) -> None:
        """Take note that the peer is there, and will not have this end; the link may stay, to be asked again."""
        self.on_standing(reason)

    def close(self, reason: str = "closed by peer") -> None:
        """Close; the far end hears `reason` where the transport can tell it."""
        if self.up:
            self._down()
            if not self.known:
                self.on_standing(reason)
            self._shut(reason)

    def lose(self, reason: str) -> None:
        """Lose the connection under way: this end hears of it now, the far end in its turn."""
        if self.up:
            self._shut(reason)
            self.hear_close(reason)

    @abstractmethod
    def _transmit(self, data: bytes, stream: int) -> None:
        """Carry the octets to the far end."""

    def _transmit_packets(self, packets: Sequence[bytes]) -> None:  # noqa: B027 - not all have a lane for them
        """Carry user packets to the far end as one batch."""

    @abstractmethod
    def _shut(self, reason: str) -> None:
        """Tell the far end that this end is gone."""

    def abort(self) -> None:  # noqa: B027 - a link in memory holds no socket
        """Drop the socket at once, with what has not been sent."""

    def hear_close(self, reason: str) -> None:
        """Be told that the far end is gone (called by the transport)."""
        if self.up:
            self._down()
            self.on_standing(reason)
            self.on_close(reason)

    def _down(self) -> None:
        self.up = False
        if self.reception is not None:
            self.reception.leave(self)

    def __repr__(self) -> str:
        return f"<{self.interface.name} link {self.number} {self.local} to {self.remote}>"
