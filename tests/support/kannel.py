"""Kannel as a customer's platform: its two programs, and what it calls when a message or a report comes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from waiting import reserved_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEARERBOX = shutil.which("bearerbox") or ""
SMSBOX = shutil.which("smsbox") or ""
INSTALLED = bool(BEARERBOX and SMSBOX)

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
port = {port}
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
                hooks.calls.append((path, dict(urllib.parse.parse_qsl(query, encoding="latin-1"))))
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
def kannel(folder: Path, port: int, hooks: Hooks) -> Iterator[int]:
    """Run a Kannel that binds at a port of this machine; gives the port on which it is asked to send."""
    with ExitStack() as stack:
        admin, box, send = (stack.enter_context(reserved_port()) for _ in range(3))
        settings = folder / "kannel.conf"
        given = {"admin": admin, "box": box, "send": send, "folder": folder, "port": port, "hooks": hooks}
        settings.write_text(SETTINGS.format(**given), encoding="utf-8")
        for program in (BEARERBOX, SMSBOX):
            process = subprocess.Popen([program, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - installed programs
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            if program == BEARERBOX:
                assert until(lambda: _listens(box))
        assert until(lambda: _answers(send))
        yield send


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def _answers(port: int) -> bool:
    """Return True if the smsbox has read its users: it listens before that, and answers 403."""
    try:
        urllib.request.urlopen(
            f"http://127.0.0.1:{port}/cgi-bin/sendsms?username=user&password=word", timeout=5
        ).close()
    except urllib.error.HTTPError as error:
        return error.code != 403
    except OSError:
        return False
    return True


def send(port: int, hooks: Hooks, code: str, card: str, text: str) -> None:
    """Ask a Kannel to send a text in UCS2 and to tell of its delivery; it takes that."""
    asked = {
        "username": "user",
        "password": "word",
        "from": code,
        "to": f"+{card}",
        "coding": "2",
        "charset": "UTF-8",
        "text": text,
        "dlr-mask": "3",
        "dlr-url": f"http://127.0.0.1:{hooks.port}/report?what=%d&to=%p",
    }
    url = f"http://127.0.0.1:{port}/cgi-bin/sendsms?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 202
