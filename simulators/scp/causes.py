"""What is told of a refusal: one table of Q.850 causes, which an SSP turns into those of its own protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.q850 import Cause, CauseValue

if TYPE_CHECKING:
    from simulators.scp.config import Why

#: public network that serves the local user (Q.850 2.2.3): there the service is carried out
_LOCATION: Final = 2


class Refusal(NamedTuple):
    """What is told, and by which word its announcement is chosen, None where there is none."""

    value: CauseValue
    why: Why | None = None

    @property
    def cause(self) -> Cause:
        """Return the cause as ReleaseCall carries it."""
        return Cause(self.value, _LOCATION)


#: the number is not on the card's list
NOT_LISTED: Final = Refusal(CauseValue.CALL_REJECTED, "list")
#: voice is off for the card
OFF: Final = Refusal(CauseValue.BEARER_CAPABILITY_NOT_AUTHORIZED, "off")
#: the card is suspended
SUSPENDED: Final = Refusal(CauseValue.BEARER_CAPABILITY_NOT_AUTHORIZED, "suspended")
#: the month's minutes are used up
USED_UP: Final = Refusal(CauseValue.RESOURCE_UNAVAILABLE, "quota")
#: the card has no calls at this time of day
OUT_OF_HOURS: Final = Refusal(CauseValue.CALL_REJECTED, "hours")
#: the PIN was wrong too often
WRONG_PIN: Final = Refusal(CauseValue.CALL_REJECTED)
#: the exchange that asks is none of the dedicated core
OTHER_SSP: Final = Refusal(CauseValue.CALL_REJECTED)
#: a call was connected, and may not go on
WITHDRAWN: Final = Refusal(CauseValue.NORMAL_UNSPECIFIED)
#: no such card; what was asked or told cannot be read, or was not to be told; the database or the SSP cannot now
TEMPORARY: Final = Refusal(CauseValue.TEMPORARY_FAILURE)
