"""The QoS of rules, of default bearers and of sessions as Gx writes it (TS 29.212 5.3.16, 5.3.32, 5.3.39, 5.3.48)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from simwarden.policy.flow_rule import Quality
from simwarden.wire.diameter import first
from simwarden.wire.diameter.message import SharedGroup, read_group

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

#: the greatest rate that an Unsigned32 in bit/s holds; above it the extended AVP says the rate in kbit/s
_MOST: Final = 0xFFFFFFFF
_DEFAULT: Final = "Default-EPS-Bearer-QoS"
#: of each rate the AVP in bit/s and, for those above 4.29 Gbit/s, the one in kbit/s
_RATES: Final = {
    "maximum_up": ("Max-Requested-Bandwidth-UL", "Extended-Max-Requested-BW-UL"),
    "maximum_down": ("Max-Requested-Bandwidth-DL", "Extended-Max-Requested-BW-DL"),
    "guaranteed_up": ("Guaranteed-Bitrate-UL", "Extended-GBR-UL"),
    "guaranteed_down": ("Guaranteed-Bitrate-DL", "Extended-GBR-DL"),
}
_AMBR: Final = (
    ("APN-Aggregate-Max-Bitrate-UL", "Extended-APN-AMBR-UL"),
    ("APN-Aggregate-Max-Bitrate-DL", "Extended-APN-AMBR-DL"),
)


@lru_cache(maxsize=1024)
def qos_information(quality: Quality) -> tuple[str, Any]:
    """Build the QoS-Information of a rule."""
    rates = [
        each for field, names in _RATES.items() if (rate := getattr(quality, field)) for each in _rate(names, rate)
    ]
    return "QoS-Information", SharedGroup([_qci(quality), *rates, _priority(quality)])


@lru_cache(maxsize=1024)
def default_bearer(quality: Quality) -> tuple[str, Any]:
    """Build the Default-EPS-Bearer-QoS, which has no rates."""
    return _DEFAULT, SharedGroup([_qci(quality), _priority(quality)])


def apn_ambr(uplink: int, downlink: int) -> Avps:
    """Build the QoS-Information that says the APN-AMBR, in bit/s; a rate of 0 is left out."""
    rates = _apn_ambr(uplink, downlink)
    return [("QoS-Information", rates)] if rates else []


@lru_cache(maxsize=1024)
def _apn_ambr(*limits: int) -> SharedGroup:
    rates = zip(_AMBR, limits, strict=True)
    return SharedGroup(each for names, rate in rates if rate for each in _rate(names, rate))


def quality_of(avps: Avps) -> Quality | None:
    """Read the QCI, the ARP and the rates of a QoS-Information or a Default-EPS-Bearer-QoS; None without a QCI."""
    return read_group(avps, _quality_of)


def _quality_of(avps: Avps) -> Quality | None:
    qci = first(avps, "QoS-Class-Identifier")
    if qci is None:
        return None
    rates = {field: _rate_of(avps, names) or 0 for field, names in _RATES.items()}
    priority = first(avps, "Allocation-Retention-Priority", [])
    return Quality(
        qci,
        priority=first(priority, "Priority-Level", 15),
        may_preempt=first(priority, "Pre-emption-Capability", 1) == 0,
        preemptable=first(priority, "Pre-emption-Vulnerability", 0) == 0,
        **rates,
    )


def ambr_of(avps: Avps) -> tuple[int | None, int | None]:
    """Read the APN-AMBR of a QoS-Information in bit/s, uplink and downlink; None for a rate that it does not say."""
    return read_group(avps, _ambr_of)


def _ambr_of(avps: Avps) -> tuple[int | None, int | None]:
    return _rate_of(avps, _AMBR[0]), _rate_of(avps, _AMBR[1])


def _rate(names: tuple[str, str], rate: int) -> Avps:
    avps: Avps = [(names[0], min(rate, _MOST))]
    return [*avps, (names[1], rate // 1000)] if rate > _MOST else avps


def _rate_of(avps: Avps, names: tuple[str, str]) -> int | None:
    extended: int | None = first(avps, names[1])
    rate: int | None = extended * 1000 if extended is not None else first(avps, names[0])
    return rate


def _qci(quality: Quality) -> tuple[str, Any]:
    return "QoS-Class-Identifier", quality.qci


def _priority(quality: Quality) -> tuple[str, Any]:
    """Build the ARP; pre-emption is 0 where it is enabled (5.3.46, 5.3.47)."""
    return "Allocation-Retention-Priority", [
        ("Priority-Level", quality.priority),
        ("Pre-emption-Capability", int(not quality.may_preempt)),
        ("Pre-emption-Vulnerability", int(not quality.preemptable)),
    ]
