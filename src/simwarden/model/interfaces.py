"""The reference points of the network: what each speaks, over which kind of transport, on which well-known port."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Service(enum.Enum):
    """What a link keeps of what was sent: a stream of octets, messages (SCTP, or framed on TCP), or datagrams."""

    STREAM = "stream"
    MESSAGES = "messages"
    DATAGRAMS = "datagrams"


@dataclass(frozen=True, slots=True)
class Interface:
    """A reference point: name, wire family, service, IANA port of the listening side and SCTP payload protocol id."""

    name: str
    protocol: str
    service: Service
    port: int
    ppid: int = 0
    spec: str = ""


_ALL = (
    Interface("ME-UICC", "apdu", Service.MESSAGES, 35963, spec="TS 102.221, TS 31.102"),
    Interface("Uu", "uu", Service.MESSAGES, 4997, spec="NAS by TS 24.301 in a frame of ours for TS 36.331"),
    Interface("S1-MME", "s1ap", Service.MESSAGES, 36412, 18, "TS 36.413"),
    Interface("X2", "x2", Service.MESSAGES, 36422, 27, "TS 36.423"),
    Interface("S6a", "diameter", Service.STREAM, 3868, 46, "TS 29.272"),
    Interface("S13", "diameter", Service.STREAM, 3868, 46, "TS 29.272"),
    Interface("MQTT", "mqtt", Service.STREAM, 1883, spec="MQTT 3.1.1 (OASIS, 2014)"),
)

INTERFACES = {interface.name: interface for interface in _ALL}
