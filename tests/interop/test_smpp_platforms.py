"""Platforms of customers that are not ours: Kannel and smpplib send and receive, with long UCS2 and receipts.

They speak to our SMPP session and codec on a real socket.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
from smpp_centre import Centre
from waiting import reserved_port, until

from simwarden.wire import smpp, sms
from simwarden.wire.smpp import Address, ShortMessage, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop
BEARERBOX = shutil.which("bearerbox") or ""
SMSBOX = shutil.which("smsbox") or ""
TEXT = "电表读数：一二三四五六七八九十，" * 8
CARD, CODE = "8614400000017", "10658000123"


def text_of(parts: list[ShortMessage]) -> str:
    """Return the text of a long message, by the header of each of its parts."""
    found: dict[int, bytes] = {}
    for each in parts:
        header, octets = sms.split_header(each.short_message)
        part = sms.concatenation_of(header)
        assert part is not None
        assert part.total == len(parts)
        found[part.number] = octets
    return b"".join(found[number] for number in sorted(found)).decode("utf-16-be")


def in_parts(text: str, reference: int) -> list[ShortMessage]:
    """Return a text of a card for its platform, in the parts that a card sends."""
    cut = sms.parts_of(text.encode("utf-16-be"), 8, 6)
    return [
        ShortMessage(
            source=Address(CARD, 1, 1),
            destination=Address(CODE, 0, 1),
            esm_class=smpp.UDHI,
            data_coding=8,
            short_message=sms.encode_header([sms.Concatenation(reference, len(cut), number).element]) + each,
        )
        for number, each in enumerate(cut, 1)
    ]


# -- Kannel

SETTINGS = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
log-file = {folder}/bearerbox.log
log-level = 0
box-allow-ip = 127.0.0.1

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre.port}
transceiver-mode = true
interface-version = 34
smsc-username = meters
smsc-password = s3cret
system-type = ""
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
log-file = {folder}/smsbox.log
log-level = 0

group = sendsms-user
username = user
password = word
max-messages = 10
concatenation = true

group = sms-service
keyword = default
max-messages = 0
get-url = "http://127.0.0.1:{hooks.port}/mo?from=%p&to=%P&text=%b&charset=%C"
"""


class Hooks:
    """What Kannel calls: for a message that came, and for the report of one that it sent."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                hooks.calls.append((path, dict(urllib.parse.parse_qsl(query, encoding="utf-8"))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Keep quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path: str) -> list[dict[str, str]]:
        return [query for called, query in self.calls if called == path]


@contextmanager
def kannel(folder: Path, centre: Centre, hooks: Hooks) -> Iterator[int]:
    """Run a Kannel that is bound to the centre; gives the port on which it is asked to send."""
    with ExitStack() as stack:
        admin, box, send = (stack.enter_context(reserved_port()) for _ in range(3))
        settings = folder / "kannel.conf"
        given = {"admin": admin, "box": box, "send": send, "folder": folder, "centre": centre, "hooks": hooks}
        settings.write_text(SETTINGS.format(**given), encoding="utf-8")
        for program in (BEARERBOX, SMSBOX):
            process = subprocess.Popen([program, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - installed programs
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            if program == BEARERBOX:
                assert until(lambda: bool(centre.binds))
        assert until(lambda: _answers(send))
        yield send


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.mark.skipif(not (BEARERBOX and SMSBOX), reason="Kannel is not installed (apt install kannel)")
def test_kannel_sends_and_receives(tmp_path: Path) -> None:
    hooks = Hooks()
    with Centre() as centre, kannel(tmp_path, centre, hooks) as port:
        assert centre.binds[0].interface_version == 0x34
        asked = {
            "username": "user",
            "password": "word",
            "from": CODE,
            "to": f"+{CARD}",
            "coding": "2",
            "charset": "UTF-8",
            "text": TEXT,
            "dlr-mask": "3",
            "dlr-url": f"http://127.0.0.1:{hooks.port}/report?what=%d&to=%p",
        }
        url = f"http://127.0.0.1:{port}/cgi-bin/sendsms?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 202
        assert until(lambda: len(centre.submitted) > 1 and bool(hooks.of("/report")))
        assert text_of(centre.submitted) == TEXT
        first = centre.submitted[0]
        assert (first.destination.number, first.destination.ton) == (CARD, smpp.Ton.INTERNATIONAL)
        assert (first.esm_class, first.data_coding, first.registered_delivery & 1) == (0x43, 8, 1)
        assert first.source.number == CODE
        assert hooks.of("/report")[0]["what"] == "1"  # delivered
        for part in in_parts(TEXT, 9):
            centre.deliver(part)
        assert until(lambda: bool(hooks.of("/mo")))
        (came,) = hooks.of("/mo")
        assert came["from"].lstrip("+") == CARD
        assert centre.faults == []
        assert all(each.answer is not None and each.answer.status == 0 for each in centre.answered)


# -- smpplib


@contextmanager
def client(centre: Centre, password: str) -> Iterator[smpplib.client.Client]:
    made = smpplib.client.Client("127.0.0.1", centre.port, timeout=30, allow_unknown_opt_params=True)
    made.connect()
    try:
        made.bind_transceiver(system_id="meters", password=password)
        yield made
    finally:
        made.disconnect()


def test_smpplib_sends_and_receives() -> None:
    got: list[bytes] = []
    with Centre() as centre, client(centre, "s3cret") as platform:
        platform.set_message_received_handler(lambda pdu: got.append(pdu.short_message))
        platform.set_message_sent_handler(lambda **_pdu: None)
        platform.send_message(
            source_addr=CODE,
            source_addr_ton=smpplib.consts.SMPP_TON_NWSPEC,
            destination_addr=CARD,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            short_message=b"read your meter",
            registered_delivery=True,
        )
        while not got:
            platform.read_once()
        assert smpp.parse_receipt(got[0].decode()).state is smpp.MessageState.DELIVERED
        assert centre.submitted[0].short_message == b"read your meter"
        assert centre.submitted[0].source == Address(CODE, smpp.Ton.NETWORK_SPECIFIC, 0)
        centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=b"17 kWh"))
        while len(got) < 2:
            platform.read_once()
        assert got[1] == b"17 kWh"
        platform.unbind()
        assert until(lambda: centre.closed == ["unbound by peer"])
        assert centre.faults == []


def test_smpplib_is_told_of_a_wrong_password() -> None:
    with Centre() as centre, pytest.raises(smpplib.exceptions.PDUError) as raised, client(centre, "guess"):
        pass
    assert raised.value.args[1] == Status.ESME_RINVPASWD
