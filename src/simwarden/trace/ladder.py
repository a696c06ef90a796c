"""The ladder on the terminal: one line a message, lanes from card to core, and where something was blocked in red.

Lines have no trailing blanks and no times of the real clock, so that two ladders can be compared with `diff`.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, TextIO

from simwarden.plain import plain
from simwarden.trace.rows import Kind, Row, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.trace.events import Event

_LABEL: Final = 38
_NARROWEST, _WIDEST = 4, 11
_DAY: Final = 86400
_CODES: Final = {"red": "1;31", "green": "32", "dim": "2", "bold": "1", "yellow": "33", "": ""}


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters that a ladder is drawn with."""

    line: str
    dash: str
    right: str
    left: str
    refuse: str
    admit: str
    note: str
    fold: str
    rule: str
    cut: str


UNICODE: Final = Marks("│", "─", "▶", "◀", "✗", "✓", "•", "⋮", "─", "…")
ASCII: Final = Marks("|", "-", ">", "<", "X", "+", "*", ":", "-", "~")


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw: `width` in columns (None: as wide as the text), in colour or not, in Unicode or ASCII.

    `full` shows what is folded away otherwise: the network's start, reading of the card's files, state changes.
    """

    width: int | None = None
    colour: bool = False
    marks: Marks = UNICODE
    full: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Return text in a colour, or as it is where there is none."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour and colour and text.strip() else text


def style_for(stream: TextIO, *, width: int | None = None, full: bool = False) -> Style:
    """Choose a style for a stream: colour on a terminal unless NO_COLOR is set, ASCII where it cannot take more."""
    tty = stream.isatty()
    colour = tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        "".join(getattr(UNICODE, name) for name in Marks.__slots__).encode(stream.encoding or "ascii")
        marks = UNICODE
    except (UnicodeEncodeError, LookupError):
        marks = ASCII
    if width is None and tty:
        width = os.get_terminal_size(stream.fileno()).columns
    return Style(width, colour, marks, full)


def lanes_of(rows: Sequence[Row], order: Mapping[str, int]) -> list[str]:
    """Return the elements of these rows from card to core, then as `order` has them; strangers last."""
    names = {name for row in rows for name in (row.source, row.target) if name and row.kind is not Kind.NOTE}
    names |= {row.source for row in rows if row.kind is Kind.NOTE and row.source in order}
    rank = {name: number for number, name in enumerate(order)}
    return sorted(names, key=lambda name: (order.get(name, 1000), rank.get(name, 0), name))


def draw(events: Sequence[Event], order: Mapping[str, int], style: Style | None = None) -> list[str]:
    """Return the ladder of a trace as lines. `order` maps elements to their place between card (0) and core (100)."""
    return render(rows_of(events), order, style or Style())


def render(rows: Sequence[Row], order: Mapping[str, int], style: Style) -> list[str]:
    """Return the ladder of rows as lines."""
    shown = list(rows) if style.full else [row for row in rows if row.kind is not Kind.STATE]
    groups = list(_groups(shown, full=style.full))
    return _Page(shown, lanes_of(shown, order), style).lines(groups)


def _groups(rows: Sequence[Row], *, full: bool) -> Iterator[list[Row]]:
    """Yield rows one by one, but runs of quiet ones together."""
    for quiet, group in groupby(rows, key=lambda row: row.quiet and not full):
        run = [*group]
        yield from [run] if quiet else ([row] for row in run)


class _Page:
    """Lanes laid out in columns, and lines drawn on them."""

    def __init__(self, rows: Sequence[Row], lanes: Sequence[str], style: Style) -> None:
        self.lanes, self.style, self.marks = lanes, style, style.marks
        self.times = max((len(clock(row.time)) for row in rows), default=0)
        self.interfaces = max((len(row.interface) for row in rows if row.kind is Kind.MESSAGE), default=0)
        self.width = self._lane_width()
        self.place = {name: index * self.width + self.width // 2 for index, name in enumerate(lanes)}
        self.total = self.width * len(lanes)
        self.time = ""

    def _lane_width(self) -> int:
        longest = max((len(name) for name in self.lanes), default=0)
        wanted = min(max(longest + 1, 7), _WIDEST)
        if self.style.width is None or not self.lanes:
            return wanted
        room = (self.style.width - self.times - 1 - _LABEL) // len(self.lanes)
        return max(_NARROWEST, min(wanted, room))

    def lines(self, groups: Sequence[list[Row]]) -> list[str]:
        lines = self._heads()
        for group in groups:
            folded = group[0].quiet and not self.style.full
            lines += self._fold(group) if folded else self._row(group[0])
        return lines

    # -- lanes

    def _heads(self) -> list[str]:
        """Return the names of the lanes: on one line, or on two in turn where they are wider than a lane."""
        staggered = any(len(name) >= self.width for name in self.lanes)
        room = 2 * self.width - 1 if staggered else self.width - 1
        heads = []
        for first in (0, 1) if staggered else (None,):
            line = list(" " * (self.total + self.width))
            for index, name in enumerate(self.lanes):
                if first is None or index % 2 == first:
                    cut = name if len(name) <= room else name[: room - 1] + self.marks.cut
                    start = max(0, self.place[name] - len(cut) // 2)
                    line[start : start + len(cut)] = cut
                elif first == 0 or index < len(self.lanes):
                    line[self.place[name]] = self.marks.line if first else " "
            heads.append(" " * (self.times + 1) + self.style.paint("".join(line).rstrip(), "bold"))
        return heads

    def _lifelines(self) -> list[str]:
        line = [" "] * self.total
        for column in self.place.values():
            line[column] = self.marks.line
        return line

    def _arrow(self, row: Row) -> str:
        line = self._lifelines()
        start, end = self.place.get(row.source), self.place.get(row.target)
        if start is None or end is None or start == end:
            return "".join(line)
        low, high = sorted((start, end))
        line[low + 1 : high] = self.marks.dash * (high - low - 1)
        # Lifelines that an arrow crosses stay visible as gaps in neither: the dash simply passes.
        line[end + (-1 if end > start else 1)] = self.marks.right if end > start else self.marks.left
        return "".join(line)

    def _dot(self, row: Row, mark: str) -> str:
        line = self._lifelines()
        if row.source in self.place:
            line[self.place[row.source]] = mark
        return "".join(line)

    # -- rows

    def _row(self, row: Row) -> list[str]:
        if row.kind is Kind.STEP:
            return [self._step(row)]
        if row.kind is Kind.MESSAGE:
            colour = "red" if row.refused else "green" if row.verdict == "admit" else ""
            head = f"{row.interface:<{self.interfaces}} "
            return self._line(row, self._arrow(row), [row.text], colour, wrap=row.refused, head=head)
        if row.kind is Kind.DECISION:
            return self._decision(row)
        colour = "red" if row.kind in {Kind.FAULT, Kind.PEER_FAULT} else "dim"
        mark = self.marks.refuse if colour == "red" else self.marks.note
        return self._line(row, self._dot(row, mark), [f"{row.source}: {row.text}"], colour, wrap=colour == "red")

    def _step(self, row: Row) -> str:
        self.time = ""
        number = row.fields.get("step", "")
        end = (self.style.width or self.times + 1 + self.total + _LABEL) - 1
        head = f"{self.marks.rule * 2} {number} {plain(row.text)} "
        tail = f" line {row.line}" if row.line else ""
        head = self._cut(head, end - len(tail))
        return self.style.paint(
            (head + self.marks.rule * max(0, end - width_of(head) - len(tail)) + tail).rstrip(), "bold"
        )

    def _decision(self, row: Row) -> list[str]:
        where = f"{row.control} on {row.fields['occasion']}" if row.fields.get("occasion") else row.control
        where += f" ({row.clause})" if row.clause else ""
        if row.verdict == "refuse":
            texts = [f"REFUSED by {row.source}: {where}", f"  {row.text}"]
            return self._line(row, self._dot(row, self.marks.refuse), texts, "red", wrap=True)
        return self._line(row, self._dot(row, self.marks.admit), [f"admitted: {where}: {row.text}"], "green")

    def _fold(self, group: list[Row]) -> list[str]:
        messages = [row for row in group if row.kind is Kind.MESSAGE]
        if not messages:
            return []
        names = list(dict.fromkeys(row.interface for row in messages))
        text = f"{', '.join(names)}: {len(messages)} message{'s' * (len(messages) > 1)}"
        line = self._lifelines()
        for name in {name for row in messages for name in (row.source, row.target)}:
            if name in self.place:
                line[self.place[name]] = self.marks.fold
        return self._line(messages[0], "".join(line), [text], "dim")

    def _line(
        self, row: Row, ladder: str, texts: list[str], colour: str, *, wrap: bool = False, head: str = ""
    ) -> list[str]:
        time = clock(row.time)
        shown, self.time = ("" if time == self.time else time), time
        room = None if self.style.width is None else self.style.width - self.times - self.total - 3 - len(head)
        lines = [part for text in texts for part in self._fit(plain(text), room, wrap=wrap)]
        lines = [head + lines[0], *(" " * len(head) + line for line in lines[1:])]
        first = f"{shown:>{self.times}} {self.style.paint(ladder, colour)} {self.style.paint(lines[0], colour)}"
        blank = "".join(self._lifelines())
        rest = [f"{'':{self.times}} {blank} {self.style.paint(line, colour)}" for line in lines[1:]]
        return [line.rstrip() for line in (first, *rest)]

    def _fit(self, text: str, room: int | None, *, wrap: bool) -> list[str]:
        if room is None or width_of(text) <= room:
            return [text]
        if not wrap:
            return [self._cut(text, room)]
        lines = [""]
        for word in text.split():
            if lines[-1] and width_of(lines[-1]) + 1 + width_of(word) > room:
                lines.append("  " + word)
            else:
                lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
        return [self._cut(line, room) for line in lines]

    def _cut(self, text: str, room: int) -> str:
        if width_of(text) <= room:
            return text
        taken, columns = "", 0
        for char in text:
            columns += width_of(char)
            if columns > room - 1:
                break
            taken += char
        return taken + self.marks.cut


def clock(seconds: float) -> str:
    """Return a time of the run: seconds to the millisecond, from a day on in days, hours and minutes."""
    if seconds < _DAY:
        return f"{seconds:.3f}"
    minutes = int(seconds % _DAY // 60)
    return f"{int(seconds // _DAY)}d{minutes // 60:02d}:{minutes % 60:02d}"


def width_of(text: str) -> int:
    """Return how many columns text takes: two for wide East Asian characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
