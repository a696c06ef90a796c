"""The figures of experiments as tables: columns by kind of measure, and how a figure is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.campaign.impact.experiment import Experiment
    from simwarden.campaign.impact.measures import Figure
    from simwarden.campaign.impact.perform import Outcome
    from simwarden.campaign.impact.record import Difference


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the figure that it shows, its heading, and what it says where there is no figure.

    `form` is `count`, `rate` or `time` (seconds of virtual time).
    """

    figure: str
    heading: str
    form: str = "count"
    none: str = "-"
    about: str = ""


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "delay": (
        Column("last_leak", "last leak", "time", "none", "from the change to the last message that was served"),
        Column("leaked_requests", "requests", about="requests that were accepted after the change"),
        Column("leaked_messages", "messages", about="uplink messages in them, and after them on their connection"),
        Column("session_ends", "session ends", "time", "never", "until the core holds nothing of the card any more"),
        Column("core_messages", "by core msg", none="-", about="messages between elements of the core until then"),
        Column("core_messages_to_release", "to release", none="-", about="the same until no connection is left either"),
        Column("told", "device told", "time", "never", "until the device hears of it"),
    ),
    "packets": (
        Column("last_out", "last out", "time", "none", "from the change to the last packet that got out at SGi"),
        Column("packets_out", "out", about="packets that got out after the change"),
        Column("last_in", "last in", "time", "none", "from the change to the last packet that came to the device"),
        Column("packets_in", "in", about="packets that came to the device after the change"),
    ),
    "messages": (
        Column("last_out", "last out", "time", "none", "from the change to the last message that came to the platform"),
        Column("messages_out", "out", about="messages that came to the platform after the change"),
        Column("last_in", "last in", "time", "none", "from the change to the last message that came to the device"),
        Column("messages_in", "in", about="messages that came to the device after the change"),
    ),
    "calls": (
        Column("last_out", "last out", "time", "none", "from the change to the last call that rang at the far end"),
        Column("calls_out", "out", about="calls that rang at the far end after the change"),
        Column("last_in", "last in", "time", "none", "from the change to the last call that rang at the device"),
        Column("calls_in", "in", about="calls that rang at the device after the change"),
        Column(
            "ended", "in progress ended", "time", "-", "from the change to the end of the call that was in progress"
        ),
    ),
    "blast": (
        Column("good", "good", about="devices and platforms whose use is right"),
        Column("hurt", "hurt", about="of them: asked and were not served, from the failure on"),
        Column("out_at_return", "out at return", about="of them: without service when the decider returned"),
        Column(
            "longest_out", "longest out", "time", "-", "from a device's first request in vain to its next served one"
        ),
        Column("all_back", "all back after", "time", "never", "from the return until the last of them was served"),
        Column("stay_out", "stay out", about="still without service at the end"),
        Column("thieves", "thieves"),
        Column("thieves_in", "got in", about="of the thieves: were served at some time from the failure on"),
        Column("thieves_in_at_end", "in at end", about="of the thieves: still served at the end"),
    ),
    "load": (
        Column("fleet", "fleet"),
        Column("attempts", "attempts", "rate", about="ATTACH REQUESTs per device and hour while refused"),
        Column("radio", "radio", "rate", about="messages on the radio per device and hour"),
        Column("s1", "S1-MME", "rate", about="messages on S1-MME per device and hour"),
        Column("diameter", "S6a, S13", "rate", about="Diameter messages per device and hour"),
        Column("busiest_second", "busiest s", about="messages of the whole fleet on S1-MME in its busiest second"),
        Column("busiest_later", "later", about="the same after the first five minutes"),
        Column("back", "back", about="devices served again by themselves after the reason is gone"),
        Column("first_back", "first after", "time", "-", "until the first of them"),
        Column("last_back", "last after", "time", "-", "until the last of them"),
        Column(
            "back_after_power_cycle",
            "power cycle",
            none="-",
            about="of those that are not back: served after they were off and on",
        ),
    ),
}


TONES: Mapping[str, Mapping[str, str]] = {
    "delay": {
        "good": "nothing leaked",
        "open": "something leaked for a while",
        "bad": "the core still holds the card at the end, or there are no figures",
    },
    "packets": {
        "good": "no packet passed after the change",
        "open": "packets passed after it, as they do where nothing changes",
        "bad": "there are no figures",
    },
    "messages": {
        "good": "no message passed after the change",
        "open": "messages passed after it, as they do where nothing changes",
        "bad": "there are no figures",
    },
    "calls": {
        "good": "no call rang after the change, and the one in progress ended with it",
        "open": "calls rang after it, as they do where nothing changes, or the one in progress went on",
        "bad": "there are no figures",
    },
    "blast": {
        "good": "nobody hurt, no thief in",
        "open": "good devices hurt for a while, or thieves in for a while",
        "bad": "good devices that stay out, thieves that stay in, or no figures",
    },
    "load": {
        "good": "all come back by themselves",
        "open": "dead until switched off and on",
        "bad": "not even back after that, or no figures",
    },
}
"""What the dot before a case means."""


def written(column: Column, value: Figure) -> str:
    """Write a figure: `3 min`, `12.5`, `40`."""
    if value is None:
        return column.none
    if column.form == "time":
        return "0 s" if value == 0 else units.show(float(value))
    if column.form == "rate":
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:g}"


def column_of(kind: str, figure: str) -> Column:
    """Return the column of a figure; one that no table shows is written as it is."""
    return next((each for each in COLUMNS.get(kind, ()) if each.figure == figure), Column(figure, figure))


def tone(kind: str, figures: Mapping[str, Figure]) -> str:
    """Tell whether a case is as one wishes (`good`), has its price (`open`), or is bad (`bad`)."""

    def positive(*names: str) -> bool:
        return any((figures.get(name) or 0) > 0 for name in names)

    if kind == "delay":
        return "bad" if figures.get("session_ends") is None else "open" if positive("leaked_messages") else "good"
    if kind in ("packets", "messages", "calls"):
        return "open" if positive(f"{kind}_out", f"{kind}_in", "ended") else "good"
    if kind == "blast":
        return (
            "bad" if positive("stay_out", "thieves_in_at_end") else "open" if positive("hurt", "thieves_in") else "good"
        )
    back, fleet = figures.get("back"), figures.get("fleet")
    return "good" if back == fleet else "open" if positive("back_after_power_cycle") else "bad"


def told(each: Difference, kind: str) -> str:
    """Tell a difference in a line."""
    where = f"{each.experiment}, {each.case}"
    if not each.figure:
        return f"{where}: " + ("is not recorded" if each.was is None else "is recorded, and is no case any more")
    column = column_of(kind, each.figure)
    was, now = written(column, each.was), written(column, each.now)
    if was == now:  # what differs is less than a figure shows
        was, now = str(each.was), str(each.now)
    return f"{where}: {column.heading} was {was}, is {now}"


def settings_of(experiment: Experiment) -> str:
    """Tell the parameters of an experiment."""
    return ", ".join(f"{name} {value}" for name, value in experiment.settings.items())


def rows_of(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield a case each: the words of its axes, and its figures as they are written; none where there are none."""
    for number, outcome in outcomes.items():
        columns = COLUMNS[experiment.kind] if outcome.figures else ()
        cells = [written(each, outcome.figures.get(each.figure)) for each in columns]
        yield list(experiment.cases[number].words.values()), cells


def table_of(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> Iterator[str]:
    """Yield an experiment's table: a line a case."""
    settings = settings_of(experiment)
    yield f"{experiment.title} [{experiment.name}]" + (f" ({settings})" if settings else "")
    head = [*experiment.axes], [column.heading for column in COLUMNS[experiment.kind]]
    rows = [head, *rows_of(experiment, outcomes)]
    left = [max(map(len, each)) for each in zip(*(words for words, _ in rows), strict=True)]
    right = [max(map(len, each)) for each in zip(*(cells for _, cells in rows if cells), strict=True)]
    failures = ["", *(f"not measured: {outcome.failure}" for outcome in outcomes.values())]
    for (words, cells), failure in zip(rows, failures, strict=True):
        shown = [f"{word:<{width}}" for word, width in zip(words, left, strict=True)]
        shown += [f"{cell:>{width}}" for cell, width in zip(cells, right, strict=True)] if cells else [failure]
        yield "  " + "  ".join(shown)
