"""MQTT 3.1.1 packets of other implementations, read and written."""

from __future__ import annotations

import pytest

from simwarden.wire.mqtt import (
    Ack,
    Bare,
    ConnAck,
    Connect,
    Packet,
    PacketType,
    Publish,
    SubAck,
    Subscribe,
    Unsubscribe,
    Will,
    decode,
    encode,
)

#: what paho-mqtt 2.2.0 and mosquitto 2.0.21 said to each other, octet for octet
VECTORS: list[tuple[PacketType, str, Packet]] = [
    (
        PacketType.CONNECT,
        "102c00044d51545404ec000100036f7073000973746174652f6f70730004676f6e65000475736572000470617373",
        Connect("ops", clean=False, keep_alive=1, will=Will("state/ops", b"gone", 1, retain=True), user="user",
                password=b"pass"),
    ),
    (PacketType.CONNACK, "20020000", ConnAck()),
    (PacketType.SUBSCRIBE, "820e00010003612f2b010003622f2302", Subscribe(1, (("a/+", 1), ("b/#", 2)))),
    (PacketType.SUBACK, "900400010102", SubAck(1, (1, 2))),
    (PacketType.PUBLISH, "320a0003612f6200026f6e65", Publish("a/b", b"one", 1, identifier=2)),
    (PacketType.PUBLISH, "30090003612f627a65726f", Publish("a/b", b"zero")),
    (PacketType.PUBACK, "40020001", Ack(PacketType.PUBACK, 1)),
    (PacketType.PUBREC, "50020003", Ack(PacketType.PUBREC, 3)),
    (PacketType.PUBREL, "62020003", Ack(PacketType.PUBREL, 3)),
    (PacketType.PUBCOMP, "70020003", Ack(PacketType.PUBCOMP, 3)),
    (PacketType.UNSUBSCRIBE, "a20700050003612f2b", Unsubscribe(5, ("a/+",))),
    (PacketType.UNSUBACK, "b0020005", Ack(PacketType.UNSUBACK, 5)),
    (PacketType.PINGREQ, "c000", Bare(PacketType.PINGREQ)),
    (PacketType.PINGRESP, "d000", Bare(PacketType.PINGRESP)),
    (PacketType.DISCONNECT, "e000", Bare(PacketType.DISCONNECT)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "octets", "packet"), VECTORS, ids=[f"{v[0].name}-{v[1][:8]}" for v in VECTORS])
def test_octets_of_others_are_read_and_written(kind: PacketType, octets: str, packet: Packet) -> None:
    assert bytes.fromhex(octets)[0] >> 4 == kind
    assert decode(bytes.fromhex(octets)) == packet
    assert encode(packet).hex() == octets
