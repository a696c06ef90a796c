"""What the terminal sends by its default bearer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from simulators.device.procedures import service_request
from simulators.device.state import Procedure
from simulators.device.verbs import DevicePart, OfDevice, OptionalIp
from simwarden.errors import UnjudgedError
from simwarden.model.address import split_port
from simwarden.model.values import NUMBER
from simwarden.runtime.declare import HISTORY, IpPlaceText, Observable, verb

if TYPE_CHECKING:
    from typing import Self

    from simulators.device.contexts import Emm

#: CoAP, which meters speak (RFC 7252)
_PORT = 5683


class Send(OfDevice):
    """Send a packet, and wait for the far end's answer."""

    to: IpPlaceText = ""
    """Where to: an IP address, with a port (`198.51.100.80:5683`, `[2001:db8:80::80]:5683`; else 5683)."""
    packet: str = ""
    """In place of all others: a packet as scapy writes it, `IP(dst="198.51.100.80")/UDP(dport=53)/"octets"`, with
    literal values; its source is the terminal's own address unless it says another. Needs the extra `traffic`."""
    protocol: Literal["udp", "icmp"] = "udp"
    """A datagram, or an echo request."""
    octets: Annotated[int, Field(ge=0, le=1300)] = 32
    """What it carries."""
    source: OptionalIp = ""
    """A source address that is not its own, of a terminal that lies; empty: its own."""

    apn: str = ""
    """The APN of the connection that it goes by, of a terminal with several; empty: its first."""
    bearer: Annotated[int, Field(ge=0, le=15)] = 0
    """The identity of the bearer that it goes by whatever that is for, of a terminal that lies; 0: as it should."""

    @field_validator("to")
    @classmethod
    def _is_place(cls, value: str) -> str:
        if value:
            split_port(value, _PORT)
        return value

    @field_validator("packet")
    @classmethod
    def _is_packet(cls, value: str) -> str:
        if value:
            from simwarden.wire.crafted import build  # noqa: PLC0415 - few stories have odd packets

            with suppress(UnjudgedError):  # without scapy nobody can tell; the step that sends it says so
                build(value)
        return value

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if bool(self.to) is bool(self.packet):
            raise ValueError("say where to (to), or which packet (packet), and not both")
        others = {"protocol", "octets", "source"} & self.model_fields_set
        if self.packet and others:
            raise ValueError(f"a packet says all of itself: leave out {', '.join(sorted(others))}")
        return self


async def bearer_stands(emm: Emm) -> bool:
    """Whether the terminal can send, after a service request if need be."""
    if emm.bearers and not emm.wired:
        return await wake(emm) == "accepted" and bool(emm.bearers)
    return bool(emm.bearers)


async def wake(emm: Emm) -> str:
    """Ask for the radio bearers; return how that ended."""
    return await emm.run(Procedure.SERVICE_REQUEST, service_request.start)


class Traffic(DevicePart):
    """User packets."""

    observables = (Observable("received", "how many user packets have come to it", values=NUMBER, passing=HISTORY),)

    @verb("delivered", "timed-out", "refused", "dropped")
    async def send(self, arguments: Send) -> str:
        """Send a packet (a service request comes first if need be): `delivered` if the answer came, `timed-out` if none
        did, `refused` if the network says that nobody is there, `dropped` where the terminal has no bearer for it.
        """  # noqa: D205 - the whole of it is the outcome
        emm = self.powered
        if not await bearer_stands(emm):
            return "dropped"
        try:
            if arguments.packet:
                return await self._send_packet(arguments.packet, arguments.apn)
            place, carried = split_port(arguments.to, _PORT), (arguments.protocol, arguments.octets)
            emm.packets.forced = arguments.bearer
            return await emm.packets.ask(place, *carried, arguments.source, arguments.apn)
        except ConnectionAbortedError:
            return "dropped"
        finally:
            emm.packets.forced = 0

    async def _send_packet(self, text: str, apn: str) -> str:
        from simwarden.wire.crafted import build  # noqa: PLC0415 - as above

        packets = self.emm.packets
        own = {4: await packets.source_for("192.0.2.1", apn), 6: await packets.source_for("2001:db8::1", apn)}
        return await packets.ask_raw(build(text, own), apn)
