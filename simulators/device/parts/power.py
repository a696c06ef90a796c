"""The terminal's switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures import power
from simulators.device.verbs import ENDED, OneDevice, need_power
from simwarden.errors import ManagementError
from simwarden.model.values import IMEI, one_of
from simwarden.runtime.declare import Observable, verb

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


class Power:
    """On and off."""

    observables = (
        Observable("power", "whether the terminal is on", values=one_of("on", "off")),
        Observable("imei", "its true IMEI, 15 digits", values=IMEI, kept=True),
    )

    def __init__(self, emm: Emm) -> None:
        self.emm = emm

    @verb(*ENDED)
    async def power_on(self, arguments: OneDevice) -> str:
        """Switch on: read the card, compare, listen, attach (or register at an MSC). The outcome is that of this."""
        del arguments
        if self.emm.powered:
            raise ManagementError(409, f"{self.emm.site.name} is on")
        self.emm.powered = True
        self.emm.observe("power", "on")
        return await power.begin(self.emm)

    @verb("off")
    async def power_off(self, arguments: OneDevice) -> str:
        """Switch off: detach, write the card, power its contacts down. Always `off`."""
        del arguments
        need_power(self.emm)
        await power.switch_off(self.emm)
        return "off"
