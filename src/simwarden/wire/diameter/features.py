"""Supported-Features (TS 29.229 6.3.29): what ends of S6a (TS 29.272 7.3.10) or Gx (TS 29.212 5.4.1) can do more."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from simwarden.wire.diameter.codes import Feature, GxFeature, SmsFeature
from simwarden.wire.diameter.message import SharedGroup, first

if TYPE_CHECKING:
    from simwarden.wire.diameter.message import Message

_3GPP: Final = 10415
#: the list that has the features of an enumeration
_LISTS: Final[dict[type[Feature | SmsFeature | GxFeature], int]] = {Feature: 1, SmsFeature: 2, GxFeature: 1}


@lru_cache(maxsize=64, typed=True)  # equal numbers are features of several lists
def supported_features(features: Feature | SmsFeature | GxFeature) -> tuple[str, Any]:
    """Make the AVP that announces features of a list."""
    which = ("Feature-List-ID", _LISTS[type(features)])
    return "Supported-Features", SharedGroup([("Vendor-Id", _3GPP), which, ("Feature-List", int(features))])


def features_of(message: Message) -> Feature:
    """Return the features of list 1 that a message announces; one that says nothing announces none."""
    return Feature(_announced(message, Feature) & int(Feature.ODB_ALL_APN | Feature.REG_SUB))


def sms_features_of(message: Message) -> SmsFeature:
    """Return the features of list 2 that a message announces; one that says nothing announces none."""
    return SmsFeature(_announced(message, SmsFeature) & int(SmsFeature.SMS_IN_MME))


def gx_features_of(message: Message) -> GxFeature:
    """Return the features that a message of Gx announces; one that says nothing announces none."""
    known = GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC
    return GxFeature(_announced(message, GxFeature) & int(known))


def _announced(message: Message, features: type[Feature | SmsFeature | GxFeature]) -> int:
    """Return the bits of a list, in whichever of its AVPs they are."""
    found = 0
    for group in message.all("Supported-Features"):
        if (first(group, "Vendor-Id"), first(group, "Feature-List-ID")) == (_3GPP, _LISTS[features]):
            found |= first(group, "Feature-List", 0)
    return found
