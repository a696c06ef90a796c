"""PDN connections of a terminal beside that of its attach."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, field_validator

from simulators.device.procedures import bearer_resources, esm, service_request, transactions
from simulators.device.state import Procedure
from simulators.device.verbs import ENDED, need_power
from simwarden.errors import ManagementError
from simwarden.model.values import APN, NUMBER, USER_ADDRESS
from simwarden.runtime.declare import DeviceName, Observable, VerbModel, verb
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.nas.rates import BitRates, encode_rates
from simwarden.wire.tft import Filter

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


_PROTOCOLS: Final[dict[str, int]] = {"icmp": 1, "tcp": 6, "udp": 17}


class Apn(VerbModel):
    """A PDN connection by its APN."""

    target = "device"
    device: DeviceName
    """The terminal."""
    apn: Annotated[str, Field(min_length=1, max_length=99)]
    """The APN."""


class Resource(VerbModel):
    """A dedicated bearer that a terminal asks for, and which packets are to go by it."""

    target = "device"
    device: DeviceName
    """The terminal."""
    apn: str = ""
    """The APN of the connection that it is for, of a terminal with several; empty: its first."""
    qci: int = Field(default=9, ge=1, le=254)
    """QoS class identifier (TS 23.203 table 6.1.7)."""
    guaranteed: tuple[int, int] = (0, 0)
    """Guaranteed kbit/s, uplink and downlink, where the QCI has some."""
    maximum: tuple[int, int] = (0, 0)
    """Most kbit/s, uplink and downlink, where rates are guaranteed."""
    remote: str = ""
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

    @field_validator("remote")
    @classmethod
    def _is_network(cls, value: str) -> str:
        return str(ipaddress.ip_network(value)) if value else ""


class Held(VerbModel):
    """A dedicated bearer by its identity."""

    target = "device"
    device: DeviceName
    """The terminal."""
    ebi: int = Field(ge=5, le=15)
    """The bearer's identity."""


class Connections:
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

    def __init__(self, emm: Emm) -> None:
        self.emm = emm

    @verb(*ENDED)
    async def connect(self, arguments: Apn) -> str:
        """Ask for another PDN connection (a service request comes first if need be): `accepted`, `rejected`,
        `no-answer`, or what holds it back.
        """  # noqa: D205 - the whole of it is the outcome
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        if emm.resting_apns.get(arguments.apn.lower(), 0.0) > emm.site.clock.now():
            return "backed-off"
        answer = emm.ending(Procedure.CONNECT)
        esm.start_connection(emm, arguments.apn)
        return await answer

    @verb(*ENDED)
    async def disconnect(self, arguments: Apn) -> str:
        """Give a PDN connection up: `accepted`, `rejected` (the last one stays), `no-answer`, or what holds it back."""
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        found = emm.bearers_to(arguments.apn)
        if not found:
            raise ManagementError(409, f"{emm.site.name} has no PDN connection to {arguments.apn}")
        answer = emm.ending(Procedure.DISCONNECT)
        esm.start_disconnection(emm, found[0])
        return await answer

    @verb(*ENDED)
    async def ask_bearer(self, arguments: Resource) -> str:
        """Ask for a dedicated bearer (TS 24.301 6.5.3): `accepted`, `rejected`, `no-answer`, or what holds it back."""
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        found = emm.bearers_to(arguments.apn)
        if not found:
            raise ManagementError(409, f"{emm.site.name} has no PDN connection to {arguments.apn}")
        answer = emm.ending(Procedure.BEARER_RESOURCES)
        bearer_resources.allocate(emm, found[0], arguments.quality, arguments.packets)
        return await answer

    @verb(*ENDED)
    async def release_bearer(self, arguments: Held) -> str:
        """Give a dedicated bearer up (TS 24.301 6.5.4): `accepted`, `rejected`, `no-answer`, or what holds it back."""
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        if arguments.ebi not in emm.dedicated:
            raise ManagementError(409, f"{emm.site.name} has no dedicated bearer {arguments.ebi}")
        answer = emm.ending(Procedure.BEARER_RESOURCES)
        bearer_resources.release(emm, arguments.ebi)
        return await answer

    async def _in_service(self) -> str:
        """Be connected, and wait until nothing is asked for."""
        emm = self.emm
        need_power(emm)
        if not emm.state.registered:
            return "not-registered"
        while emm.asked is not None:
            await emm.ending(transactions.procedure_of(emm.asked))
        if emm.wired and emm.procedure is None:
            return "accepted"
        return await emm.run(Procedure.SERVICE_REQUEST, service_request.start)
