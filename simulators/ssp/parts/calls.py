"""What may be seen of an SSP: who is registered, and which calls there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ssp.answers import SubscribersTold
from simwarden.model.values import GIVEN, IMEI, IMSI, MSISDN, NUMBER, PARTY, members, one_of
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import HISTORY, Observable
from simwarden.wire.q850 import CauseValue

if TYPE_CHECKING:
    from simulators.ssp.core import Core


class Calls:
    """Subscribers and calls."""

    observables = (
        Observable(
            "subscriber",
            "a card that is registered for calls, by IMSI: the terminal that it is in, and what is known of it",
            fields={
                "imsi": IMSI,
                "imei": IMEI.or_none(),
                "msisdn": MSISDN.or_none(),
                "csis": one_of("o-csi", "vt-csi", about="a CSI that the visited MSC acts on"),
            },
            passing=HISTORY,  # a terminal registers anew when it next wants something, and not before
            serving="imsi",
        ),
        Observable(
            "call",
            "a half of a call, by its number: a card's own (`mo`), one for a card at its MSC (`mt`) or on its way "
            "there (`gmsc`), or one that is forwarded; with the party that is called",
            fields={
                "imsi": IMSI.or_none(),
                "role": one_of("mo", "mt", "gmsc", "forwarded"),
                "number": PARTY | GIVEN,
                "state": one_of("set-up", "alerting", "answered", "ended", "failed"),
                "cause": (members(CauseValue) | NUMBER).or_none(),
            },
            passing=HISTORY,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/subscribers", gives=SubscribersTold)
    async def subscribers(self, call: Call) -> dict[str, Any]:
        """Tell which cards are registered here."""
        del call
        return {"subscribers": [self.core.subscribers[imsi].tell() for imsi in sorted(self.core.subscribers)]}
