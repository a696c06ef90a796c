"""Pieces of a Markdown page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, and a blank one after it; nothing if it has no rows."""
    lines = [_row(row) for row in rows]
    if lines:
        yield _row(head)
        yield "|" + "---|" * len(head)
        yield from lines
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return text as code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def codes(words: Iterable[str]) -> str:
    """Return words as code, one after another."""
    return ", ".join(map(code, words))


def sentence(text: str) -> str:
    """Return text with a capital and a full stop."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".:!?" else f"{text}."
