"""The messages that wait, and the gateways that are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.smsc.answers import MessageTold
from simulators.smsc.message import Direction, End
from simwarden.model.values import GIVEN, IMSI, NUMBER, PARTY, members, one_of
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import HISTORY, Observable

if TYPE_CHECKING:
    from simulators.smsc.core import Core


class Messages:
    """Messages and gateways."""

    observables = (
        Observable(
            "message",
            "what became of a message, by its identifier",
            fields={
                "id": NUMBER,
                "direction": members(Direction),
                "imsi": IMSI,
                "number": PARTY | GIVEN,
                "gateway": GIVEN.or_none(),
                "attempts": NUMBER,
                "state": one_of("trying", "waiting", *(each.value for each in End)),
            },
            passing=HISTORY,
            kept=True,
        ),
        Observable(
            "gateway",
            "a gateway is bound (key: its system_id)",
            fields={"system_id": GIVEN, "state": one_of("bound")},
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/messages", gives=tuple[MessageTold, ...])
    async def list_messages(self, call: Call) -> list[dict[str, Any]]:
        """List the messages that are not over, the oldest first; never what they say."""
        del call
        return [each.tell() for each in self.core.store.messages]
