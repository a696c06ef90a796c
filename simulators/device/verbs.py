"""What the verbs of a terminal share."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from simwarden.errors import ManagementError
from simwarden.runtime.declare import DeviceName, IpText, VerbModel

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


class OfDevice(VerbModel):
    """A verb that a terminal carries out."""

    target = "device"
    device: DeviceName
    """The terminal."""


class OneDevice(OfDevice):
    """A verb that needs to know the terminal only."""

    shorthand = "device"


class DevicePart:
    """A part of the element (see Element.parts), which works on the state of its terminal."""

    def __init__(self, emm: Emm) -> None:
        self.emm = emm

    @property
    def powered(self) -> Emm:
        """The state of a terminal that is on. Raises ManagementError (409) for one that is switched off."""
        if not self.emm.powered:
            raise ManagementError(409, f"{self.emm.site.name} is switched off")
        return self.emm


#: an IP address; empty: none
OptionalIp = Annotated[IpText, AfterValidator(lambda value: value and str(ip_address(value)))]


OUTCOMES = (
    "accepted",
    "rejected",
    "no-answer",
    "card-refused",
    "interlocked",
    "backed-off",
    "barred",
    "no-suitable-cell",
    "no-cell",
    "usim-invalid",
)
#: how an attach, an update or a service request may end, with what holds it back
ENDED = (*OUTCOMES, "no-card", "detached", "off", "emergency", "not-registered", "no-keys")
