"""Which transport a run uses, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from simwarden.runtime.transport.base import Transport, Wiring

_TRANSPORTS = {
    "memory": ("memory", "MemoryTransport"),
    "tcp": ("tcp", "TcpTransport"),
    "udp": ("udp", "UdpTransport"),
    "sctp": ("sctp", "SctpTransport"),
}
#: not for runs: a card served to PC/SC
_SERVED_ONLY = {"vpcd": ("vpcd", "VpcdTransport")}

NAMES = tuple(_TRANSPORTS)


def make_transport(name: str, wiring: Wiring, worker: int = 0) -> Transport:
    """Make a transport; `worker` tells parallel runs of one machine apart. Raises ConfigError for an unknown name."""
    known = _TRANSPORTS | _SERVED_ONLY
    if name not in known:
        raise ConfigError(f"no transport is called {name!r}", hint=f"one of {', '.join(NAMES)}")
    module, kind = known[name]
    loaded = importlib.import_module(f"simwarden.runtime.transport.{module}")
    made: Transport = getattr(loaded, kind)(wiring, worker)
    return made
