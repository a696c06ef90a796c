"""The sessions of which PGWs have asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pcrf.answers import SessionTold
from simwarden.model.values import APN, CELL, GIVEN, IMSI, NUMBER, SWITCH, TAI
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.pcrf.core import Core


class Sessions:
    """Sessions."""

    observables = (
        Observable(
            "session",
            "what the PGW of a session was told, by IMSI and APN",
            fields={
                "imsi": IMSI,
                "apn": APN,
                "rules": GIVEN.or_none(),
                "not_in_force": GIVEN.or_none(),
                "tai": TAI.or_none(),
                "cell": CELL.or_none(),
                "used": NUMBER,
                "pending": SWITCH,
            },
            passing=("tai", "cell", "used", "pending"),
            serving="apn",
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/sessions", gives=tuple[SessionTold, ...])
    async def list_sessions(self, call: Call) -> list[dict[str, Any]]:
        """Tell all sessions, and what their PGWs were told."""
        del call
        return [each.tell() for each in self.core.store.sessions]
