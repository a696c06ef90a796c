"""The other side of a served element, as threads of a test drive it: an MME, and a client of its management.

Both raise Cut when the element is gone. What it refuses for a time (5012, 503) is None.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from served import FEATURES, PLMN, REALM, Client
from waiting import LONG

from simwarden.machine import milenage
from simwarden.wire.diameter import Message, answer_to, encode, first
from simwarden.wire.diameter.codes import DsrFlags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from served import Where

S13 = 16777252
UNABLE_TO_COMPLY = 5012
#: seconds after which a connection may have been closed for having nothing to say
_IDLE = 3.0
K, OPC = bytes(16), b"\x11" * 16


class Cut(Exception):  # noqa: N818 - says what happened to the connection
    """The element is gone, and what it was asked last may or may not have been done."""


class Asked:
    """A request that waits for its answer."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._answer: Message | None = None

    def set(self, answer: Message | None) -> None:
        self._answer = answer
        self._done.set()

    def answer(self) -> Message:
        if not self._done.wait(LONG) or self._answer is None:
            raise Cut
        return self._answer


class Mme:
    """An MME of one thread: it asks, and does and answers what the HSS orders. Its memory outlives its connections."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: terminal, whether it is barred, and zone codes of each card that is registered here
        self.registered: dict[str, tuple[str, bool, tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self._client: Client | None = None
        #: the client while somebody reads its answers
        self._read_from: Client | None = None
        self._waiting: dict[int, tuple[Asked, str, str]] = {}

    def connect(self, where: Where, *, application: int = 16777251) -> None:
        self._client = Client(where, host=self.name, application=application)
        self._client.socket.settimeout(None)  # nobody may have anything to say for a while
        self._reads(self._client)
        threading.Thread(target=self._read, args=(self._client,), daemon=True).start()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _read(self, client: Client) -> None:
        with contextlib.suppress(OSError):
            while True:
                message = client.receive()
                if message.request:
                    self._obey(message)
                    with self._lock:
                        answer = answer_to(message, 2001, (client.host, REALM))
                        if message.name == "insert-subscriber-data-request":
                            answer.avps.append(FEATURES)
                        client.socket.sendall(encode(answer))
                else:
                    asked, imsi, imei = self._waiting.pop(message.hop_by_hop, (Asked(), "", ""))
                    if imei and message.success:
                        self._learn(imsi, imei, message.get("Subscription-Data"))
                    asked.set(message)
        if self._read_from is client:
            self._reads(None)

    def _reads(self, client: Client | None) -> None:
        """Take note whose answers are read from now on; who waits for another's waits in vain."""
        with self._lock:
            self._read_from = client
            waiting, self._waiting = self._waiting, {}
        for asked, _, _ in waiting.values():
            asked.set(None)

    def _learn(self, imsi: str, imei: str, data: list[Any]) -> None:
        barred, zones = first(data, "Subscriber-Status") == 1, _zones(data)
        self.registered[imsi] = (imei, barred, zones)

    def _obey(self, message: Message) -> None:
        imsi = message.get("User-Name")
        if imsi not in self.registered:
            return
        imei, barred, zones = self.registered[imsi]
        if message.name == "cancel-location-request":
            del self.registered[imsi]
        elif message.name == "insert-subscriber-data-request":
            data = message.get("Subscription-Data")
            status = first(data, "Subscriber-Status")
            self.registered[imsi] = (imei, barred if status is None else status == 1, _zones(data) or zones)
        elif message.name == "delete-subscriber-data-request":
            gone = message.get("DSR-Flags") & DsrFlags.REGIONAL_SUBSCRIPTION_WITHDRAWAL
            self.registered[imsi] = (imei, barred, () if gone else zones)

    def _send(self, client: Client, message: Message, imsi: str = "", imei: str = "") -> Asked:
        asked = Asked()
        with self._lock:
            if self._read_from is not client:
                raise Cut
            number = client._count + 1
            self._waiting[number] = (asked, imsi, imei)
            try:
                client.send(message)
            except OSError as error:
                self._waiting.pop(number, None)
                raise Cut from error
        return asked

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    def updates(self, uses: Iterable[tuple[str, str]]) -> list[Asked]:
        """Have the locations of cards in terminals updated, all at once."""
        return [self._send(self.client, self.client.update(*use), *use) for use in uses]

    def next_seq(self, imsi: str) -> int | None:
        """Return the SEQ of a new authentication vector."""
        wanted = [("Number-Of-Requested-Vectors", 1)]
        avps = [("User-Name", imsi), ("Requested-EUTRAN-Authentication-Info", wanted), ("Visited-PLMN-Id", PLMN)]
        made = self.client.make("Authentication-Information-Request", *avps)
        answer = self._send(self.client, made).answer()
        if answer.result_code == UNABLE_TO_COMPLY:
            return None
        assert answer.success, answer
        rand, autn = (answer.find("Authentication-Info", "E-UTRAN-Vector", name) for name in ("RAND", "AUTN"))
        anonymity = milenage.f2345(K, OPC, rand)[3]
        return int.from_bytes(bytes(a ^ b for a, b in zip(autn[:6], anonymity, strict=True)), "big") >> 5

    def checks(self, uses: Iterable[tuple[str, str]]) -> list[Asked]:
        """Have the use of cards in terminals checked (S13), all at once."""
        made = []
        for imsi, imei in uses:
            terminal = [("IMEI", imei), ("Software-Version", "01")]
            avps = (("Terminal-Information", terminal), ("User-Name", imsi))
            made.append(self._send(self.client, self.client.make("ME-Identity-Check-Request", *avps)))
        return made


def _zones(data: list[Any]) -> tuple[str, ...]:
    return tuple(value.hex() for name, value in data if name == "Regional-Subscription-Zone-Code")


def allowed(asked: Asked) -> bool | None:
    """Return what an ECR was answered."""
    answer = asked.answer()
    if answer.result_code == UNABLE_TO_COMPLY:
        return None
    assert answer.success, answer
    return bool(answer.get("Equipment-Status") == 0)


class Management:
    """A client of a management interface, for one thread."""

    def __init__(self, where: Where, token: str) -> None:
        self._used = time.monotonic()
        self._http = http.client.HTTPConnection(*where, timeout=LONG)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and body of the answer."""
        octets = json.dumps(body).encode() if body is not None else b""
        if time.monotonic() - self._used > _IDLE:
            self._http.close()
        try:
            self._http.request(method, path, octets, self._headers)
            answer = self._http.getresponse()
            said = answer.read()
            self._used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            raise Cut from error
        return answer.status, json.loads(said) if said else None

    def done(self, method: str, path: str, body: Any = None) -> bool | None:
        """Have something done."""
        status, said = self.ask(method, path, body)
        if status == 503:
            return None
        assert status == 200, (method, path, body, status, said)
        return True
