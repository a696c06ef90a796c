"""Which service of a host is behind a port, and what comes by datagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.internet.procedures import flows, names, web

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.internet.core import Core
    from simwarden.runtime.ip.tcp import Ends, Stream

_SERVICES: Final[dict[int, tuple[str, Callable[[Core, Stream], Coroutine[None, None, None]]]]] = {
    53: ("dns", names.serve),
    80: ("http", web.serve),
    443: ("https", web.serve_tls),
}


def service_at(core: Core, ends: Ends) -> Callable[[Stream], Coroutine[None, None, None]] | None:
    """Return who speaks with those that connect to an address and port; None: it is refused."""
    service = core.services.get(ends[:2])
    if service is not None:
        return None if service.protocol == "udp" else flows.UserFlow(core, ends, service.protocol).serve
    host = core.hosts.get(ends[0])
    word, serve = _SERVICES.get(ends[1], ("", None))
    if host is None or serve is None or word not in host.answers:
        return None
    return lambda stream: serve(core, stream)
