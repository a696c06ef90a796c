"""The internet as an element: the far end of SGi, and its verb."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import field_validator

from simulators.internet.config import InternetConfig
from simwarden.model.values import GIVEN, NUMBER, TEXT, USER_ADDRESS, one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import HISTORY, Declaration, Observable, VerbModel, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.internet.core import Core
    from simwarden.runtime.ip.tcp import Ends, Stream

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
            Observable(
                "asked",
                "what a service was asked for: a name and the kind of record, or the name and path of a page, with the"
                " name that TLS says in the clear (sni)",
                fields={
                    "source": USER_ADDRESS,
                    "destination": USER_ADDRESS,
                    "service": one_of("dns", "http", "https"),
                    "name": GIVEN,
                    "path": TEXT,
                    "sni": GIVEN.or_none(),
                    "times": NUMBER,
                },
                passing=HISTORY,
            ),
        ),
    )
    core: Core

    async def start(self) -> None:
        """Take PGWs."""
        from simulators.internet.core import Core  # noqa: PLC0415 - checking files needs no codec

        self.core = core = Core(self.site, self.config)
        core.tcp.serves, core.resolve = partial(_service_at, core), partial(_resolve, core)
        core.tun = self.site.tun(core.forward)
        if core.tun is not None:
            core.tun.configure([f"{each}/{128 if ':' in each else 32}" for each in self.config.outside])
        await self.site.listen("SGi", core.accept)

    async def stop(self) -> None:
        """Close the ways in."""
        self.core.tcp.cut("the internet is gone")
        for link in list(self.core.links):
            link.close("the internet is gone")

    async def killed(self) -> None:
        """As `stop`."""
        await self.stop()

    @verb("answered", "timed-out")
    async def reach(self, arguments: Reach) -> str:
        """Send an echo request to a device, which is paged if it is idle: `answered`, or `timed-out`."""
        return "answered" if await self.core.reach(arguments.address, arguments.sender, _PATIENCE) else "timed-out"


def _service_at(core: Core, ends: Ends) -> Callable[[Stream], Coroutine[None, None, None]] | None:
    from simulators.internet.procedures.services import service_at  # noqa: PLC0415 - few stories have connections

    return service_at(core, ends)


def _resolve(core: Core, ends: tuple[str, str], query: bytes) -> bytes:
    from simulators.internet.procedures.names import answer_datagram  # noqa: PLC0415 - few stories have names

    return answer_datagram(core, ends, query)
