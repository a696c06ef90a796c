"""What cards have used of their quotas, and the sessions that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ocs.answers import SessionTold
from simulators.ocs.service import Service
from simwarden.model.values import IMSI, NUMBER, members
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.ocs.core import Core


class Balances:
    """Balances and sessions."""

    observables = (
        Observable(
            "balance",
            "what a card has of a service in this month, and what of it is used or given out (key: IMSI and service)",
            fields={"imsi": IMSI, "service": members(Service), "used": NUMBER, "quota": NUMBER.or_none()},
            passing=("used",),
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/sessions", gives=tuple[SessionTold, ...])
    async def list_sessions(self, call: Call) -> list[dict[str, Any]]:
        """List the sessions that are open, with what is given and not reported in each."""
        del call
        names = ("session", "imsi", "service", "host", "reserved")
        return [{name: getattr(each, name) for name in names} for each in self.core.store.open_sessions()]
