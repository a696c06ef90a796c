"""Texts from outside, before they reach a terminal or a log: a peer, or who wrote a file, draws nothing there."""

from __future__ import annotations

#: characters of the longest text that a peer may put into one line
LONGEST = 500


def plain(text: str, longest: int = 0) -> str:
    r"""Return text that steers no terminal and makes no lines of its own: what cannot be printed as `\x1b`.

    That is control characters, ends of lines, format characters (those of right-to-left writing too) and halves of
    surrogate pairs. With `longest`, what is more than so many characters is counted instead.
    """
    if longest and len(text) > longest:
        text = f"{text[:longest]}... ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def plain_lines(text: str) -> str:
    """Return a text of several lines, each of them plain."""
    return "\n".join(map(plain, text.split("\n")))
