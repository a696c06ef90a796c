"""Options that several commands have."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simwarden.cli import completing

if TYPE_CHECKING:
    from collections.abc import Callable

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


def signed(command: Callable[..., None], *of: Callable[..., Any], **defaults: Any) -> Callable[..., None]:
    """Give a command the parameters of others, some with another default; what is `...` by default is left out."""
    given = [each for one in of for each in inspect.signature(one, eval_str=True).parameters.values()]
    given = [each.replace(kind=each.KEYWORD_ONLY, default=defaults.get(each.name, each.default)) for each in given]
    given = [each for each in given if each.default is not ...]
    command.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in given}
    return command
