"""Flows that programs on the terminal keep open over steps and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from simulators.device.clients.flows import FlowProtocol, Place, UserFlow
from simulators.device.parts.web import OUTCOMES, ServerName, outcome_of
from simulators.device.verbs import DevicePart, OfDevice
from simwarden.errors import ManagementError
from simwarden.model.address import split_port
from simwarden.model.values import GIVEN, NUMBER, USER_ADDRESS, one_of
from simwarden.runtime.content import Content, Payloads, payload_of
from simwarden.runtime.declare import HISTORY, IpPlace, Observable, Seconds, verb

if TYPE_CHECKING:
    from simulators.device.contexts import Emm

#: ports of the protocols, where a step names none (IANA; 7 is echo)
_PORTS = {"tcp": 7, "udp": 7, "tls": 443, "mqtt": 1883, "mqtts": 8883}
FlowName = Annotated[str, Field(min_length=1, max_length=64)]


class OpenFlow(OfDevice):
    """Open a flow, which stays open over steps and time."""

    to: IpPlace
    """The far end: an IP address, with a port (`198.51.100.80:2525`; else that of the protocol)."""
    name: FlowName = "flow"
    """The name by which other steps and expectations refer to it; a terminal with several flows needs several."""
    protocol: FlowProtocol = "tcp"
    """`udp`: datagrams between two ports. `tcp` and `tls`: a connection. `mqtt` and `mqtts` (under TLS): a session with
    a broker (MQTT 3.1.1) that publishes to `DEVICE/up` and subscribes to `DEVICE/down`, with QoS 1."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """The terminal's own port; 0: any."""
    keep_alive: Seconds = 0.0
    """Time without traffic after which the terminal sends a keep-alive, of TCP (RFC 9293 3.8.4) or MQTT (PINGREQ); 0:
    none. 9 keep-alives of TCP without an answer, at most 75 s apart, or no PINGRESP in 10 s end the flow."""
    sni: ServerName = ""
    """The name that TLS says in the clear; empty: none."""
    within: Seconds = 60.0
    """How long it waits for the far end."""
    apn: str = ""
    """The APN of the connection that it goes by, of a terminal with several; empty: its first."""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        if self.sni and self.protocol not in ("tls", "mqtts"):
            raise ValueError(f"sni: expected protocol tls or mqtts, got {self.protocol}")
        if self.keep_alive and self.protocol == "udp":
            raise ValueError("keep_alive: datagrams have none; repeat `exchange` instead (every: 30 s)")
        if self.protocol in ("mqtt", "mqtts") and not (self.keep_alive.is_integer() and self.keep_alive <= 65535):
            raise ValueError(f"keep_alive: expected whole seconds up to 65535 of MQTT, got {self.keep_alive:g} s")
        return self


class Exchange(OfDevice, Content):
    """Send octets in a flow, and wait for an answer."""

    name: FlowName = "flow"
    """The flow."""
    within: Seconds = 5.0
    """How long it waits for an answer."""

    @model_validator(mode="after")
    def _has_octets(self) -> Self:
        if not self.content:
            raise ValueError("expected octets to send, as text or hex")
        return self


class CloseFlow(OfDevice):
    """Close a flow."""

    name: FlowName = "flow"
    """The flow."""


class Flows(DevicePart):
    """The flows of programs."""

    observables = (
        Observable(
            "user_flow",
            "a flow that a step opened, by its name: its state, octets of content each way, answered keep-alives;"
            " `closed` by the terminal, `ended` by the far end, `reset` by either, `timed-out` without answers,"
            " `dropped` without a bearer",
            fields={
                "name": GIVEN | one_of("flow"),
                "protocol": one_of("udp", "tcp", "tls", "mqtt", "mqtts"),
                "state": one_of("open", "closed", "ended", "reset", "timed-out", "dropped"),
                "sent": NUMBER,
                "received": NUMBER,
                "keep_alives": NUMBER,
            },
            passing=HISTORY,
        ),
        payload_of(
            "octets that have come to the terminal in a flow: a datagram, what was read of a connection at a time, or"
            " the payload of a PUBLISH; datagrams of other senders to the flow's port as well",
            {"flow": GIVEN | one_of("flow"), "source": USER_ADDRESS},
        ),
    )

    def __init__(self, emm: Emm) -> None:
        super().__init__(emm)
        self._payloads = Payloads(emm.site)

    @verb("connected", *OUTCOMES[1:])
    async def open_flow(self, arguments: OpenFlow) -> str:
        """Open a flow: `connected` if the far end takes it (of datagrams without asking it), `refused` if the far end
        or the network refuses it, `timed-out` if nothing answers, `dropped` where the terminal has no bearer for it.
        """  # noqa: D205 - the whole of it is the outcome
        flows = self.powered.packets.flows
        for each in (each for each in flows.values() if each.state == "open"):
            if each.name == arguments.name or each.place.own_port == arguments.port > 0:
                raise ManagementError(409, f"{self.emm.site.name} has flow {each.name!r} open, with this name or port")
        address, port = split_port(arguments.to, _PORTS[arguments.protocol])
        place = Place(address, port, arguments.port, arguments.apn, arguments.sni)
        flow = UserFlow(self.emm.packets, self._payloads, arguments.name, arguments.protocol, place)
        outcome = await outcome_of(self.emm, flow.open(arguments.keep_alive), arguments.within)
        if outcome != "delivered":
            return outcome
        flows[arguments.name] = flow
        return "connected"

    @verb(*OUTCOMES)
    async def exchange(self, arguments: Exchange) -> str:
        """Send octets in an open flow: `delivered` if octets of the far end come, or a broker's PUBACK, `timed-out` if
        nothing does, `refused` if the far end or the network ends the flow, `dropped` if the flow is over already.
        """  # noqa: D205 - the whole of it is the outcome
        flow = self._find(self.powered, arguments.name)
        if flow.waiting:
            raise ManagementError(409, f"{self.emm.site.name} waits for an answer in its flow {flow.name!r}")
        if flow.protocol == "udp":
            try:
                arguments.check_datagram()
            except ValueError as error:
                raise ManagementError(400, str(error)) from error
        return await flow.exchange(arguments.content, arguments.within)

    @verb("closed", "dropped")
    async def close_flow(self, arguments: CloseFlow) -> str:
        """Close a flow: `closed`, or `dropped` if it is over already."""
        flow = self._find(self.emm, arguments.name)
        if flow.state != "open":
            return "dropped"
        flow.close()
        return "closed"

    @staticmethod
    def _find(emm: Emm, name: str) -> UserFlow:
        flow = emm.packets.flows.get(name)
        if flow is None:
            raise ManagementError(409, f"{emm.site.name} has opened no flow {name!r}: open it first (open_flow)")
        return flow
