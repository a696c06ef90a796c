"""The internet as an element: the far end of SGi, and its verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import field_validator

from simulators.internet.config import InternetConfig
from simwarden.model.values import NUMBER, USER_ADDRESS, one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import HISTORY, Declaration, Observable, VerbModel, verb

if TYPE_CHECKING:
    from simulators.internet.core import Core

#: seconds to wait for an answer of a device that may have to be paged
_PATIENCE = 15.0


class Reach(VerbModel):
    """Send an echo request to a device, as its server does."""

    shorthand = "address"
    address: str
    """The device's address."""
    sender: str = "server"
    """The host that sends."""

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        import ipaddress  # noqa: PLC0415 - few stories have such a step

        return str(ipaddress.ip_address(value))


class Internet(Element[InternetConfig]):
    """What is beyond the PGWs."""

    declaration = Declaration(
        kind="internet",
        title="Internet",
        lane=88,
        config=InternetConfig,
        listens=("SGi",),
        observables=(
            Observable(
                "arrived",
                "packets that came out of a PGW; the key is the source, the destination and the protocol",
                fields={
                    "source": USER_ADDRESS,
                    "destination": USER_ADDRESS,
                    "protocol": one_of("udp", "tcp", "icmp", "other"),
                    "packets": NUMBER,
                    "octets": NUMBER,
                },
                passing=HISTORY,
            ),
        ),
    )
    core: Core

    async def start(self) -> None:
        """Take PGWs."""
        from simulators.internet.core import Core  # noqa: PLC0415 - checking files needs no codec

        self.core = Core(self.site, self.config)
        await self.site.listen("SGi", self.core.accept)

    async def stop(self) -> None:
        """Close the ways in."""
        for link in list(self.core.links):
            link.close("the internet is gone")

    async def killed(self) -> None:
        """As `stop`."""
        await self.stop()

    @verb("answered", "timed-out")
    async def reach(self, arguments: Reach) -> str:
        """Send an echo request to a device, which is paged if it is idle: `answered`, or `timed-out`."""
        return "answered" if await self.core.reach(arguments.address, arguments.sender, _PATIENCE) else "timed-out"
