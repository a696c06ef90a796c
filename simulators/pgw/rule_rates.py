"""The rates of PCC rules on bearers without guaranteed rates (Max-Requested-Bandwidth, TS 29.212 4.5.5.7)."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from simulators.pgw.config import GUARANTEED
from simulators.pgw.session import EMPTY, OVER_RULE
from simwarden.machine.token_bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.policy.flow_rule import FlowRule

    #: by the name of a rule: the bucket of each direction
    Rates = Mapping[str, tuple[Bucket, Bucket]]


def rates_of(rules: Iterable[FlowRule], before: Rates, mtu: int, now: float) -> Rates:
    """Return the buckets of rules with a rate; an existing bucket is kept and gets the current rate.

    A rule that is alone on a bearer with guaranteed rates has the bucket of that bearer.
    """
    rates: dict[str, tuple[Bucket, Bucket]] = {}
    rules = tuple(rules)
    if not any(rule.quality is not None and (rule.quality.maximum_up or rule.quality.maximum_down) for rule in rules):
        return EMPTY
    sharing = Counter(rule.quality[:4] for rule in rules if rule.quality is not None)
    for rule in rules:
        quality = rule.quality
        if quality is None or not (quality.maximum_up or quality.maximum_down):
            continue
        if quality.qci in GUARANTEED and sharing[quality[:4]] == 1:
            continue
        kbits = [rate / 1000 or math.inf for rate in (quality.maximum_up, quality.maximum_down)]
        buckets = before.get(rule.name)
        if buckets is None:
            uplink, downlink = (Bucket(rate, mtu, now, OVER_RULE) for rate in kbits)
            buckets = uplink, downlink
        else:
            for bucket, rate in zip(buckets, kbits, strict=True):
                bucket.change(rate, now)
        rates[rule.name] = buckets
    return rates
