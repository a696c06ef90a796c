"""What rules declare of their details: each rule its own, and of a name all that any rule says."""

from __future__ import annotations

from simwarden.model.values import one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import DETAILS, details_of, tells


def test_of_a_name_is_known_what_any_rule_declares() -> None:
    first, second = one_of("dry"), one_of("wet")

    @tells(weather=first)
    def judge_morning() -> Ruling:
        return Ruling.admit("it is dry", weather="dry")

    @tells(weather=second)
    def judge_evening() -> Ruling:
        return Ruling.refuse("it is wet", weather="wet")

    try:
        assert (details_of(judge_morning), details_of(judge_evening)) == ({"weather": first}, {"weather": second})
        assert details_of(Ruling.admit) is None
        assert [DETAILS["weather"].may_be(word) for word in ("dry", "wet", "hot")] == [True, True, False]
    finally:
        DETAILS.pop("weather", None)
