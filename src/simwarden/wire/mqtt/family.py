"""MQTT between elements and the broker that takes their events."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import Family, Interface, Service

EVENTS: Final = "MQTT"
"""The reference point on which events go to the operator's systems."""

MQTT: Final = Family(
    name="mqtt",
    title="MQTT",
    reading="simwarden.wire.mqtt.reading:Mqtt",
    place=100,
    interfaces=(Interface(EVENTS, "mqtt", Service.STREAM, 1883, spec="MQTT 3.1.1 (OASIS, 2014)"),),
    silenced=True,
    layers=frozenset({"mqtt", "json"}),
)
