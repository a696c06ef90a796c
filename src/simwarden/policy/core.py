"""Guideline 1: IoT cards use dedicated numbers, and are carried on core elements that are dedicated to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import ADDRESS, MSISDN, NAME
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells
from simwarden.policy.number_ranges import DEDICATED, KIND_OF_NUMBER, judge_number

if TYPE_CHECKING:
    from collections.abc import Collection

    from simwarden.policy.number_ranges import NumberRanges


@tells(expected=DEDICATED, seen=KIND_OF_NUMBER | MSISDN)
def judge_core_number(*, number: str, ranges: NumberRanges | None = None) -> Ruling:
    """Rule whether an element that is dedicated to IoT serves a card: by its number, which must be told."""
    if not number.strip():
        return Ruling.refuse("the card's number is not told", expected="a dedicated IoT number", seen="none")
    return judge_number(number=number, ranges=ranges)


@tells(expected=NAME | ADDRESS, seen=NAME | ADDRESS)
def judge_core_element(*, name: str, host: str, listed: Collection[str]) -> Ruling:
    """Rule whether a request comes from an element of the dedicated core: by its name or its IP address."""
    facts = {"expected": sorted(listed), "seen": name}
    if name in listed or host in listed:
        return Ruling.admit(f"{name} is an element of the dedicated core", **facts)
    return Ruling.refuse(f"{name} is no element of the dedicated core", **facts)
