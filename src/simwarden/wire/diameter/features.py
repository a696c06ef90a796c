"""Supported-Features (TS 29.272 7.3.9, 7.3.10; TS 29.229 6.3.29): what the ends of S6a can do beyond the base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.wire.diameter.codes import Feature
from simwarden.wire.diameter.message import first

if TYPE_CHECKING:
    from simwarden.wire.diameter.message import Message

_3GPP: Final = 10415
_LIST: Final = 1


def supported_features(features: Feature) -> tuple[str, Any]:
    """Make the AVP that announces features of list 1."""
    return "Supported-Features", [("Vendor-Id", _3GPP), ("Feature-List-ID", _LIST), ("Feature-List", int(features))]


def features_of(message: Message) -> Feature:
    """Return the features of list 1 that a message announces; one that says nothing announces none."""
    found = Feature(0)
    for group in message.all("Supported-Features"):
        if (first(group, "Vendor-Id"), first(group, "Feature-List-ID")) == (_3GPP, _LIST):
            found |= Feature(first(group, "Feature-List", 0) & int(Feature.ODB_ALL_APN | Feature.REG_SUB))
    return found
