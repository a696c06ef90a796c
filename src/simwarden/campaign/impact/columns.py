"""The figures of experiments as columns of tables: by kind of measure, and how a figure is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.campaign.tables import Column
from simwarden.model import units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.campaign.record import Figure


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column: the figure that it shows, its heading, and the word where there is no figure.

    `form` is `count`, `rate` or `time` (seconds of virtual time).
    """

    figure: str
    heading: str
    form: str = "count"
    none: str = "-"
    about: str = ""

    def format(self, value: Figure) -> str:
        """Return a figure in words: `3 min`, `12.5`, `40`."""
        if value is None:
            return self.none
        if self.form == "time":
            return "0 s" if value == 0 else units.show(float(value))
        if self.form == "rate":
            return f"{value:.2f}".rstrip("0").rstrip(".")
        return f"{value:g}"

    @property
    def column(self) -> Column:
        """The column of a table."""
        return Column(self.heading, self.about, figures=True)


def _through(what: str, out: str, into: str) -> tuple[FigureColumn, ...]:
    return (
        FigureColumn("last_out", "last out", "time", "none", f"from the change to the last {what} that {out}"),
        FigureColumn(f"{what}s_out", "out", about=f"{what}s that {out} after the change"),
        FigureColumn("last_in", "last in", "time", "none", f"from the change to the last {what} that {into}"),
        FigureColumn(f"{what}s_in", "in", about=f"{what}s that {into} after the change"),
    )


COLUMNS: Mapping[str, tuple[FigureColumn, ...]] = {
    "delay": (
        FigureColumn("last_leak", "last leak", "time", "none", "from the change to the last message that was served"),
        FigureColumn("leaked_requests", "requests", about="requests that were accepted after the change"),
        FigureColumn(
            "leaked_messages", "messages", about="uplink messages in them, and after them on their connection"
        ),
        FigureColumn(
            "session_ends", "session ends", "time", "never", "until the core holds nothing of the card any more"
        ),
        FigureColumn("core_messages", "by core msg", about="messages between elements of the core until then"),
        FigureColumn("core_messages_to_release", "to release", about="the same until no connection is left either"),
        FigureColumn("told", "device told", "time", "never", "until the device hears of it"),
    ),
    "packets": _through("packet", "got out at SGi", "came to the device"),
    "messages": _through("message", "came to the platform", "came to the device"),
    "calls": (
        *_through("call", "rang at the far end", "rang at the device"),
        FigureColumn("ended", "in progress ended", "time", "-", "from the change to the end of the call in progress"),
    ),
    "blast": (
        FigureColumn("good", "good", about="devices and platforms whose use is right"),
        FigureColumn("hurt", "hurt", about="of them: asked and were not served, from the failure on"),
        FigureColumn("out_at_return", "out at return", about="of them: without service when the decider returned"),
        FigureColumn(
            "longest_out", "longest out", "time", "-", "from a device's first request in vain to its next served one"
        ),
        FigureColumn(
            "all_back", "all back after", "time", "never", "from the return until the last of them was served"
        ),
        FigureColumn("stay_out", "stay out", about="still without service at the end"),
        FigureColumn("thieves", "thieves"),
        FigureColumn("thieves_in", "got in", about="of the thieves: were served at some time from the failure on"),
        FigureColumn("thieves_in_at_end", "in at end", about="of the thieves: still served at the end"),
    ),
    "load": (
        FigureColumn("fleet", "fleet"),
        FigureColumn("attempts", "attempts", "rate", about="ATTACH REQUESTs per device and hour while refused"),
        FigureColumn("radio", "radio", "rate", about="messages on the radio per device and hour"),
        FigureColumn("s1", "S1-MME", "rate", about="messages on S1-MME per device and hour"),
        FigureColumn("diameter", "S6a, S13", "rate", about="Diameter messages per device and hour"),
        FigureColumn(
            "busiest_second", "busiest s", about="messages of the whole fleet on S1-MME in its busiest second"
        ),
        FigureColumn("busiest_later", "later", about="the same after the first five minutes"),
        FigureColumn("back", "back", about="devices served again by themselves after the reason is gone"),
        FigureColumn("first_back", "first after", "time", "-", "until the first of them"),
        FigureColumn("last_back", "last after", "time", "-", "until the last of them"),
        FigureColumn(
            "back_after_power_cycle",
            "power cycle",
            none="-",
            about="of those that are not back: served after they were off and on",
        ),
    ),
}


def tone(kind: str, figures: Mapping[str, Figure]) -> str:
    """Return whether a case is as one wishes (`good`), has its price (`open`), or is bad (`bad`)."""

    def positive(*names: str) -> bool:
        return any((figures.get(name) or 0) > 0 for name in names)

    if kind == "load":
        bad, priced = not positive("back_after_power_cycle"), figures.get("back") != figures.get("fleet")
        return "good" if not priced else "bad" if bad else "open"
    if (kind == "delay" and figures.get("session_ends") is None) or positive("stay_out", "thieves_in_at_end"):
        return "bad"
    price = ("leaked_messages",) if kind == "delay" else ("hurt", "thieves_in", f"{kind}_out", f"{kind}_in", "ended")
    return "open" if positive(*price) else "good"


def format_difference(kind: str, want: Mapping[str, Figure], got: Mapping[str, Figure]) -> tuple[str, str]:
    """Return the figures that differ, as they should be and as they are, by their headings."""
    columns = {each.figure: each for each in COLUMNS[kind]}
    was, now = [], []
    for name in dict.fromkeys((*want, *got)):
        if want.get(name) != got.get(name):
            column = columns.get(name, FigureColumn(name, name))
            pair = column.format(want.get(name)), column.format(got.get(name))
            if pair[0] == pair[1]:  # the difference is less than a figure shows
                pair = str(want.get(name)), str(got.get(name))
            was.append(f"{column.heading} {pair[0]}")
            now.append(f"{column.heading} {pair[1]}")
    return ", ".join(was), ", ".join(now)
