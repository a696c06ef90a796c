"""MQTT 3.1.1 (OASIS Standard, 29 October 2014): all control packets, topics and filters."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.mqtt.codec import Splitter, decode, encode
    from simwarden.wire.mqtt.packets import *
    from simwarden.wire.mqtt.reading import dissect, mask_password
    from simwarden.wire.mqtt.topics import check_filter, check_topic, level, matches

__getattr__ = offer(__name__, "codec", "packets", "topics", "reading")
