"""Supported-Features (TS 29.229 6.3.29): what ends of S6a (TS 29.272 7.3.10) or Gx (TS 29.212 5.4.1) can do more."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from simwarden.wire.diameter.codes import VENDOR_3GPP, Feature, GxFeature, SmsFeature
from simwarden.wire.diameter.message import SharedGroup, first

if TYPE_CHECKING:
    from simwarden.wire.diameter.message import Message

F = TypeVar("F", Feature, SmsFeature, GxFeature)

#: the list that has the features of an enumeration
_LISTS: Final[dict[type[Feature | SmsFeature | GxFeature], int]] = {Feature: 1, SmsFeature: 2, GxFeature: 1}


@lru_cache(maxsize=64, typed=True)  # equal numbers are features of several lists
def supported_features(features: Feature | SmsFeature | GxFeature) -> tuple[str, Any]:
    """Make the AVP that announces features of a list."""
    which = ("Feature-List-ID", _LISTS[type(features)])
    return "Supported-Features", SharedGroup([("Vendor-Id", VENDOR_3GPP), which, ("Feature-List", int(features))])


def features_of(message: Message, features: type[F]) -> F:
    """Return the known features of a list that a message announces, whichever of its AVPs has them."""
    announced = 0
    for group in message.all("Supported-Features"):
        if (first(group, "Vendor-Id"), first(group, "Feature-List-ID")) == (VENDOR_3GPP, _LISTS[features]):
            announced |= first(group, "Feature-List", 0)
    return features(announced & sum(features))
