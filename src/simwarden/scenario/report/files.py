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
from simwarden.trace.jsonl import lines_of
from simwarden.trace.pcapng import create_capture, write_capture
from simwarden.trace.records import record_lines
from simwarden.trace.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simwarden.scenario.result import ScenarioResult


#: a capture in the index of a page; a name of a result holds nothing that leads out of the folder
_CAPTURE = re.compile(r'"capture":"([A-Za-z0-9_.-]+\.pcapng)"')


def write_report(results: Sequence[ScenarioResult], folder: Path, *, trace: str = "always", mask: bool = False) -> Path:
    """Write the report into a folder, which is made if need be, and return the path of its page.

    `trace` says whose traces are kept: `always`, `on-failure` (those that did not pass) or `off`. `mask` zeroes the
    keys in captures; the other files never have them. Raises ConfigError if the folder cannot be written.
    """
    kept = [result for result in results if _keeps(result, trace)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        with (folder / "events.jsonl").open("w", encoding="utf-8") as lines:
            for result in kept:
                lines.writelines(f"{line}\n" for line in lines_of(result.events, scenario=result.name))
        _write_records(kept, folder / "records.jsonl")
        for result in kept:
            with create_capture(folder / f"{result.name}.pcapng", mask=mask) as stream:
                write_capture(result.events, stream, start_of(result), mask=mask)
        (folder / "junit.xml").write_bytes(junit_of(results))
        page = Page()
        for result in results:
            keeps = _keeps(result, trace)
            page.add(result, rows_of(result.events) if keeps else [], f"{result.name}.pcapng" if keeps else "")
        path = folder / "index.html"
        path.write_text(page.render(), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: the report cannot be written: {error.strerror}") from error
    return path


def _write_records(results: Sequence[ScenarioResult], path: Path) -> None:
    """Write the flow records and CDRs of all scenarios; where there are none there is no file."""
    path.unlink(missing_ok=True)
    written = [line for result in results for line in record_lines(result.events, scenario=result.name)]
    if written:
        path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")


def _clear(folder: Path) -> None:
    """Remove the captures that an earlier report in this folder names, so that none outlives its page."""
    try:
        names = _CAPTURE.findall((folder / "index.html").read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _keeps(result: ScenarioResult, trace: str) -> bool:
    return bool(result.events) and (
        trace == "always" or (trace == "on-failure" and result.verdict is not Verdict.PASSED)
    )


def start_of(result: ScenarioResult) -> dt.datetime:
    """Return the date of a run's time 0; of a run on the real clock, as it is remembered right after."""
    if result.clock == "virtual":
        return EPOCH
    return dt.datetime.now(dt.UTC) - dt.timedelta(seconds=result.virtual)
