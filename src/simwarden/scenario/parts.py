"""Files that hold parts of stories: what a part says of itself is checked here, the rest when a story is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.errors import Place
from simwarden.runtime.declare import Model
from simwarden.scenario.load import read_file
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simwarden.scenario.problems import Problems

M = TypeVar("M", bound=Model)


def top_of(file: Path, problems: Problems) -> Spot:
    """Read a file of keys and values."""
    source = read(read_file(file), str(file), problems)
    if not isinstance(source.data, dict):
        problems.add("keys and values are expected", Place(str(file)))
        source.data = {}
    return Spot(source)


def head_of(model: type[M], spot: Spot, data: Any, also: tuple[str, ...], problems: Problems) -> M | None:
    """Check what a part says of itself; `also` are its other keys."""
    if not isinstance(data, dict):
        problems.add(f"keys and values are expected, not {short(data)}", spot.place)
        return None
    own = {key: value for key, value in data.items() if key not in also}
    return check(model, own, spot, problems, also=also)


def entries_of(top: Spot, key: str, problems: Problems) -> Iterator[tuple[str, Spot, Any]]:
    """Yield the parts below a key: the name of each, where it stands, and what it is."""
    data = top.source.data.get(key, {})
    if not isinstance(data, dict) or not data:
        problems.add(f"{key}: names with what they are are expected", (top / key).place)
        return
    for name, entry in data.items():
        yield name, top / key / name, entry
