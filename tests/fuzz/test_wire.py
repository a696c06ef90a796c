"""Whatever octets a wire family is given: a message or a PeerError, within a second, and nothing of it is kept."""

from __future__ import annotations

import gc
import random
import time
from pathlib import Path
from typing import Any

import budget
import mutation
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import Octets, in_pieces, proofs, read_lines, seeds, with_suppressed

from simwarden.runtime.transport.framing import Deframer, enclose

HERE = Path(__file__).parent
#: seconds that one case may take, of which most take microseconds
SLOW = 1.0
SHARES = 4


def _change_frames(rng: random.Random, data: bytes, others: Any) -> bytes:
    """Several frames in one stream, of which one is damaged."""
    whole = enclose(data, rng.randrange(4), 18) + enclose(data[:40], 0, 18)
    return mutation.mutate(rng, whole, others)


FAMILIES = {name: octets for proof in proofs().values() for name, octets in proof.octets.items()}
FAMILIES["framing"] = Octets("s1ap/seeds.txt", _change_frames, (in_pieces(Deframer),), 4)


def feed(family: Octets, data: bytes) -> int:
    """Give octets to all that reads them. Returns how many could."""
    begun = time.process_time()
    read = sum(with_suppressed(take, data) for take in family.takes)
    taken = time.process_time() - begun
    assert taken < SLOW, f"{taken:.2f} s for {data.hex()}"
    return read


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", FAMILIES)
def test_octets_give_a_message_or_a_peer_error(name: str, share: int, record_property: Any) -> None:
    family = FAMILIES[name]
    rng = random.Random(f"{budget.SEED}/{name}/{share}")
    valid = seeds(family.seeds)
    cases = budget.WIRE_CASES * family.part // (100 * SHARES) + 1
    read = 0
    for number in range(cases):
        data = family.change(rng, rng.choice(valid), valid)
        try:
            read += feed(family, data) > 0
        except Exception as error:
            error.add_note(f"case {number} of {name}; a line for corpus/{name}.txt:\n{data.hex()}  {error!r}")
            raise
    record_property("read", read)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=budget.examples(150))
@given(noise=st.binary(max_size=300))
def test_noise_gives_a_message_or_a_peer_error(name: str, noise: bytes) -> None:
    feed(FAMILIES[name], noise)


@pytest.mark.parametrize("name", FAMILIES)
def test_valid_messages_are_read(name: str) -> None:
    family = FAMILIES[name]
    for data in seeds(family.seeds):
        assert feed(family, enclose(data, 0, 18) if name == "framing" else data), data.hex()


@pytest.mark.parametrize("file", sorted((HERE / "corpus").glob("*.txt")), ids=lambda file: file.stem)
def test_found_cases_stay_fixed(file: Path) -> None:
    for data in read_lines(file):
        feed(FAMILIES[file.stem], data)


@pytest.mark.parametrize("name", FAMILIES)
def test_memory_is_flat(name: str) -> None:
    family = FAMILIES[name]
    rng = random.Random(name)
    valid = seeds(family.seeds)
    counts = []
    for _ in range(2):
        for _ in range(500):
            feed(family, family.change(rng, rng.choice(valid), valid))
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[1] - counts[0] < 200
