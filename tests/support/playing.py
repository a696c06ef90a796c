"""Stories that tests play on elements of one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.trace.events import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.runtime.host import Host


def play(host: Host, story: Callable[[], Awaitable[None]]) -> None:
    """Start all elements, carry a story out, and close the host whatever came of it; no element may report a fault."""

    async def whole() -> None:
        try:
            await host.start_all()
            await story()
        finally:
            await host.close()

    host.loop.run_until_complete(whole())
    assert [event.reason for event in host.trace.events if isinstance(event, Fault)] == []
