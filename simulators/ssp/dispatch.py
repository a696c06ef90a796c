"""What comes to an SSP from terminals, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.ssp.clients.terminal import Terminal
from simulators.ssp.procedures import calls, location_update

if TYPE_CHECKING:
    from simulators.ssp.core import Core
    from simwarden.runtime.link import Link


def accept(core: Core, link: Link) -> None:
    """Hear a terminal."""
    core.terminals[link.number] = Terminal(
        core,
        link,
        partial(location_update.on_request, core),
        partial(location_update.on_detach, core),
        partial(calls.originate, core),
    )
