"""The terminal's switch."""

from __future__ import annotations

from simulators.device.procedures import power
from simulators.device.verbs import ENDED, DevicePart, OneDevice
from simwarden.errors import ManagementError
from simwarden.model.values import IMEI, one_of
from simwarden.runtime.declare import Observable, verb


class Power(DevicePart):
    """On and off."""

    observables = (
        Observable("power", "whether the terminal is on", values=one_of("on", "off")),
        Observable("imei", "its true IMEI, 15 digits", values=IMEI, kept=True),
    )

    @verb(*ENDED)
    async def power_on(self, _arguments: OneDevice) -> str:
        """Switch on: read the card, compare, listen, attach (or register at an MSC). The outcome is that of this."""
        if self.emm.powered:
            raise ManagementError(409, f"{self.emm.site.name} is on")
        self.emm.powered = True
        self.emm.observe("power", "on")
        return await power.begin(self.emm)

    @verb("off")
    async def power_off(self, _arguments: OneDevice) -> str:
        """Switch off: detach, write the card, power its contacts down. Always `off`."""
        await power.switch_off(self.powered)
        return "off"
