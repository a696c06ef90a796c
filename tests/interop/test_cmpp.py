"""CMPP 2.0 by others: pycmpp, an implementation that is not ours, and a client by the tables alone.

Both are customers' platforms at our business gateway, a process of its own, which is bound at an SMSC.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from business import CODE, OTHER_CODE
from cmpp_by_table import ACTIVE_TEST, ANSWER, CONNECT, DELIVER, SUBMIT, TERMINATE, Client
from pycmpp.cmpp import Cmpp
from pycmpp.request import SubmitRequestInstance
from pycmpp.response import ConnectResponseInstance, SubmitResponseInstance
from pycmpp.utils import split_message
from served_gateway import gateway
from smpp_centre import CARD, TEXT, Centre, in_parts, text_of
from waiting import until

from simwarden.wire.smpp import Address, ShortMessage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from served import Where

pytestmark = pytest.mark.interop
SOURCE, SECRET = "901234", "shared"
METER = "读表".encode("utf-16-be")


@pytest.fixture
def centre() -> Iterator[Centre]:
    with Centre() as made:
        yield made


@pytest.fixture
def _in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where platforms of CMPP are: they write the time of their own clocks."""
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def where(tmp_path: Path, centre: Centre, _in_china: None) -> Iterator[Where]:
    with gateway(tmp_path, centre, "CMPP") as port:
        yield "127.0.0.1", port


# -- pycmpp


class Pycmpp(Cmpp):  # type: ignore[misc]  # it has no types
    """pycmpp's client, which keeps what it hears; what it sends and how it reads is its own."""

    def __init__(self, where: Where, secret: str) -> None:
        super().__init__(*where, sp_id=SOURCE, sp_secret=secret, src_id=CODE, delivery=1, client_heartbeat=False)
        self.connected: list[int] = []
        self.submitted: list[int] = []
        self.heard: list[int] = []

    def listen(self) -> None:
        """Read what comes by pycmpp's classes, until the connection ends."""
        while len(header := self._some(12)) == 12:
            octets = header + self._some(int.from_bytes(header[:4]) - 12)
            self.heard.append(int.from_bytes(header[4:8]))
            if self.heard[-1] == CONNECT | ANSWER:
                answer = ConnectResponseInstance()
                answer.resolve(octets)
                self.connected.append(answer.status)
            elif self.heard[-1] == SUBMIT | ANSWER:
                result = SubmitResponseInstance()
                result.resolve(octets)
                self.submitted.append(result.status)

    def _some(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (more := self.so.recv(count - len(found))):
            found += more
        return found


@contextmanager
def pycmpp(where: Where, secret: str = SECRET) -> Iterator[Pycmpp]:
    made = Pycmpp(where, secret)
    listener = threading.Thread(target=made.listen, daemon=True)
    made.connect()
    try:
        listener.start()
        made.auth()
        assert until(lambda: made.connected)
        yield made
    finally:
        with suppress(OSError):
            made.so.shutdown(socket.SHUT_RDWR)
        listener.join(10)
        made.close()


def test_pycmpp_sends_long_texts(centre: Centre, where: Where) -> None:
    with pycmpp(where) as platform:
        assert platform.connected == [0]
        platform.submit("读表", [CARD])
        parts = split_message(TEXT)
        for number, part in enumerate(parts, 1):
            head = bytes((5, 0, 3, 9, len(parts), number))
            made = SubmitRequestInstance()
            platform.send(made.create(SOURCE, part, [CARD], head, pk_total=len(parts), pk_number=number, tp_udhi=1))
        assert until(lambda: len(platform.submitted) == len(centre.submitted) == len(parts) + 1)
        assert set(platform.submitted) == {0}
        first, *long = centre.submitted
        assert first.short_message.decode("utf-16-be") == "读表"
        assert text_of(long) == TEXT
        assert {each.source for each in centre.submitted} == {Address(CODE, 0, 1)}
        # the report, which pycmpp knows of and does not read
        assert until(lambda: DELIVER in platform.heard)


def test_pycmpp_is_told_of_a_wrong_secret_and_of_a_foreign_card(centre: Centre, where: Where) -> None:
    with pycmpp(where, "guessed") as guesser:
        assert guesser.connected == [3]
    with pycmpp(where) as platform:
        platform.submit("读表", ["13800000000"])
        assert until(lambda: platform.submitted)
        assert platform.submitted == [13]
    assert centre.submitted == []


def test_pycmpp_is_told_of_a_protocol_between_sme_and_card(centre: Centre, where: Where) -> None:
    """By itself it gives the parts of a long text TP-PID 1 (TS 23.040 9.2.3.9): no plain text for all we know."""
    with pycmpp(where) as platform:
        platform.submit(TEXT, [CARD])
        assert until(lambda: len(platform.submitted) == len(split_message(TEXT)))
        assert set(platform.submitted) == {7}
    assert centre.submitted == []


def test_pycmpp_ends(centre: Centre, where: Where) -> None:
    with pycmpp(where) as platform:
        platform.terminate()
        assert until(lambda: TERMINATE | ANSWER in platform.heard)
    assert centre.faults == []


# -- a client by the tables


@contextmanager
def client(where: Where) -> Iterator[Client]:
    with Client(where, SOURCE, SECRET) as made:
        assert made.connect()[0] == 0
        yield made


def test_both_prove_who_they_are(centre: Centre, where: Where) -> None:
    stamp = int(time.strftime("%m%d%H%M%S"))
    with Client(where, SOURCE, SECRET) as platform:
        status, proof, version = platform.connect(stamp)
        assert (status, version) == (0, 0x20)
        # AuthenticatorISMG: MD5 of status, AuthenticatorSource and secret
        assert proof == hashlib.md5(b"\0" + platform.proof(stamp) + SECRET.encode()).digest()  # noqa: S324
        assert platform.ask(ACTIVE_TEST) == b"\0"
        assert platform.ask(TERMINATE) == b""
    # the same octets once more are of somebody who overheard them
    with Client(where, SOURCE, SECRET) as again:
        assert again.connect(stamp)[0] == 3
    assert centre.faults == []


def test_a_message_there_and_its_report_back(centre: Centre, where: Where) -> None:
    with client(where) as platform:
        identity, result = platform.submit(CARD, METER, code=CODE)
        assert result == 0
        assert until(lambda: centre.submitted)
        assert centre.submitted[0].destination == Address(CARD, 1, 1)
        assert centre.submitted[0].source == Address(CODE, 0, 1)
        came = platform.delivered()
        assert came.is_report
        assert came.report == (identity, "DELIVRD", CARD)


def test_a_long_text_of_a_card(centre: Centre, where: Where) -> None:
    with client(where) as platform:
        parts = in_parts(TEXT, 9)
        for part in parts:
            centre.deliver(part)
        came = [platform.delivered() for _ in parts]
        assert {each.destination for each in came} == {CODE}
        assert {each.source for each in came} == {CARD}
        assert all(each.header and not each.is_report and each.coding == 8 for each in came)
        assert b"".join(each.content[6:] for each in came).decode("utf-16-be") == TEXT
        assert [each.content[:6] for each in came] == [
            bytes((5, 0, 3, 9, len(parts), n + 1)) for n in range(len(parts))
        ]
        centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=b"17 kWh"))
        assert platform.delivered().content == b"17 kWh"
        assert until(lambda: len(centre.answered) == len(parts) + 1)
        assert all(each.answer is not None and each.answer.status == 0 for each in centre.answered)


@pytest.mark.parametrize(
    ("result", "to", "more"),
    [
        (10, CARD, {"code": OTHER_CODE}),
        (10, CARD, {"code": "BANK"}),
        (10, CARD, {"code": CARD}),
        (13, "13800000000", {}),
        (7, CARD, {"coding": 4}),
        (7, CARD, {"coding": 0xF6}),
        (7, CARD, {"pid": 0x7F}),
        (7, CARD, {"content": bytes.fromhex("0605040b8423f0") + METER, "header": True}),
        (7, CARD, {"content": bytes.fromhex("027000") + METER, "header": True}),
    ],
    ids=["another's code", "a name", "a card", "a telephone", "octets", "class 2", "download", "a port", "toolkit"],
)
def test_what_a_customer_may_not_send(centre: Centre, where: Where, result: int, to: str, more: dict[str, Any]) -> None:
    with client(where) as platform:
        assert platform.submit(to, **{"content": METER, "code": CODE, **more})[1] == result
        # who was refused is served on
        assert platform.submit(CARD, METER, code=CODE)[1] == 0
        assert until(lambda: centre.submitted)
    assert [each.short_message for each in centre.submitted] == [METER]
