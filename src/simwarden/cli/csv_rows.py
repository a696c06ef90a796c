"""Tables that people wrote, as CSV: their encoding is found, and what cannot be read is told with its lines."""

from __future__ import annotations

import codecs
import csv
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain, count
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO, TypeVar, cast

from simwarden.cli.exits import complain
from simwarden.cli.progress import RunBar
from simwarden.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
#: rows between two steps of the bar
_EVERY = 10_000


class Row(NamedTuple):
    """The cells of a row, or what is wrong with it, and the lines from and to which it reaches."""

    line: int
    cells: list[str]
    wrong: str = ""
    last: int = 0

    @property
    def span(self) -> str:
        """Which lines are one by their quotation marks; empty for a row of one line."""
        return f"; by a quotation mark lines {self.line} to {self.last} are one" if self.last > self.line else ""


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the rows that are not empty; the first one tells what separates cells."""
    rest = iter(lines)
    first = next(rest, "")
    reader = csv.reader(chain([first], rest), delimiter=max(",;\t", key=first.count), strict=True)
    rows = iter(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield Row(line, [], str(error), reader.line_num)
            continue
        if cells is None:
            return
        if any(cells):
            yield Row(line, cells, "", reader.line_num)


def bare(cell: str) -> str:
    """Return digits without what spreadsheets put around them to keep them a text (`="001..."`, `'001...`)."""
    return cell.strip().removeprefix("=").strip("\"'\t ")


@contextmanager
def opened(target: str, encoding: str) -> Iterator[tuple[TextIO, str, int]]:
    """Open a file of text (`-`: the input), with the encoding found or told, and its number of lines.

    Raises ConfigError.
    """
    try:
        with _bytes_of(target) as file:
            found, lines = _examine(file, target, encoding)
            file.seek(0)
            yield TextIOWrapper(file, encoding=found, newline=""), found, lines
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(target)) from error


def read_with_bar(target: str, encoding: str, read: Callable[[TextIO], Iterator[T]]) -> Iterator[T]:
    """Yield the rows of a text file, and show the progress in a bar. Raises ConfigError."""
    with opened(target, encoding) as (file, found, lines), RunBar("lines") as bar:
        if found == "gb18030" and not encoding:
            complain(f"{target}: read as GBK, since it is no UTF-8")
        for number, each in zip(count(1), read(file)):
            if number % _EVERY == 0:
                bar.tell(number, lines, "")
            yield each


def _bytes_of(target: str) -> BinaryIO:
    if target != "-":
        return Path(target).open("rb")
    kept = cast("BinaryIO", SpooledTemporaryFile(max_size=1 << 20))  # noqa: SIM115 - closed by the caller
    copyfileobj(sys.stdin.buffer, kept)
    return kept


def _examine(file: BinaryIO, target: str, encoding: str) -> tuple[str, int]:
    wrong = 0
    wanted = _wanted(file, encoding)
    for each in wanted:
        lines, wrong_line = _decode(file, each)
        if not wrong_line:
            return each, lines
        wrong = wrong or wrong_line
    raise ConfigError(f"is no text in {' or '.join(_NAMED.get(each, each) for each in wanted)}", Place(target, wrong))


def _wanted(file: BinaryIO, encoding: str) -> list[str]:
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    told = [_known(encoding)] if encoding else []
    if start.startswith(codecs.BOM_UTF8) and told in ([], ["utf-8"]):
        return ["utf-8-sig"]
    return told or ["utf-8", "gb18030"]


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)  # raises for what is no encoding of text, such as base64
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ConfigError(f"--encoding: nothing is known of {encoding!r}") from None


_NAMED = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GBK", "utf-16": "UTF-16"}


def _decode(file: BinaryIO, encoding: str) -> tuple[int, int]:
    """Return the number of lines, and the first line that is not in an encoding (0: all are)."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 0
    try:
        for lines, chunk in enumerate(file, 1):
            if "\0" in decoder.decode(chunk):
                return 0, lines
        decoder.decode(b"", final=True)
    except UnicodeError:
        return 0, lines
    return lines, 0
