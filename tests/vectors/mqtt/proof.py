"""MQTT, against what paho-mqtt and mosquitto say to each other."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, in_pieces, load

from simwarden.wire import mqtt

TAKES = (mqtt.decode, mqtt.dissect, in_pieces(mqtt.Splitter), mqtt.mask_password)
PROOF = Proof(
    {"mqtt": Octets("mqtt/seeds.txt", mutation.mutate, TAKES, 6)},
    lambda: set(mqtt.PacketType),
    lambda: {kind for kind, _, _ in load(Path(__file__).with_name("test_others.py")).VECTORS},
)
