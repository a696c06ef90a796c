"""An SSP on a plain blocking socket: M3UA, SCCP and TCAP by their machines, calls as octets; many may wait."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Self

from simwarden.machine.m3ua_asp import Asp
from simwarden.machine.m3ua_events import AspState, Received
from simwarden.machine.sccp import SccpPoint, Unitdata
from simwarden.machine.tcap import TcapEndpoint
from simwarden.wire import cap
from simwarden.wire.sccp import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.machine.tcap_events import Event

SSP, SCP = 8, 146


class SspSender:
    """The SSP at point code 8, whose routing context is the same."""

    def __init__(self, where: tuple[str, int], *, patience: float = 30.0) -> None:
        self._socket = socket.create_connection(where, timeout=patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._asp, self._sccp = Asp(SSP), SccpPoint(SSP, {146: True})
        first = int.from_bytes(self._socket.getsockname()[1].to_bytes(2) + b"\0\0")
        self.tc = TcapEndpoint(cap.CAP_USER, Address(146, SSP), first=first)
        self._asp.connected(time.monotonic())
        self._flush()
        until = time.monotonic() + patience
        while self._asp.state is not AspState.ACTIVE:
            assert time.monotonic() < until, "no association"
            self.receive(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, octets: bytes, phase: cap.Phase = cap.Phase.FOUR) -> int:
        """Ask about a call; return its dialogue."""
        dialogue = self.tc.open(Address(146, SCP), cap.CONTEXTS[phase])
        self.tc.invoke(dialogue, cap.INITIAL_DP, octets, time.monotonic())
        self.tc.begin(dialogue)
        self._flush()
        return dialogue

    def report(self, dialogue: int, tenths: int) -> None:
        """Tell how long a call was, and that it is over."""
        result = cap.ApplyChargingReport(cap.CallResult(1, tenths, leg_active=False))
        octets = cap.CAP_USER.encode_argument(cap.APPLY_CHARGING_REPORT, result)
        self.tc.invoke(dialogue, cap.APPLY_CHARGING_REPORT, octets, time.monotonic())
        self.tc.end(dialogue)
        self._flush()

    def receive(self, timeout: float) -> list[Event]:
        """Return what came within a time, or at once what is there. Raises ConnectionError."""
        if select.select([self._socket], [], [], timeout)[0]:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the SCP")
            for message in self._cut(data):
                self._asp.receive(message, time.monotonic())
            for event in self._asp.events():
                if isinstance(event, Received):
                    self._sccp.receive(event.data, time.monotonic())
            for unit in self._sccp.events():
                if isinstance(unit, Unitdata):
                    self.tc.receive(unit.called, unit.calling, unit.data)
            self._flush()
        return self.tc.events()

    def _cut(self, data: bytes) -> Iterator[bytes]:
        """Cut messages by their own lengths (RFC 4666 3.1.4)."""
        self._rest += data
        while len(self._rest) >= 8 and len(self._rest) >= (length := int.from_bytes(self._rest[4:8])):
            yield self._rest[:length]
            self._rest = self._rest[length:]

    def _flush(self) -> None:
        for out in self.tc.data_to_send():
            self._sccp.send(out.called, out.calling, out.data)
        for data in self._sccp.data_to_send():
            self._asp.send(data)
        octets = b"".join(self._asp.data_to_send())
        if octets:
            self._socket.sendall(octets)
