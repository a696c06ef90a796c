"""The command `explore`, as the command line shows it."""

from __future__ import annotations

from typing import Annotated

import typer

from simwarden.cli.exits import friendly
from simwarden.cli.options import Html, Jobs, Json, Network, Seed  # noqa: TC001 - typer reads them at run time


@friendly
def explore(  # noqa: PLR0917 - typer's way: an option is a parameter
    stories: Annotated[
        list[str] | None, typer.Argument(help="Base stories by name; by default all.", show_default=False)
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--change", metavar="NAME", help="Only this change. May be repeated.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME", help="Only this fault: abort, killed, killed-mme... May be repeated."),
    ] = None,
    folder: Annotated[
        str, typer.Option(metavar="DIR", help="The folder of stories and changes; by default the one shipped.")
    ] = "",
    jobs: Jobs = "auto",
    seed: Seed = 0,
    runs: Annotated[int, typer.Option(metavar="N", min=0, help="At most so many runs, chosen by the seed.")] = 0,
    pairs: Annotated[
        int, typer.Option(metavar="N", min=0, help="So many runs more with two things put in, chosen by the seed.")
    ] = 0,
    points: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="At most so many points of each story for each thing that is put in."),
    ] = 0,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Begin nothing after this time (`90 s`); what is left out is told.")
    ] = "",
    network: Network = "",
    json: Json = False,  # noqa: FBT002 - a flag
    accept: Annotated[
        str, typer.Option(metavar="WHY", help="Add what is new to the reviewed file, with this reason, to be reviewed.")
    ] = "",
    html: Html = "",
    report: Annotated[
        str,
        typer.Option(metavar="DIR", help="Write explore.html, explore.json and a scenario of each finding into it."),
    ] = "",
) -> None:
    """Try every change and every fault before every message of the base stories, and say what is not as it must be.

    Exit code: 0 all as reviewed, 1 something is not, or a change that nobody noticed, 2 a bad file or option, 3 a fault
    of ours, 4 nothing chosen, 130 interrupted.
    """
    from simwarden.cli.choosing import workers_of  # noqa: PLC0415
    from simwarden.cli.exploring import ExploreOrder, explore_stories  # noqa: PLC0415

    explore_stories(
        ExploreOrder(
            stories=stories or [],
            folder=folder,
            changes=change or [],
            faults=fault or [],
            workers=workers_of(jobs),
            seed=seed,
            runs=runs,
            pairs=pairs,
            points=points,
            budget=budget,
            network=network,
            json=json,
            accept=accept,
            html=html,
            report=report,
        )
    )
