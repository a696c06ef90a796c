"""Guideline 2.1.3(1) two and three: the connection-management platform binds cards to terminals, singly or by pools.

Time is given in seconds of one clock, IMEIs in any of their forms.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from simwarden.model.identity import Imei, imei_key, is_assigned
from simwarden.model.values import GIVEN, IMEI, KIND, NUMBER, SWITCH, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping

#: seconds between two operations on one card
LOCK = 180.0
#: cards in one batch of operations
LARGEST_BATCH = 100


class Mismatch(enum.Enum):
    """What an account wants to happen when one of its cards is in a terminal that is not its own."""

    REFUSE = "refuse"
    SUSPEND = "suspend"
    """Refuse, and suspend the card."""
    ALARM = "alarm"
    """Serve, and record it."""


def _off(ruling_reason: str, mismatch: Mismatch, before: int, grace: int, **facts: Any) -> Ruling:
    """Rule on a terminal that is not the card's: `alarm` in the details says that it is served all the same."""
    if mismatch is Mismatch.ALARM:
        return Ruling.admit(f"{ruling_reason}; the account wants an alarm only", **facts, alarm=True)
    if before < grace:
        return Ruling.admit(f"{ruling_reason}; mismatch {before + 1} of {grace} allowed", **facts, alarm=True)
    return Ruling.refuse(ruling_reason, **facts)


class PhoneWish(enum.Enum):
    """What an account wants to happen when one of its cards is in a phone."""

    SERVE = "serve"
    ALARM = "alarm"
    """Serve, and record it."""
    REFUSE = "refuse"
    SUSPEND = "suspend"
    """Refuse, and suspend the card."""


@tells(expected=one_of("no phone"), seen=IMEI, kind=KIND.or_none(), alarm=SWITCH)
def judge_phone(*, kind: str, seen: str, wish: PhoneWish, phones: Collection[str] = ("phone",)) -> Ruling:
    """Rule on a card by the kind that the operator's library has of its terminal (mon.phone); empty: unknown.

    `alarm` in the details says that a phone is served all the same, and recorded.
    """
    facts = {"expected": "no phone", "seen": Imei(imei_key(seen)).imei, "kind": kind}
    if kind not in phones:
        return Ruling.admit("the terminal is no phone" if kind else "the library lacks the terminal", **facts)
    if wish is PhoneWish.SERVE:
        return Ruling.admit("the terminal is a phone, which the account may have", **facts)
    if wish is PhoneWish.ALARM:
        return Ruling.admit("the terminal is a phone; the account wants an alarm only", **facts, alarm=True)
    return Ruling.refuse("the terminal is a phone", **facts)


@tells(expected=IMEI, seen=IMEI, teaches=IMEI.or_none(), alarm=SWITCH)
def judge_captured(
    *, bound: str, seen: str, mismatch: Mismatch = Mismatch.REFUSE, before: int = 0, grace: int = 0
) -> Ruling:
    """Rule on a card that the platform binds (bind.cmp); `bound` is empty before its first use.

    The first use teaches the IMEI: `teaches` in the details, empty if it does not. `before` counts mismatches so far,
    of which `grace` are served.
    """
    imei = Imei(imei_key(seen)).imei
    if not bound and not is_assigned(seen):
        return Ruling.refuse("no terminal has this IMEI, so that the first use binds nothing", seen=imei, teaches="")
    if not bound:
        return Ruling.admit("the first use binds the card to this terminal", seen=imei, teaches=imei)
    facts = {"expected": Imei(imei_key(bound)).imei, "seen": imei, "teaches": ""}
    if imei_key(bound) == imei_key(seen):
        return Ruling.admit("the terminal is the bound one", **facts)
    return _off("the terminal is not the bound one", mismatch, before, grace, **facts)


@tells(expected=GIVEN, seen=IMEI, alarm=SWITCH)
def judge_pools(
    *,
    seen: str,
    pools: Mapping[str, Container[str]],
    mismatch: Mismatch = Mismatch.REFUSE,
    before: int = 0,
    grace: int = 0,
) -> Ruling:
    """Rule on a card whose number is in a pool of numbers that is tied to pools of IMEIs (bind.pool)."""
    key = imei_key(seen)
    facts = {"expected": sorted(pools), "seen": Imei(key).imei}
    if not pools:
        return Ruling.admit("no pool of terminals is tied to the card's number", **facts)
    for name, pool in pools.items():
        if key in pool:
            return Ruling.admit(f"the terminal is of pool {name}", **facts)
    return _off("the terminal is in none of the pools of the card's number", mismatch, before, grace, **facts)


@tells(expected=IMEI, seen=IMEI, teaches=IMEI.or_none(), alarm=SWITCH)
def judge_record(
    *, seen: str, bound: str, pools: Mapping[str, Container[str]], embedded: bool = False, first: str = ""
) -> Ruling:
    """Rule on a contact of the day before, from the records: by binding, and by pool.

    An `embedded` card cannot have left its `first` terminal, even inside a pool.
    """
    key = imei_key(seen)
    if bound:
        return judge_captured(bound=bound, seen=seen)
    if embedded and first and imei_key(first) != key:
        facts = {"expected": Imei(imei_key(first)).imei, "seen": Imei(key).imei}
        return Ruling.refuse("an embedded card is not in the terminal that it was built into", **facts)
    return judge_pools(seen=seen, pools=pools)


@tells(seen=NUMBER.or_none(), expected=NUMBER)
def judge_lock(*, elapsed: float | None, lock: float = LOCK) -> Ruling:
    """Rule on an operation on a card by the seconds since the last one, None if there was none."""
    if elapsed is not None and elapsed < lock:
        return Ruling.refuse(f"the card is locked for {lock - elapsed:.0f} s more", seen=elapsed, expected=lock)
    return Ruling.admit("the card is not locked", seen=elapsed, expected=lock)


@tells(seen=NUMBER, expected=NUMBER)
def judge_batch(*, size: int, most: int = LARGEST_BATCH) -> Ruling:
    """Rule on a batch of operations by its size."""
    if size > most:
        return Ruling.refuse(f"a batch has at most {most} cards", seen=size, expected=most)
    return Ruling.admit("the batch is small enough", seen=size, expected=most)
