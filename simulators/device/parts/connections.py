"""PDN connections of a terminal beside that of its attach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from simulators.device.procedures import bearer_resources, esm, service_request, transactions
from simulators.device.state import Procedure
from simulators.device.verbs import ENDED, DevicePart, OfDevice
from simwarden.errors import ManagementError
from simwarden.model.values import APN, NUMBER, USER_ADDRESS
from simwarden.runtime.declare import Observable, OptionalNetwork, verb
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.nas.rates import BitRates, encode_rates
from simwarden.wire.tft import Filter

if TYPE_CHECKING:
    from collections.abc import Callable


_PROTOCOLS: Final[dict[str, int]] = {"icmp": 1, "tcp": 6, "udp": 17}


class Apn(OfDevice):
    """A PDN connection by its APN."""

    apn: Annotated[str, Field(min_length=1, max_length=99)]
    """The APN."""


class Resource(OfDevice):
    """A dedicated bearer that a terminal asks for, and which packets are to go by it."""

    apn: str = ""
    """The APN of the connection that it is for, of a terminal with several; empty: its first."""
    qci: int = Field(default=9, ge=1, le=254)
    """QoS class identifier (TS 23.203 table 6.1.7)."""
    guaranteed: tuple[int, int] = (0, 0)
    """Guaranteed kbit/s, uplink and downlink, where the QCI has some."""
    maximum: tuple[int, int] = (0, 0)
    """Most kbit/s, uplink and downlink, where rates are guaranteed."""
    remote: OptionalNetwork = ""
    """Network of the far end."""
    protocol: Literal["tcp", "udp", "icmp", ""] = ""
    """Protocol of the packets; nothing: any."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the far end."""

    @property
    def quality(self) -> EpsQos:
        """What the bearer is to be like."""
        return EpsQos(self.qci, encode_rates(BitRates(*self.maximum, *self.guaranteed)))

    @property
    def packets(self) -> Filter:
        """Those that are to go by it."""
        protocol = _PROTOCOLS.get(self.protocol)
        ports = (self.port, self.port) if self.port is not None else None
        return Filter(remote=self.remote, protocol=protocol, remote_ports=ports)


class Held(OfDevice):
    """A dedicated bearer by its identity."""

    ebi: int = Field(ge=5, le=15)
    """The bearer's identity."""


class Connections(DevicePart):
    """What a terminal asks session management for."""

    observables = (
        Observable(
            "connection",
            "a PDN connection beside that of the attach, by its default bearer",
            fields={"apn": APN, "address": USER_ADDRESS, "ebi": NUMBER},
            passing=("address",),
        ),
        Observable(
            "bearer",
            "a dedicated bearer, by its identity",
            fields={"apn": APN, "ebi": NUMBER, "qci": NUMBER},
            passing=("qci",),
        ),
    )

    @verb(*ENDED)
    async def connect(self, arguments: Apn) -> str:
        """Ask for another PDN connection (a service request comes first if need be): `accepted`, `rejected`,
        `no-answer`, or what holds it back.
        """  # noqa: D205 - the whole of it is the outcome
        start = partial(esm.start_connection, self.emm, arguments.apn)
        return await self._ask(Procedure.CONNECT, start, new_apn=arguments.apn)

    @verb(*ENDED)
    async def disconnect(self, arguments: Apn) -> str:
        """Give a PDN connection up: `accepted`, `rejected` (the last one stays), `no-answer`, or what holds it back."""

        def start() -> None:
            esm.start_disconnection(self.emm, self._bearer_to(arguments.apn))

        return await self._ask(Procedure.DISCONNECT, start)

    @verb(*ENDED)
    async def ask_bearer(self, arguments: Resource) -> str:
        """Ask for a dedicated bearer (TS 24.301 6.5.3): `accepted`, `rejected`, `no-answer`, or what holds it back."""

        def start() -> None:
            linked = self._bearer_to(arguments.apn)
            bearer_resources.allocate(self.emm, linked, arguments.quality, arguments.packets)

        return await self._ask(Procedure.BEARER_RESOURCES, start)

    @verb(*ENDED)
    async def release_bearer(self, arguments: Held) -> str:
        """Give a dedicated bearer up (TS 24.301 6.5.4): `accepted`, `rejected`, `no-answer`, or what holds it back."""

        def start() -> None:
            if arguments.ebi not in self.emm.dedicated:
                raise ManagementError(409, f"{self.emm.site.name} has no dedicated bearer {arguments.ebi}")
            bearer_resources.release(self.emm, arguments.ebi)

        return await self._ask(Procedure.BEARER_RESOURCES, start)

    def _bearer_to(self, apn: str) -> int:
        bearers = self.emm.bearers_to(apn)
        if not bearers:
            raise ManagementError(409, f"{self.emm.site.name} has no PDN connection to {apn}")
        return bearers[0]

    async def _ask(self, procedure: Procedure, start: Callable[[], None], *, new_apn: str = "") -> str:
        """Start a procedure of session management, connected and when no other awaits its answer; return its outcome.

        `new_apn`: the APN of a new connection, which is not asked for while it is backed off.
        """
        emm = self.powered
        if not emm.state.registered:
            return "not-registered"
        while emm.asked is not None:
            await emm.ending(transactions.procedure_of(emm.asked))
        if not emm.wired or emm.procedure is not None:
            word = await emm.run(Procedure.SERVICE_REQUEST, service_request.start)
            if word != "accepted":
                return word
        if emm.resting_apns.get(new_apn.lower(), 0.0) > emm.site.clock.now():
            return "backed-off"
        answer = emm.ending(procedure)
        start()
        return await answer
