"""`run` and `demo`."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.cli.annotations import annotate_failure
from simwarden.cli.choosing import load_checked, workers_of
from simwarden.cli.interrupts import finishing, held, stopped, stopping
from simwarden.cli.progress import Progress
from simwarden.cli.shipped import located, shipped
from simwarden.cli.summing import FEW, by_clause, leaks, misuses, rejected_with, stopped_by, twins_not_run
from simwarden.errors import ConfigError, NothingError, Place
from simwarden.scenario import suite
from simwarden.scenario.alarm import interrupt
from simwarden.scenario.case_reference import resolved
from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.stopped import stopped_in
from simwarden.trace.ladder import draw, style_for

if TYPE_CHECKING:
    from simwarden.cli.options import Order
    from simwarden.scenario.document import Scenario


_DEMO = "demo/moved-card.yaml"


def run_suite(order: Order) -> None:
    """Find, check, choose and run scenarios; print and report. Ends with the command's exit code."""
    workers = workers_of(order.jobs)
    jobs = load_checked(Loader(network_file=order.network), order.paths or (), order.tag or (), order.match or ())
    if order.last_failed:
        jobs = _of_last_failed(jobs, order.report)
    options = RunOptions(
        seed=order.seed,
        transport=order.transport or "",
        clock=order.clock or "",
        limit=order.limit,
        packets=order.packets,
        tun=order.tun,
        rerun="".join(f" {part}" for part in order.again()),
    )
    _check_addresses(jobs)
    if order.tun:
        _check_tun(len(jobs))
    few = len(jobs) <= FEW or order.verbose
    told = _Told(order, len(jobs))
    running = suite.run_all(jobs, options, order.network, workers)
    ending = stopping(interrupt) if len(jobs) == 1 else nullcontext()  # what it has done until then is reported
    with finishing(told.interrupted):
        with Progress(len(jobs), lines=few) as progress, ending:
            for result in running:
                with held():
                    told.add(result)
                    progress.done(result, _told(result, order), rejected_with(result))
                    annotate_failure(result)
        with held():  # the report is whole, whenever an interruption comes
            _sum_up(told, few=few)
    raise typer.Exit(stopped() or exit_code(told.results))


def _sum_up(told: _Told, *, few: bool) -> None:
    """Print what all came to, and write what is left of the report. Raises ConfigError."""
    parts = (misuses, leaks, twins_not_run) if few else (by_clause, stopped_by, leaks, twins_not_run)
    summed = [list(part(told.results)) for part in parts]
    for lines in filter(None, summed):
        exits.show("\n".join(["", *lines]))
    summary = f"{chr(10) if any(summed) else ''}{told.summary()}"
    try:
        where = told.close()
    except ConfigError:
        print(summary)
        raise
    print(f"{summary}; report: {where}")


def _check_addresses(jobs: list[tuple[suite.Job, Scenario]]) -> None:
    """See that this machine has the addresses in the files, and that those for external elements are free.

    Raises ConfigError.
    """
    placed = [
        scenario for _, scenario in jobs if any(each.address or each.source for each in scenario.instances.values())
    ]
    outside = next((scenario for _, scenario in jobs if scenario.external), None)
    if not placed and outside is None:
        return
    from simwarden.scenario.outside import IN_USE, address_in_use, missing_address  # noqa: PLC0415 - few runs need them

    for each in placed:
        if missing := missing_address(each):
            place = Place(each.path, each.lines.get("network", 1))
            raise ConfigError(f"{missing} is not an address of this machine", place, hint="`ip address` lists those")
    if outside is not None and (address := address_in_use(outside)):
        raise ConfigError(f"{address} is in use: {IN_USE}", hint="run them one after another")


def _check_tun(scenarios: int) -> None:
    """See that there can be TUN interfaces. Raises ConfigError."""
    from simwarden.runtime.tun import why_not  # noqa: PLC0415 - few runs have them

    if scenarios > 1:
        raise ConfigError(f"--tun is for one scenario, not for {scenarios}", hint="name its file")
    if reason := why_not():
        raise ConfigError(f"--tun: {reason}")


def paths_of(paths: list[str], report: str, *, last_failed: bool) -> list[str]:
    """Return where the scenarios to run are; with nothing said, what did not pass the last time, if that is wanted."""
    if not paths and last_failed:
        if not (failed := _not_passed(report)):
            raise NothingError(f"--last-failed: {Path(report) / 'junit.xml'} has no scenario that failed")
        return sorted(failed)
    if not paths:
        raise ConfigError(
            "run needs scenario files, folders of them, or names of shipped ones", hint="see simwarden list"
        )
    return located(paths)


def _of_last_failed(jobs: list[tuple[suite.Job, Scenario]], folder: str) -> list[tuple[suite.Job, Scenario]]:
    failed = {resolved(each) for each in _not_passed(folder)}
    found = [(job, scenario) for job, scenario in jobs if resolved(job.reference) in failed]
    if not found:
        raise NothingError(f"--last-failed: {Path(folder) / 'junit.xml'} has none of these scenarios as failed")
    return found


def _not_passed(folder: str) -> set[str]:
    """Return the files that did not pass when the report was written. Raises ConfigError if there is none."""
    from simwarden.scenario.report.junit import not_passed  # noqa: PLC0415 - as the report

    path = Path(folder) / "junit.xml"
    if not path.exists():
        raise ConfigError("--last-failed: there is no report of an earlier run", Place(str(path)))
    return set(not_passed(path))


class _Told:
    """The results of a run so far, and its report."""

    def __init__(self, order: Order, chosen: int) -> None:
        from simwarden.scenario.report import Report  # noqa: PLC0415 - templates load when they are needed

        self._began = time.perf_counter()
        self._chosen = chosen
        self._report = Report(Path(order.report), trace=order.trace, mask=order.mask)
        self._seconds = 0.0
        self.results: list[ScenarioResult] = []

    def add(self, result: ScenarioResult) -> None:
        """Take a result into the report; its events are needed no longer."""
        self._report.add(result)
        result.events = []
        self.results.append(result)
        self._seconds = time.perf_counter() - self._began

    def summary(self) -> str:
        """Return the line that counts."""
        count = Counter(result.verdict for result in self.results)
        parts = [f"{count[verdict]} {verdict.value}" for verdict in Verdict if count[verdict]]
        noun = "scenario" if len(self.results) == 1 else "scenarios"
        return f"{len(self.results)} {noun}: {', '.join(parts) or 'none run'} in {self._seconds:.2f} s"

    def close(self) -> Path:
        """Write what is left of the report, and return the path of its page. Raises ConfigError."""
        return self._report.close(self._seconds)

    def interrupted(self) -> str:
        """Write the report of what is done, and say so."""
        return f"interrupted, {self._chosen - len(self.results)} not run; {self.summary()}; report: {self.close()}"


def _told(result: ScenarioResult, order: Order) -> str:
    if result.failure is None:
        return ""
    capture = str(Path(order.report) / result.capture_name) if order.trace != "off" else ""
    return text_of(result.failure, capture)


def exit_code(results: list[ScenarioResult]) -> int:
    """Return the exit code for these results."""
    verdicts = {result.verdict for result in results}
    if Verdict.ERROR in verdicts:
        return exits.INTERNAL
    return exits.FAILED if verdicts & {Verdict.FAILED, Verdict.INCONCLUSIVE} else exits.PASSED


def show_demo(seed: int, *, full: bool) -> None:
    """Run the moved card and draw its ladder."""
    path = shipped() / _DEMO
    scenario = Loader().load(path)
    result = run_scenario(scenario, "moved-card", RunOptions(seed=seed))
    print(f"{result.title}\n")
    order = {lane.name: lane.order for lane in result.lanes}
    print("\n".join(draw(result.events, order, style_for(sys.stdout, full=full))))
    print()
    if result.failure is not None:
        exits.show(text_of(result.failure))
    result.stopped = stopped_in(scenario, result)
    exits.show("".join(f"{each}\n" for each in misuses([result])))
    print(f"{result.verdict.value}: {result.steps_done} of {result.steps} steps in {result.seconds:.2f} s")
    if result.verdict is not Verdict.PASSED:
        raise typer.Exit(exit_code([result]))
