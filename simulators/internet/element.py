"""The internet as an element: the far end of SGi, and its verb."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from simulators.internet.config import InternetConfig
from simwarden.model.address import split_port
from simwarden.model.values import GIVEN, NUMBER, TEXT, USER_ADDRESS, one_of
from simwarden.operations.element import Element
from simwarden.runtime.content import Content, payload_of
from simwarden.runtime.declare import HISTORY, Declaration, IpAddress, IpPlace, Observable, VerbModel, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.internet.core import Core
    from simwarden.runtime.ip.tcp import Ends, Stream

_FLOW_PROTOCOLS = one_of("udp", "tcp", "tls", "mqtt", "mqtts")
#: seconds to wait for an answer of a device that may have to be paged
_PATIENCE = 15.0


class Reach(VerbModel):
    """Send an echo request to a device, as its server does."""

    shorthand = "address"
    address: IpAddress
    """The device's address."""
    sender: str = "server"
    """The host that sends."""


class Push(VerbModel, Content):
    """Send octets of a host to a device, unasked."""

    to: IpPlace
    """The device's address, with its port; in an open connection the port may be left out."""
    sender: str = "server"
    """The host that sends."""
    port: Annotated[int, Field(ge=1, le=65535)] = 7
    """The host's port."""
    protocol: Literal["udp", "tcp"] = "udp"
    """`udp`: a datagram. `tcp`: in the connection that the device has opened to the port, also under TLS; a broker
    publishes it to `DEVICE/down`. Without such a connection the host tries to open one to the device's port."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.content:
            raise ValueError("expected octets to send, as text or hex")
        if self.protocol == "udp" and not split_port(self.to, 0)[1]:
            raise ValueError(f"to: expected the device's port as well ({self.to}:5000)")
        if self.protocol == "udp":
            self.check_datagram()
        return self


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
            payload_of(
                "octets that came to a host: a datagram, what was read of a connection at a time, or the payload of a"
                " PUBLISH; datagrams of zeros, as `send` has them, are counted in `arrived` alone",
                {
                    "source": USER_ADDRESS,
                    "destination": USER_ADDRESS,
                    "port": NUMBER,
                    "protocol": _FLOW_PROTOCOLS,
                },
            ),
            Observable(
                "user_flow",
                "a connection at a service of a host, by its ends: `closed` by the host, `ended` by the device, `reset`"
                " by the device, `timed-out` if the device is silent for too long",
                fields={
                    "source": USER_ADDRESS,
                    "source_port": NUMBER,
                    "destination": USER_ADDRESS,
                    "port": NUMBER,
                    "protocol": _FLOW_PROTOCOLS,
                    "state": one_of("open", "closed", "ended", "reset", "timed-out"),
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
        core.tcp.may_last = lambda ends: ends[:2] in core.services
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

    @verb("sent", "connected", "reset", "timed-out", "dropped")
    async def push(self, arguments: Push) -> str:
        """Send octets of a host to a device: `sent`, or `dropped` without a way to it; where the host has to open a
        connection first `connected`, `reset` if the device does not take it, or `timed-out`.
        """  # noqa: D205 - the whole of it is the outcome
        from simulators.internet.procedures.flows import push  # noqa: PLC0415 - few stories have pushes

        address, port = split_port(arguments.to, 0)
        own = self.core.address_of(arguments.sender, 6 if ":" in address else 4)
        ends = own, arguments.port, address, port
        if arguments.protocol == "udp":
            return "sent" if self.core.send_datagram(ends, arguments.content) else "dropped"
        return await push(self.core, ends, arguments.content, _PATIENCE)


def _service_at(core: Core, ends: Ends) -> Callable[[Stream], Coroutine[None, None, None]] | None:
    from simulators.internet.procedures.services import service_at  # noqa: PLC0415 - few stories have connections

    return service_at(core, ends)


def _resolve(core: Core, ends: tuple[str, str], query: bytes) -> bytes:
    from simulators.internet.procedures.names import answer_datagram  # noqa: PLC0415 - few stories have names

    return answer_datagram(core, ends, query)
