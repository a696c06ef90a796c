"""The operator's library of terminals: which type allocation code is a phone, a module, a camera."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED = Path(__file__).with_name("terminals.csv")
_COLUMNS = ("tac", "kind", "maker", "model")


@dataclass(frozen=True, slots=True)
class TerminalType:
    """A model of terminals by its TAC."""

    tac: str
    kind: str
    maker: str = ""
    model: str = ""


def read_library(text: str, name: str = "library") -> Mapping[str, TerminalType]:
    """Read a CSV with at least the columns tac (8 digits) and kind, in any order. Raises ConfigError with the line."""
    rows = csv.DictReader(text.splitlines())
    missing = [column for column in _COLUMNS[:2] if column not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"the first line lacks the column {' and '.join(missing)}", Place(name, 1))
    found: dict[str, TerminalType] = {}
    for row in rows:
        values = {column: (row.get(column) or "").strip() for column in _COLUMNS}
        tac = values["tac"]
        if len(tac) != 8 or not (tac.isascii() and tac.isdigit()):
            raise ConfigError(f"{tac!r} is no type allocation code of 8 digits", Place(name, rows.line_num))
        if not values["kind"]:
            raise ConfigError(f"{tac} has no kind", Place(name, rows.line_num))
        found[tac] = TerminalType(**values)
    return found


def load_library(path: str) -> Mapping[str, TerminalType]:
    """Load a user's library, or the shipped one for an empty path. Raises ConfigError."""
    return _read(Path(path)) if path else _shipped()


@cache
def _shipped() -> Mapping[str, TerminalType]:
    return _read(SHIPPED)


def _read(source: Path) -> Mapping[str, TerminalType]:
    try:
        return read_library(source.read_text(encoding="utf-8-sig"), str(source))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the library cannot be read: {error}", Place(str(source))) from error
