"""How elements fared that tried to connect to others: what stands, and why what does not."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simwarden.runtime.link import Link

#: seconds for the attempt to speak TLS
_PROBE: Final = 2.0
#: how peers begin that speak something else: a TLS record (alert, handshake), an HTTP answer, an SSH banner
_SPOKEN: Final = {b"\x15\x03": "TLS", b"\x16\x03": "TLS", b"HTTP/": "HTTP", b"SSH-": "SSH"}


@dataclass(frozen=True, slots=True)
class Reach:
    """The last attempt of an element to connect to another; `reason` says why there is no link, empty: it stands.

    `address` is host:port of an element outside this process, else empty.
    """

    element: str
    interface: str
    target: str
    address: str
    reason: str

    def __str__(self) -> str:
        at = f" at {self.address}" if self.address else ""
        return f"{self.interface} from {self.element} to {self.target}{at}: {self.reason or 'it stands'}"


def why_refused(error: OSError) -> str:
    """Say in the system's words why a connection was not made, without numbers and addresses."""
    if error.errno and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        return os.strerror(error.errno).lower()
    return str(error)


def speaks_tls(address: tuple[str, int]) -> bool:
    """Try whether a peer that closes without a word wants TLS: most servers send no alert to who begins otherwise."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(address, timeout=_PROBE) as plain,
            context.wrap_socket(plain, server_hostname=address[0]),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def why_closed(link: Link, reason: str) -> str:
    """Say why a link that was made does not stand; what the peer said first tells when it speaks something else."""
    if not reason or link.internal:
        return reason
    if link.known:
        return f"lost: {reason}"
    spoken = next((name for start, name in _SPOKEN.items() if link.first.startswith(start)), "")
    if spoken:
        return f"it speaks {spoken}, not {link.interface.protocol}"
    return reason if link.first else f"{reason}, before it said anything"
