"""The files of a report, and which of them a run keeps."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.runtime.clock import EPOCH
from simwarden.scenario.report.junit import junit_of
from simwarden.scenario.report.page import Page
from simwarden.scenario.result import Verdict
from simwarden.scenario.secrets import hider
from simwarden.trace.jsonl import lines_of
from simwarden.trace.pcapng import create_capture, write_capture
from simwarden.trace.records import record_lines, record_octets
from simwarden.trace.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from simwarden.scenario.result import ScenarioResult


#: a capture in the index of a page; a name of a result holds nothing that leads out of the folder
_CAPTURE = re.compile(r'"capture":"([A-Za-z0-9_.+-]+\.pcapng)"')


class Report:
    """A report that is written while a run goes on, so that little is left to do when it ends, or is ended.

    `trace` says whose traces are kept: `always`, `on-failure` (those that did not pass) or `off`. `mask` zeroes the
    keys in captures; the other files never have them. What cannot be written once the run goes on ends nothing before
    `close`. Raises ConfigError if the folder cannot be written at all.
    """

    def __init__(self, folder: Path, *, trace: str = "always", mask: bool = False) -> None:
        self._folder, self._trace, self._mask = folder, trace, mask
        self._page = Page()
        self._results: list[ScenarioResult] = []
        self._wrong: ConfigError | None = None
        self._guarded(self._begin)
        if self._wrong is not None:
            raise self._wrong

    def add(self, result: ScenarioResult) -> None:
        """Write the events and the capture of a scenario, and take it into the page."""
        self._results.append(result)
        if self._wrong is None:
            self._guarded(lambda: self._write(result))

    def close(self, seconds: float) -> Path:
        """Write the page and junit.xml of a run that took so long, and return the path of the page.

        Raises ConfigError if anything failed.
        """
        if self._wrong is None:
            self._guarded(lambda: self._end(seconds))
        if self._wrong is not None:
            raise self._wrong
        return self._folder / "index.html"

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            where = error.filename or self._folder
            self._wrong = ConfigError(f"{where}: the report cannot be written: {error.strerror}")

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        _clear(self._folder)
        (self._folder / "events.jsonl").write_bytes(b"")
        for name in ("records.jsonl", "cdrs.ber"):
            (self._folder / name).unlink(missing_ok=True)

    def _write(self, result: ScenarioResult) -> None:
        if not _keeps(result, self._trace):
            self._page.add(result, [], "")
            return
        capture = result.capture_name
        hide = hider(result.keys)
        with (self._folder / "events.jsonl").open("a", encoding="utf-8") as lines:
            lines.writelines(f"{hide(line)}\n" for line in lines_of(result.events, scenario=result.name))
        self._write_records(result)
        with create_capture(self._folder / capture, mask=self._mask) as stream:
            write_capture(result.events, stream, start_of(result), mask=self._mask)
        self._page.add(result, rows_of(result.events), capture)

    def _write_records(self, result: ScenarioResult) -> None:
        """Write the flow records and CDRs of a scenario; where there are none there is no file."""
        written = list(record_lines(result.events, scenario=result.name))
        if written:
            with (self._folder / "records.jsonl").open("a", encoding="utf-8") as lines:
                lines.writelines(f"{line}\n" for line in written)
        coded = b"".join(record_octets(result.events))
        if coded:
            with (self._folder / "cdrs.ber").open("ab") as octets:
                octets.write(coded)

    def _end(self, seconds: float) -> None:
        (self._folder / "junit.xml").write_bytes(junit_of(self._results))
        (self._folder / "index.html").write_text(self._page.render(seconds), encoding="utf-8")


def write_report(results: Iterable[ScenarioResult], folder: Path, *, trace: str = "always", mask: bool = False) -> Path:
    """Write the report of results that are all there, and return the path of its page. Raises ConfigError."""
    report = Report(folder, trace=trace, mask=mask)
    seconds = 0.0
    for result in results:
        report.add(result)
        seconds += result.seconds
    return report.close(seconds)


def _clear(folder: Path) -> None:
    """Remove an earlier report of this folder with the captures that its page names: none outlives its page."""
    (folder / "junit.xml").unlink(missing_ok=True)
    try:
        names = _CAPTURE.findall((folder / "index.html").read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return
    for name in names:
        (folder / name).unlink(missing_ok=True)
    (folder / "index.html").unlink()


def _keeps(result: ScenarioResult, trace: str) -> bool:
    return bool(result.events) and (
        trace == "always" or (trace == "on-failure" and result.verdict is not Verdict.PASSED)
    )


def start_of(result: ScenarioResult) -> dt.datetime:
    """Return the date of a run's time 0; of a run on the real clock, as it is remembered right after."""
    if result.clock == "virtual":
        return EPOCH
    return dt.datetime.now(dt.UTC) - dt.timedelta(seconds=result.virtual)
