"""A Diameter peer of another hand: python-diameter's codec and dictionary, and nothing of this project.

AVPs are told by the names that their specifications give them, as a tree: `{"Rating-Group": 10}`; a list repeats an
AVP, a dictionary is a grouped one. What comes is kept the same way, with a list for every name.

The library's own node is not used: of an AVP that a request has twice it keeps the last one (Event-Trigger,
Supported-Features), and it answers a repeat by 5012 itself.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from diameter.message import Message, MessageHeader, constants
from diameter.message.avp import Avp
from diameter.message.avp.avp import AvpGrouped, AvpOctetString
from diameter.message.avp.dictionary import AVP_DICTIONARY, AVP_VENDOR_DICTIONARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Tree = dict[str, Any]
VENDOR = constants.VENDOR_TGPP
#: AVPs by name; those of the IETF before those that 3GPP gave the same name
CODES = {entry["name"]: (code, VENDOR) for code, entry in AVP_VENDOR_DICTIONARY[VENDOR].items()} | {
    entry["name"]: (code, 0) for code, entry in AVP_DICTIONARY.items()
}
CER, RAR, CCR, DWR, DPR = 257, 258, 272, 280, 282
REQUEST, PROXIABLE, ERROR = 0x80, 0x40, 0x20
#: RFC 6733 7.1: protocol errors, which have the E bit
PROTOCOL_ERRORS = range(3000, 4000)
#: seconds that an answer may take
PATIENCE = 30.0


def encode(tree: Tree) -> list[Avp]:
    """Make AVPs. Raises KeyError for a name that the dictionary lacks."""
    made = []
    for name, value in tree.items():
        code, vendor = CODES[name]
        for each in value if isinstance(value, list) else [value]:
            avp = Avp.new(code, vendor)
            avp.value = encode(each) if isinstance(each, dict) else _scalar(avp, each)
            made.append(avp)
    return made


def _scalar(avp: Avp, value: Any) -> Any:
    """Return a value as its type takes it; text that begins with 0x is octets."""
    if not isinstance(avp, AvpOctetString) or not isinstance(value, str):
        return value
    return bytes.fromhex(value[2:]) if value.startswith("0x") else value.encode()


def decode(avps: Iterable[Avp]) -> Tree:
    """Read AVPs; one that the dictionary lacks is known by its code."""
    tree: Tree = {}
    for avp in avps:
        name = avp.name if avp.name != "Unknown" else f"{avp.vendor_id}/{avp.code}"
        tree.setdefault(name, []).append(decode(avp.value) if isinstance(avp, AvpGrouped) else avp.value)
    return tree


def find(tree: Tree, *path: str) -> list[Any]:
    """Return all values below a path of names."""
    found: list[Any] = [tree]
    for name in path:
        found = [value for each in found for value in each.get(name, [])]
    return found


@dataclass(frozen=True)
class Received:
    """A message that came, and when (seconds of a clock that only goes forward)."""

    header: MessageHeader
    avps: Tree
    octets: bytes
    at: float = field(default_factory=time.monotonic)

    @classmethod
    def read(cls, octets: bytes) -> Received:
        message = Message.from_bytes(octets, plain_msg=True)
        return cls(message.header, decode(message.avps), octets)

    def all(self, *path: str) -> list[Any]:
        """Return all values below a path of names."""
        return find(self.avps, *path)

    def one(self, *path: str) -> Any:
        """Return the only value below a path of names, None where there is none. Raises ValueError for several."""
        value, *more = self.all(*path) or [None]
        if more:
            raise ValueError(f"{1 + len(more)} of {'/'.join(path)}")
        return value

    @property
    def session(self) -> str:
        return str(self.one("Session-Id"))

    @property
    def result(self) -> int:
        return int(self.one("Result-Code") or self.one("Experimental-Result", "Experimental-Result-Code"))


class Link:
    """One connection, with the thread that reads it."""

    def __init__(self, node: Node, connection: socket.socket) -> None:
        self.node, self._socket = node, connection
        self._waiting: dict[int, Callable[[Received], None]] = {}
        self._sending = threading.Lock()
        #: what is said together later, by `release`; None: all goes out as it is said
        self.held: list[bytes] | None = None
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self._socket.makefile("rb")
        try:
            while head := stream.read(20):
                self._take(head + stream.read(max(int.from_bytes(head[1:4]) - 20, 0)))
        except (OSError, ValueError):
            pass  # closed, here or there
        finally:
            self.close()

    def _take(self, octets: bytes) -> None:
        self.node.heard.append(octets)
        try:
            message = Received.read(octets)
            if not message.header.is_request:
                self._waiting.pop(message.header.hop_by_hop_identifier, self.node.unexpected)(message)
            elif message.header.command_code in (CER, DWR, DPR):
                self._answer_peer(message)
            else:
                self.node.received.append(message)
                self.node.handle(self, message)
        except Exception as error:  # noqa: BLE001 - what it cannot read or does not know is for the test to see
            self.node.complaints.append(f"{type(error).__name__} {error}: {octets.hex()}")

    def _answer_peer(self, request: Received) -> None:
        avps = self.node.capabilities() if request.header.command_code == CER else self.node.origin()
        self.answer(request, {"Result-Code": 2001, **avps})

    def send(self, header: MessageHeader, tree: Tree) -> None:
        """Send a message."""
        octets = Message(header, encode(tree)).as_bytes()
        self.node.said.append(octets)
        with self._sending:
            if self.held is None:
                self._socket.sendall(octets)
            else:
                self.held.append(octets)

    def release(self) -> None:
        """Send what is held in one piece."""
        with self._sending:
            self._socket.sendall(b"".join(self.held or ()))
            self.held = None

    def answer(self, request: Received, tree: Tree) -> None:
        """Answer a request; Proxy-Info goes back as it came (RFC 6733 6.2)."""
        header = MessageHeader.from_bytes(request.octets)
        failed = tree.get("Result-Code", 0) in PROTOCOL_ERRORS
        header.command_flags = header.command_flags & PROXIABLE | (ERROR if failed else 0)
        back = {"Proxy-Info": request.avps["Proxy-Info"]} if "Proxy-Info" in request.avps else {}
        self.send(header, {**tree, **back})

    def ask(self, command: int, tree: Tree, *, patience: float = PATIENCE) -> Received:
        """Send a request and wait for its answer. Raises TimeoutError when none comes."""
        answers: queue.SimpleQueue[Received] = queue.SimpleQueue()
        number = self.node.next_number()
        self._waiting[number] = answers.put
        application = 0 if command in (CER, DWR, DPR) else self.node.application
        flags = REQUEST | (PROXIABLE if application else 0)
        self.send(MessageHeader(1, 0, flags, command, application, number, number), tree)
        try:
            return answers.get(timeout=patience)
        except queue.Empty:
            raise TimeoutError(f"no answer to command {command}") from None

    def close(self) -> None:
        """Drop the connection."""
        with contextlib.suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Node:
    """A peer with one application. What it hears and says is kept, in octets too."""

    def __init__(self, host: str, realm: str, application: int) -> None:
        self.host, self.realm, self.application = host, realm, application
        self.received: list[Received] = []
        self.heard: list[bytes] = []
        self.said: list[bytes] = []
        #: what came and could not be understood
        self.complaints: list[str] = []
        self._numbers = 0
        self._counting = threading.Lock()

    def next_number(self) -> int:
        with self._counting:
            self._numbers += 1
            return self._numbers

    def origin(self) -> Tree:
        return {"Origin-Host": self.host, "Origin-Realm": self.realm}

    def capabilities(self) -> Tree:
        """What CER and CEA have: an application of 3GPP's is told with its vendor (TS 29.212 5.5)."""
        ours: Tree = {"Auth-Application-Id": self.application}
        if self.application != constants.APP_DIAMETER_CREDIT_CONTROL_APPLICATION:
            ours = {"Vendor-Specific-Application-Id": {"Vendor-Id": VENDOR, "Auth-Application-Id": self.application}}
        names: Tree = {"Host-IP-Address": "127.0.0.1", "Vendor-Id": 0, "Product-Name": "another hand"}
        return {**self.origin(), **names, "Supported-Vendor-Id": VENDOR, **ours}

    def handle(self, link: Link, request: Received) -> None:
        """Do what a request asks for."""
        raise NotImplementedError

    def unexpected(self, answer: Received) -> None:
        """Take an answer to nothing that was asked."""
        self.complaints.append(f"an answer to nothing: {answer.octets.hex()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave, without a word."""
        raise NotImplementedError


class Client(Node):
    """A peer that connects. Raises ConnectionError where it is not welcome."""

    def __init__(self, port: int, host: str, realm: str, application: int, *, at: str = "127.0.0.1") -> None:
        super().__init__(host, realm, application)
        self.link = Link(self, socket.create_connection((at, port), timeout=PATIENCE))
        self.welcome = self.link.ask(CER, self.capabilities())
        if self.welcome.result != 2001:
            raise ConnectionError(f"the peer answered {self.welcome.result}")

    def close(self) -> None:
        self.link.close()


class Server(Node):
    """A peer that listens."""

    def __init__(self, host: str, realm: str, application: int, *, port: int = 0, at: str = "127.0.0.1") -> None:
        super().__init__(host, realm, application)
        self.links: list[Link] = []
        self._listener = socket.create_server((at, port))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                self.links.append(Link(self, self._listener.accept()[0]))
        except OSError:
            return  # closed

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it is closed already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self.links:
            link.close()
