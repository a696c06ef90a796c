"""The platform's rules."""

from __future__ import annotations

import pytest

from simwarden.policy.platform import (
    Mismatch,
    PhoneWish,
    judge_batch,
    judge_captured,
    judge_lock,
    judge_phone,
    judge_pools,
    judge_record,
)

METER, PHONE = "99000101000001", "99000201000001"


def test_first_use_teaches_and_the_bound_terminal_is_compared_by_14_digits() -> None:
    first = judge_captured(bound="", seen=METER)
    assert (first.admitted, first.details["teaches"]) == (True, "990001010000016")
    for seen in (METER, METER + "8", METER + "77"):
        assert judge_captured(bound=METER, seen=seen).admitted
    refused = judge_captured(bound=METER, seen=PHONE)
    assert not refused.admitted
    assert refused.details["expected"].startswith(METER)
    assert refused.details["seen"].startswith(PHONE)


@pytest.mark.parametrize(
    ("mismatch", "before", "grace", "admitted"),
    [
        (Mismatch.REFUSE, 0, 0, False),
        (Mismatch.SUSPEND, 0, 0, False),
        (Mismatch.ALARM, 9, 0, True),
        (Mismatch.REFUSE, 0, 2, True),
        (Mismatch.REFUSE, 1, 2, True),
        (Mismatch.REFUSE, 2, 2, False),
    ],
)
def test_what_an_account_wants_of_a_mismatch(mismatch: Mismatch, before: int, grace: int, *, admitted: bool) -> None:
    for ruling in (
        judge_captured(bound=METER, seen=PHONE, mismatch=mismatch, before=before, grace=grace),
        judge_pools(seen=PHONE, pools={"meters": {METER}}, mismatch=mismatch, before=before, grace=grace),
    ):
        assert ruling.admitted is admitted
        assert ruling.details.get("alarm", False) is admitted


def test_any_pool_will_do_and_none_named_is_none() -> None:
    pools = {"meters": {METER}, "phones": {PHONE}}
    assert judge_pools(seen=PHONE, pools=pools).admitted
    assert not judge_pools(seen="99000301000001", pools=pools).admitted


def test_records_hold_an_embedded_card_to_its_first_terminal_even_inside_a_pool() -> None:
    pools = {"meters": {METER, PHONE}}
    assert judge_record(seen=PHONE, bound="", pools=pools, first=METER).admitted
    assert judge_record(seen=METER, bound="", pools=pools, embedded=True, first=METER).admitted
    assert not judge_record(seen=PHONE, bound="", pools=pools, embedded=True, first=METER).admitted
    assert not judge_record(seen=PHONE, bound=METER, pools={}).admitted
    assert not judge_record(seen=PHONE, bound="", pools={"meters": {METER}}).admitted
    assert judge_record(seen=PHONE, bound="", pools={}).admitted
    assert judge_record(seen=PHONE, bound="", pools=pools, embedded=True).admitted, "it was never seen before"


def test_limits_hold_at_their_edges() -> None:
    assert judge_lock(elapsed=None).admitted
    assert not judge_lock(elapsed=179.9).admitted
    assert judge_lock(elapsed=180.0).admitted
    assert judge_batch(size=100).admitted
    assert not judge_batch(size=101).admitted


@pytest.mark.parametrize(
    ("kind", "wish", "admitted", "alarm"),
    [
        ("module", PhoneWish.REFUSE, True, False),
        ("", PhoneWish.REFUSE, True, False),
        ("phone", PhoneWish.SERVE, True, False),
        ("phone", PhoneWish.ALARM, True, True),
        ("phone", PhoneWish.REFUSE, False, False),
        ("phone", PhoneWish.SUSPEND, False, False),
    ],
)
def test_a_card_in_a_phone_of_the_library(kind: str, wish: PhoneWish, admitted: bool, alarm: bool) -> None:  # noqa: FBT001
    ruling = judge_phone(kind=kind, seen=PHONE, wish=wish)
    assert ruling.admitted is admitted
    assert bool(ruling.details.get("alarm")) is alarm
    assert ruling.details["kind"] == kind
    assert ("the library lacks" in ruling.reason) is (kind == "")
    assert not judge_phone(kind="tablet", seen=PHONE, wish=PhoneWish.REFUSE, phones=("phone", "tablet")).admitted


@pytest.mark.parametrize("seen", ["0" * 14, "0" * 16, "00000000123456", "9" * 14])
def test_an_imei_that_no_terminal_has_teaches_nothing(seen: str) -> None:
    refused = judge_captured(bound="", seen=seen)
    assert (refused.admitted, refused.details["teaches"]) == (False, "")
    alarmed = judge_captured(bound=METER, seen=seen, mismatch=Mismatch.ALARM)
    assert (alarmed.admitted, alarmed.details["alarm"]) == (True, True)
