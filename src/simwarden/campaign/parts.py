"""Files that hold named parts of scenarios: their heads are checked here, the rest when a scenario is composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simwarden.errors import Place
from simwarden.runtime.declare import Model
from simwarden.scenario.load import read_file
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import Spot, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simwarden.scenario.problems import Problems

M = TypeVar("M", bound=Model)
M_co = TypeVar("M_co", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class Part(Generic[M_co]):
    """A named part of scenarios: its head, and the place of its settings and steps."""

    name: str
    head: M_co
    spot: Spot


def top_of(file: Path, problems: Problems) -> Spot:
    """Read a file of keys and values."""
    source = read(read_file(file), str(file), problems)
    if not isinstance(source.data, dict):
        problems.add("keys and values are expected", Place(str(file)))
        source.data = {}
    return Spot(source)


def head_of(model: type[M], spot: Spot, also: tuple[str, ...], problems: Problems) -> M | None:
    """Check the head of a part; `also` are its other keys."""
    data = spot.value
    if not isinstance(data, dict):
        problems.add(f"keys and values are expected, not {short(data)}", spot.place)
        return None
    own = {key: value for key, value in data.items() if key not in also}
    return check(model, own, spot, problems, also=also)


def read_parts(
    spot: Spot, model: type[M], also: tuple[str, ...], known: Mapping[str, Part[Any]], problems: Problems
) -> dict[str, Part[M]]:
    """Return the parts below a key by their names, which must differ from those of `known` parts."""
    data = spot.value
    if not isinstance(data, dict) or not data:
        problems.add(f"{spot.key_name}: names with what they are are expected", spot.place)
        return {}
    parts: dict[str, Part[M]] = {}
    for name in data:
        if name in known:
            problems.add(f"there is a part {name!r} already, at {known[name].spot.key}", (spot / name).key)
        elif (head := head_of(model, spot / name, also, problems)) is not None:
            parts[name] = Part(name, head, spot / name)
    return parts


def check_known(names: Any, known: Any, what: str, spot: Spot, problems: Problems) -> None:
    """Note names of a list, or keys of a mapping, that are not known."""
    for index, name in enumerate(names):
        if name not in known:
            here = (spot / index).place if isinstance(names, list) else (spot / name).key
            problems.unknown(what, name, known, here)
