"""What proves a wire family: octets to damage, and messages of an implementation that is not ours.

Each family has a folder in tests/vectors, named as it is, with seeds (valid messages in hexadecimal, one a line, each
followed by what it is), the tests that compare it with others, and `proof.py`, whose `PROOF` says what these hold.
"""

from __future__ import annotations

import importlib.util
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

FOLDER = Path(__file__).parents[1] / "vectors"

if TYPE_CHECKING:
    Take = Callable[[bytes], Any]
    Names = Callable[[], set[Any]]


class Octets(NamedTuple):
    """Valid messages to damage: the file of these, how to change them, all that reads them, and its part (percent)."""

    seeds: str
    change: Callable[..., bytes]
    takes: tuple[Take, ...]
    part: int


class Proof(NamedTuple):
    """What proves a family: octets by name, the types of its messages, and those that another implementation has shown.

    `alone` says why there is nobody to compare it with.
    """

    octets: Mapping[str, Octets]
    types: Names
    compared: Names | None = None
    alone: str = ""


@cache
def proofs(folder: Path = FOLDER) -> Mapping[str, Proof]:
    """Return the proofs of all families by the names of their folders."""
    return {each.parent.name: load(each).PROOF for each in sorted(folder.glob("*/proof.py"))}


@cache
def load(path: Path) -> ModuleType:
    """Import a file of tests: these are no package."""
    name = "_".join(path.with_suffix("").parts[-3:])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seeds(name: str) -> list[bytes]:
    """Return valid messages, by their file in the folder of families (`nas/seeds.txt`)."""
    return read_lines(FOLDER / name)


def read_lines(file: Path) -> list[bytes]:
    """Octets in hexadecimal, one a line, each followed by what it is."""
    return [bytes.fromhex(line.split("  ")[0]) for line in file.read_text().splitlines() if line]


def with_suppressed(take: Take, data: bytes) -> bool:
    """Give octets to a reader; whether it could read them."""
    try:
        take(data)
    except PeerError:
        return False
    return True


def in_pieces(kind: Callable[[], Any]) -> Take:
    """Give octets to a new reader of streams in pieces of any size."""

    def take(data: bytes) -> None:
        reader, at, rng = kind(), 0, random.Random(len(data))
        while at < len(data):
            size = rng.choice((1, 3, 20, 1000))
            reader.feed(data[at : at + size])
            at += size

    return take
