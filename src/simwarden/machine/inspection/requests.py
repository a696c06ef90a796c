"""What a client shows in its octets, from the first on: by TLS once, by HTTP with each request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from simwarden.errors import PeerError
from simwarden.wire import http, tls
from simwarden.wire.shown import By, Shown

if TYPE_CHECKING:
    from collections.abc import Callable


#: octets of a body from which on they are left to the stream, which keeps none of them
_LONG_BODY: Final = 256


@dataclass(slots=True, eq=False)
class Requests:
    """The reader of one client's octets. After CONNECT and Upgrade it begins anew: anything may follow."""

    hears: ClassVar[bool] = False

    #: what reads what comes next; it returns whether it may go on
    _next: Callable[[Requests], bool] = field(init=False)
    _buffer: bytearray = field(default_factory=bytearray)
    _looked: int = 0
    _leaves: bool = False
    _has_read: bool = False
    _early_data: bool = False
    _shown: list[Shown] = field(default_factory=list)
    _hello: bytearray = field(default_factory=bytearray)
    #: octets next in the stream that show nothing, being of a body
    skip: int = 0
    #: octets at the end of what was taken that were not read: they are of such a body, or behind it
    unread: int = 0

    def __post_init__(self) -> None:
        self._next = Requests._open

    @property
    def ends(self) -> bool:
        """See Reader."""
        return self._next is Requests._ignore

    @property
    def waits(self) -> bool:
        """See Reader."""
        return bool(self._buffer or self._hello) or not self._has_read

    @property
    def in_hello(self) -> bool:
        """See Reader."""
        return self._next is Requests._read_record and bool(self._buffer or self._hello)

    def take(self, octets: bytes) -> list[Shown]:
        """Return what the next octets show. Raises PeerError where servers would differ in what they read."""
        self._buffer += octets
        self._shown, self.unread = [], 0
        while self._buffer and self._next(self):
            if self.skip >= _LONG_BODY and self._buffer:
                self.unread = len(self._buffer)
                self._buffer.clear()
                break
            cut = min(self.skip, len(self._buffer))
            del self._buffer[:cut]
            self.skip -= cut
        return self._shown

    def end(self) -> list[Shown]:
        """See Reader. Some servers take the end of a connection for that of a head, as that of Python does."""
        amid_head = self._buffer and self._next in (Requests._open, Requests._read_head, Requests._find_head)
        return self.take(b"\r\n\r\n") if amid_head else []

    def hear(self, octets: bytes, now: float) -> None:
        """See Reader."""

    # -- what comes next

    def _open(self) -> bool:
        """Find out what it is. A line that is none of HTTP/1 names nobody."""
        if self._buffer[0] in tls.RECORDS:
            if len(self._buffer) == 1:
                return False
            self._next = Requests._read_record if self._buffer[1] == tls.MAJOR else Requests._ignore
            return True
        line = http.first_line(self._buffer)
        if line is None:
            return False
        if b"HTTP/" in line.upper():
            self._next = Requests._read_head
        else:
            simple = http.simple_request(line)
            self._shown += [simple] if simple else []
            self._stop()
        return True

    def _stop(self) -> None:
        self._next = Requests._ignore
        self._buffer.clear()
        self._hello.clear()

    def _read_record(self) -> bool:
        length = tls.record_length(self._buffer)
        if length is None or len(self._buffer) < length:
            return False
        self._hello += self._buffer[tls.HEADER : length]
        del self._buffer[:length]
        while (whole := tls.hello_length(self._hello)) is not None and len(self._hello) >= whole:
            hello, self._has_read = tls.read_hello(bytes(self._hello[:whole])), True
            self._shown += [Shown(hello.name, By.TLS)] if hello.name else []
            self._early_data |= hello.early_data
            del self._hello[:whole]
            if not self._hello:
                self._next = Requests._look_behind_hello
        return True

    def _look_behind_hello(self) -> bool:
        """See whether a second ClientHello follows, that to a HelloRetryRequest (RFC 8446 4.1.4)."""
        if len(self._buffer) < tls.HEADER:
            return False
        self.skip = tls.left_out(self._buffer, early_data=self._early_data)
        if self.skip:
            return True
        if len(self._buffer) == tls.HEADER and self._buffer[0] == tls.HANDSHAKE:
            return False
        if tls.begins_hello(self._buffer):
            self._next = Requests._read_record
        else:
            self._stop()
        return True

    def _read_head(self) -> bool:
        if self._buffer[0] in b"\r\n":
            return http.drop_empty_lines(self._buffer)
        length = http.head_length(self._buffer, self._looked)
        if length is None:
            self._looked = len(self._buffer)
            return False
        self._looked = 0
        request = http.read(bytes(self._buffer[:length]))
        del self._buffer[:length]
        self._shown += request.shown
        self._leaves, self._has_read = request.leaves, True
        if request.body is None:
            self._next = Requests._read_chunk
        else:
            self.skip = request.body
            self._end_body()
        return True

    def _end_body(self) -> None:
        self._next = Requests._open if self._leaves else Requests._find_head

    def _find_head(self) -> bool:
        """Find the next request, and skip lines that are none (NMEA to an NTRIP caster, audio to Icecast).

        A server may refuse such a line and read a request behind it, so that no line is left out unseen.
        """
        end = self._buffer.find(b"\n", self._looked) + 1
        line = self._buffer[:end] if end else self._buffer
        if http.is_request_like(line):
            self._looked, self._next = 0, Requests._read_head
        elif end:
            self._looked = 0
            del self._buffer[:end]
        else:
            self._looked = len(self._buffer)
            if self._looked > http.LONGEST:
                del self._buffer[: -http.LONGEST // 2]
                self._looked = len(self._buffer)
        return bool(end) or self._next is Requests._read_head

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n") + 1
        if not end and len(self._buffer) > http.LONGEST:
            raise PeerError("line of HTTP that is too long")
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        return line or None

    def _read_chunk(self) -> bool:
        line = self._line()
        if line is not None:
            self.skip = http.chunk_size(line)
            self._next = Requests._end_chunk if self.skip else Requests._read_trailer
        return line is not None

    def _end_chunk(self) -> bool:
        line = self._line()
        if line not in (None, b"\r\n"):
            raise PeerError("chunk that is longer than it says")
        if line is not None:
            self._next = Requests._read_chunk
        return line is not None

    def _read_trailer(self) -> bool:
        line = self._line()
        if line is not None and http.ends_trailer(line):
            self._end_body()
        return line is not None

    def _ignore(self) -> bool:
        self._buffer.clear()
        return False
