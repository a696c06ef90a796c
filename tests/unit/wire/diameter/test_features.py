"""Supported-Features of S6a and Gx: each list for itself, whatever else a message announces."""

from __future__ import annotations

from simwarden.wire.diameter import Message
from simwarden.wire.diameter.codes import Feature, GxFeature, SmsFeature
from simwarden.wire.diameter.features import features_of, supported_features


def told(*avps: tuple[str, object]) -> Message:
    return Message(316, 16777251, 0xC0, 1, 1, list(avps))


def test_each_list_is_read_for_itself() -> None:
    message = told(supported_features(Feature.REG_SUB), supported_features(SmsFeature.SMS_IN_MME))
    assert features_of(message, Feature) is Feature.REG_SUB
    assert features_of(message, SmsFeature) is SmsFeature.SMS_IN_MME
    assert features_of(told(supported_features(SmsFeature.SMS_IN_MME)), Feature) == Feature(0)
    assert features_of(told(supported_features(Feature.ODB_ALL_APN)), SmsFeature) == SmsFeature(0)


def test_who_announces_nothing_has_nothing() -> None:
    assert features_of(told(), Feature) == Feature(0)
    assert features_of(told(), SmsFeature) == SmsFeature(0)


def test_bits_and_vendors_that_nobody_knows_are_left() -> None:
    strange = ("Supported-Features", [("Vendor-Id", 1), ("Feature-List-ID", 2), ("Feature-List", 1)])
    more = ("Supported-Features", [("Vendor-Id", 10415), ("Feature-List-ID", 2), ("Feature-List", 0xFFFFFFFF)])
    assert features_of(told(strange), SmsFeature) == SmsFeature(0)
    assert features_of(told(strange, more), SmsFeature) is SmsFeature.SMS_IN_MME


def test_of_gx_only_what_is_known_is_agreed() -> None:
    message = told(("Supported-Features", [("Vendor-Id", 10415), ("Feature-List-ID", 1), ("Feature-List", 0xFFFF)]))
    assert features_of(message, GxFeature) == GxFeature(0b1001011)
    assert GxFeature.ADC not in features_of(
        told(supported_features(GxFeature(0x0B))), GxFeature
    )  # as Open5GS announces
    assert features_of(told(), GxFeature) == GxFeature(0)
