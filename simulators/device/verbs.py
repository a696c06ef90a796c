"""What the verbs of a terminal share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import ManagementError
from simwarden.runtime.declare import DeviceName, VerbModel

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


class OneDevice(VerbModel):
    """A verb that needs to know the terminal only."""

    shorthand = "device"
    target = "device"
    device: DeviceName
    """The terminal."""


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


def need_power(emm: Emm) -> None:
    """Raise ManagementError (409) for a terminal that is switched off."""
    if not emm.powered:
        raise ManagementError(409, f"{emm.site.name} is switched off")
