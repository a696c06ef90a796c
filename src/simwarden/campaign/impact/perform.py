"""Carries out the cases of experiments, and gives their figures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simwarden.campaign.composition import loader_of
from simwarden.campaign.impact import meters
from simwarden.campaign.impact.experiment import read_experiment
from simwarden.campaign.impact.measures import Blast, Calls, Delay, Load, Messages, Packets, members
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.suite import worker
from simwarden.trace.events import Event, StepMark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.campaign.impact.experiment import MeasuredCase
    from simwarden.campaign.record import Figure

#: real seconds after which a case counts as hung
LIMIT = 900.0


@dataclass(frozen=True, slots=True)
class Task:
    """One case for a worker: the file, its parameters, which of its cases, and how it is run."""

    path: str
    settings: tuple[tuple[str, str], ...]
    number: int
    network: str = ""
    options: RunOptions = field(default_factory=RunOptions, compare=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome of a case: its figures, or why there are none. `seconds` is real time."""

    figures: Mapping[str, Figure]
    failure: str = ""
    fault: bool = False
    seconds: float = 0.0


def perform(task: Task) -> Measured:
    """Carry out a case in this process, and return what came of it."""
    experiment = read_experiment(task.path, loader_of(task.network), dict(task.settings), only=task.number)
    return measure(experiment.cases[0], task.options)


def measure(case: MeasuredCase, options: RunOptions) -> Measured:
    """Run the story of a case and return its figures. Events are told to a meter as they happen, and not kept."""
    meter = meter_of(case)
    named = {step.index: step.name for step in case.scenario.steps if step.name}

    def sink(event: Event) -> None:
        if isinstance(event, StepMark) and event.index in named:
            meter.on_step(named[event.index], event.time)
        meter.take(event)

    began = time.perf_counter()
    options = replace(options, keep=False, limit=LIMIT, worker=worker())
    result = run_scenario(case.scenario, case.name, options, sink)
    spent = time.perf_counter() - began
    if result.verdict is not Verdict.PASSED:
        summary = result.failure.summary if result.failure is not None else result.verdict.value
        return Measured({}, summary, fault=result.verdict is Verdict.ERROR, seconds=spent)
    try:
        return Measured(meter.figures(result.virtual), seconds=spent)
    except meters.MeaninglessError as why:
        return Measured({}, str(why), seconds=spent)


def meter_of(case: MeasuredCase) -> meters.Meter:
    """Return the meter of a case."""
    wanted, scenario = case.measure, case.scenario
    if isinstance(wanted, Delay):
        imsi = scenario.cards[wanted.card].keys.imsi
        return meters.DelayMeter(members(wanted.terminals, scenario), _observable(wanted.held), imsi)
    if isinstance(wanted, Packets):
        meter = {Messages: meters.MessagesMeter, Calls: meters.CallsMeter}.get(type(wanted), meters.PacketsMeter)
        return meter(members(wanted.terminals, scenario), _observable(wanted.arrived))
    if isinstance(wanted, Blast):
        return meters.BlastMeter(members(wanted.good, scenario), members(wanted.thieves, scenario), wanted.requests)
    assert isinstance(wanted, Load)  # noqa: S101 - the last of MEASURES
    return meters.LoadMeter(members(wanted.fleet, scenario), wanted.core, at_once=wanted.at_once)


def _observable(record: str) -> tuple[str, str]:
    element, _, observable = record.partition(".")
    return element, observable
