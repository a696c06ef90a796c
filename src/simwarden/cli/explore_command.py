"""The command `explore`, as the command line shows it."""

from __future__ import annotations

from typing import Annotated

import typer

from simwarden.cli.exits import friendly
from simwarden.cli.options import Html, Jobs, Json, Network, Seed  # noqa: TC001 - typer reads them at run time

_Stories = Annotated[list[str] | None, typer.Argument(help="Base stories by name; by default all.", show_default=False)]
_Changes = Annotated[
    list[str] | None, typer.Option("--change", metavar="NAME", help="Only this change. May be repeated.")
]
_Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="NAME", help="Only this fault: abort, killed, killed-mme... May be repeated."),
]
_Folder = Annotated[str, typer.Option(metavar="DIR", help="Where stories and changes are; by default those shipped.")]
_Runs = Annotated[int, typer.Option(metavar="N", min=0, help="At most so many runs, chosen by the seed.")]
_Pairs = Annotated[
    int, typer.Option(metavar="N", min=0, help="So many runs more with two things put in, chosen by the seed.")
]
_Points = Annotated[
    int, typer.Option(metavar="N", min=0, help="At most so many points of each story for each thing that is put in.")
]
_Budget = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Begin nothing after this time (`90 s`): what is left out is told, what is left over is spent on pairs.",
    ),
]
_Accept = Annotated[
    str, typer.Option(metavar="WHY", help="Add what is new to the reviewed file, with this reason, to be reviewed.")
]
_Report = Annotated[
    str, typer.Option(metavar="DIR", help="Write explore.html, explore.json and a scenario of each finding into it.")
]


@friendly
def explore(  # noqa: PLR0917 - typer's way: an option is a parameter
    stories: _Stories = None,
    change: _Changes = None,
    fault: _Faults = None,
    folder: _Folder = "",
    jobs: Jobs = "auto",
    seed: Seed = 0,
    runs: _Runs = 0,
    pairs: _Pairs = 0,
    points: _Points = 0,
    budget: _Budget = "",
    network: Network = "",
    json: Json = False,  # noqa: FBT002 - a flag
    accept: _Accept = "",
    html: Html = "",
    report: _Report = "",
) -> None:
    """Try every change and every fault before every message of the base stories, and say what is not as it must be.

    Exit code: 0 all as reviewed, 1 something is not, or a change that nobody noticed, 2 a bad file or option, 3 a fault
    of ours, 4 nothing chosen, 130 interrupted.
    """
    from simwarden.cli.choosing import workers_of  # noqa: PLC0415
    from simwarden.cli.exploring import Amount, Output, Wanted, explore_stories  # noqa: PLC0415

    explore_stories(
        Wanted(stories or [], change or [], fault or [], folder, network),
        Amount(seed, runs, pairs, points, budget),
        Output(json=json, accept=accept, html=html, report=report),
        workers_of(jobs),
    )
