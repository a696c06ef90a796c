"""The generator of elements: repeatable, fair, small."""

from __future__ import annotations

import sys
from collections import Counter
from hashlib import sha256

import pytest

from simwarden.runtime.dice import Dice


def test_octets_are_the_digests_of_seed_and_count() -> None:
    key = sha256(b"0/story/mme").digest()
    first, second = (sha256(key + number.to_bytes(8)).digest() for number in (1, 2))
    assert Dice("0/story/mme").randbytes(40) == first + second[:8]


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others() -> None:
    def drawn(seed: str) -> list[object]:
        dice = Dice(seed)
        return [dice.getrandbits(40), dice.randrange(10**6), dice.random(), dice.choices("abc"), dice.randbytes(16)]

    assert drawn("a") == drawn("a")
    assert not set(map(str, drawn("a"))) & {str(each) for each in drawn("b") if not isinstance(each, list)}


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 32, 40])
def test_bits_fill_their_range(bits: int) -> None:
    dice = Dice("bits")
    seen = [dice.getrandbits(bits) for _ in range(200)]
    assert max(seen) < 1 << bits
    assert max(seen) >= 1 << bits - 1
    assert min(seen) < max(1, 1 << bits - 1)


def test_ranges_and_weights_are_kept() -> None:
    dice = Dice("ranges")
    assert Counter(dice.randrange(5) for _ in range(1000)).keys() == set(range(5))
    assert all(2.0 <= dice.uniform(2.0, 3.0) < 3.0 for _ in range(100))
    chosen = Counter(dice.choices("abc", [0, 1, 3])[0] for _ in range(1000))
    assert chosen["a"] == 0
    assert 2 < chosen["c"] / chosen["b"] < 4.5
    assert {dice.choices("ab")[0] for _ in range(50)} == {"a", "b"}


def test_it_is_small() -> None:
    dice = Dice("x")
    assert sys.getsizeof(dice) + sys.getsizeof(dice._key) < 200
