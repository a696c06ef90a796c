"""Calls in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.scp.answers import CallTold
from simulators.scp.call import Direction, State
from simwarden.model.values import GIVEN, IMSI, NUMBER, PARTY, members
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import HISTORY, Observable

if TYPE_CHECKING:
    from simulators.scp.core import Core


class Calls:
    """Calls."""

    observables = (
        Observable(
            "call",
            "what becomes of a call, by its number here",
            fields={
                "imsi": IMSI,
                "direction": members(Direction),
                "number": (PARTY | GIVEN).or_none(),
                "state": members(State),
                "seconds": NUMBER,
            },
            passing=HISTORY,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/calls", gives=tuple[CallTold, ...])
    async def list_calls(self, call: Call) -> list[dict[str, Any]]:
        """List the calls in progress, the oldest first; `seconds` as last reported."""
        del call
        return [each.tell() for each in sorted(self.core.calls.values(), key=lambda each: each.id)]
