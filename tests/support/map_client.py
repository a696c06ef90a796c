"""Somebody who asks an HLR or EIR by a socket: M3UA, SCCP, TCAP and MAP by hand."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from simwarden.wire import m3ua, sccp, tcap
from simwarden.wire import map as m
from simwarden.wire.m3ua import MessageType, ProtocolData
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.wire.asn1 import Record
    from simwarden.wire.tcap import Component, Context
    from simwarden.wire.tcap.user import Operation

#: the SSP of the default settings
POINT_CODE, NUMBER = 8, AddressString("8613800000008")
_SCCP = 3


def ask(
    where: tuple[str, int], to: Address, context: Context, operation: Operation, argument: Record, *, patience: float
) -> tuple[Component, ...]:
    """Associate oneself as the SSP, ask an operation, and return the components that end the dialogue."""
    with closing(socket.create_connection(where, timeout=patience)) as peer, peer.makefile("rb") as stream:

        def hear(*wanted: MessageType) -> m3ua.Message:
            while True:
                head = stream.read(8)
                assert len(head) == 8, "closed instead of an answer"
                message = m3ua.decode(head + stream.read(int.from_bytes(head[4:]) - 8))
                if message.type in wanted:
                    return message

        peer.sendall(m3ua.encode(m3ua.Message(MessageType.ASP_UP)))
        hear(MessageType.ASP_UP_ACK)
        peer.sendall(m3ua.encode(m3ua.Message(MessageType.ASP_ACTIVE, routing_context=(POINT_CODE,))))
        hear(MessageType.ASP_ACTIVE_ACK)
        component = m.invoke(operation, argument, invoke_id=1)
        begin = tcap.Message(tcap.MessageType.BEGIN, b"\0\0\0\1", dialogue=tcap.Aarq(context), components=(component,))
        unit = sccp.Message(sccp.MessageType.UNITDATA, to, Address(8, POINT_CODE), tcap.encode(begin))
        label = (POINT_CODE, to.point_code or 0, _SCCP, 2, 0, 0)
        peer.sendall(m3ua.encode_data(ProtocolData(*label, sccp.encode(unit)), POINT_CODE))
        data = hear(MessageType.DATA).protocol_data
        assert data is not None
        return tcap.decode(sccp.decode(data.user_data).data).components


def ask_route(where: tuple[str, int], msisdn: str, patience: float) -> tuple[Component, ...]:
    """Ask the HLR for the way to a number."""
    asked = m.SendRoutingInfo(AddressString(msisdn), m.InterrogationType.BASIC_CALL, NUMBER)
    return ask(where, Address(6, 6), m.LOCATION_INFO_RETRIEVAL, m.SEND_ROUTING_INFO, asked, patience=patience)


def check_imei(where: tuple[str, int], imei: str, patience: float) -> tuple[Component, ...]:
    """Ask the EIR about a terminal."""
    return ask(where, Address(9, 9), m.EQUIPMENT_MNGT, m.CHECK_IMEI, m.CheckImei(imei, (0,)), patience=patience)
