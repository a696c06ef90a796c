"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from simwarden.cli import completing

ShippedPaths = Annotated[
    list[str] | None, typer.Argument(help="Scenario files, or folders of them; by default those shipped.")
]
Network = Annotated[
    str, typer.Option("--network", metavar="FILE", help="A network file: settings, more elements, external ones.")
]
Seed = Annotated[int, typer.Option(help="Derives all randomness; the same seed gives the same signalling.")]
Jobs = Annotated[
    str, typer.Option("-j", "--jobs", metavar="N", help="Processes; `auto`: as many as there are processors.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Html = Annotated[str, typer.Option("--html", metavar="FILE", help="Write the page to this file.")]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        autocompletion=completing.tags,
        help="Only scenarios with this tag (not-TAG: without it). May be repeated.",
    ),
]
Match = Annotated[
    list[str] | None,
    typer.Option(
        "--match",
        metavar="TEXT",
        help="Only scenarios with this in name, title, path or requirement; * and ? work. May be repeated.",
    ),
]
