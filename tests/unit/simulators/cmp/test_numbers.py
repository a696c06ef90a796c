"""Which numbers a pool of terminals is tied to: both ends of a range are in it, numbers of another length are not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.cmp.config import Pool
from simulators.cmp.platform import Settings, Terminals


def _tied(imsi: str, msisdn: str = "1440000000001", of: str = "waterworks", **pool: Any) -> bool:
    entry = Pool.model_validate({"imeis": ["99000101"], **pool})
    card: Any = SimpleNamespace(imsi=imsi, msisdn=msisdn, account=of)
    return bool(Settings({}, {"meters": entry}, {"meters": Terminals(entry)}).pools_of(card))


@pytest.mark.parametrize(
    ("imsi", "tied"),
    [
        ("001010000000059", False),
        ("001010000000060", True),
        ("001010000000065", True),
        ("001010000000069", True),
        ("001010000000070", False),
        ("00101000000006", False),  # a digit less, and between the ends as text
        ("0010100000000650", False),  # a digit more
    ],
)
def test_a_range_has_both_its_ends_and_one_length(imsi: str, tied: bool) -> None:  # noqa: FBT001 - a column of the table
    assert _tied(imsi, numbers=["001010000000060-001010000000069"]) is tied


def test_a_number_alone_is_that_number() -> None:
    assert [_tied(f"00101000000006{last}", numbers=["001010000000060"]) for last in (0, 1)] == [True, False]
    assert _tied("001010000000061", "1440000000005", numbers=["1440000000005", "1440000000009"])
    assert not _tied("001010000000061", "1440000000006", numbers=["1440000000005", "1440000000009"])


def test_numbers_of_an_account_are_those_of_its_cards_only() -> None:
    numbers: dict[str, Any] = {"account": "waterworks", "numbers": ["001010000000060-001010000000069"]}
    assert _tied("001010000000060", **numbers)
    assert not _tied("001010000000060", of="", **numbers)
    assert not _tied("001010000000060", of="gasworks", **numbers)
    assert not _tied("001010000000070", **numbers)


def test_a_pool_without_numbers_is_tied_to_all_of_its_account_and_without_an_account_to_none() -> None:
    assert _tied("001010000000060", account="waterworks")
    assert not _tied("001010000000060", of="gasworks", account="waterworks")
    assert not _tied("001010000000060")
