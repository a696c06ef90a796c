"""The page of all experiments: a table each, and what differs from the recorded figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.scenario.impact.measures import MEASURES
from simwarden.scenario.impact.table import COLUMNS, TONES, column_of, tone, written
from simwarden.scenario.report.sheet import render_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simwarden.scenario.impact.experiment import Experiment
    from simwarden.scenario.impact.perform import Outcome
    from simwarden.scenario.impact.record import Difference


def page_of(results: Sequence[tuple[Experiment, Mapping[int, Outcome]]], differences: Iterable[Difference]) -> str:
    """Return the page."""
    kinds = {experiment.name: experiment.kind for experiment, _ in results}
    return render_sheet(
        "impact.html.j2",
        title="impact",
        groups=[
            {"title": measure.title, "columns": COLUMNS[kind], "tones": TONES[kind], "tables": tables}
            for kind, measure in MEASURES.items()
            if (tables := [_table(*each) for each in results if each[0].kind == kind])
        ],
        cases=sum(len(outcomes) for _, outcomes in results),
        differences=[told(each, kinds.get(each.experiment, "")) for each in differences],
    )


def _table(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> dict[str, Any]:
    columns = COLUMNS[experiment.kind]
    rows = []
    for number, outcome in outcomes.items():
        cells = [written(column, outcome.figures.get(column.figure)) for column in columns] if outcome.figures else []
        words = list(experiment.cases[number].words.values())
        mark = tone(experiment.kind, outcome.figures) if outcome.figures else "bad"
        rows.append({"words": words, "cells": cells, "failure": outcome.failure, "tone": mark})
    settings = ", ".join(f"{name} {value}" for name, value in experiment.settings.items())
    return {
        "title": experiment.title,
        "about": experiment.about,
        "name": experiment.name,
        "settings": settings,
        "axes": experiment.axes,
        "rows": rows,
    }


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
