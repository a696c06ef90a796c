"""The commands about cards by the guideline's chapter 3: `classify` and `numbers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from simwarden.cli.exits import friendly
from simwarden.cli.options import Json  # noqa: TC001 - typer reads it at run time

_Fact = Annotated[bool | None, typer.Option(show_default=False)]
_Ranges = Annotated[
    str, typer.Option("--ranges", metavar="FILE", help="Number ranges (TOML) to use instead of those shipped.")
]
_Encoding = Annotated[
    str,
    typer.Option("--encoding", metavar="NAME", help="How a CSV is written; by default UTF-8, UTF-16 or GBK is found."),
]


@dataclass(frozen=True, slots=True)
class ClassifyOrder:
    """What the command line of `classify` asks for."""

    target: Annotated[
        str, typer.Argument(metavar="[USE | FILE]", help="A use of cards, or a file of cards.", show_default=False)
    ] = ""
    voice: _Fact = None
    sms: _Fact = None
    data: _Fact = None
    directed: _Fact = None
    large: _Fact = None
    fixed: _Fact = None
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given", metavar="CONTROL", help="A control that the network gives every card. May be repeated."
        ),
    ] = None
    contract: Annotated[
        str, typer.Option("--contract", metavar="FILE", help="What contracts name by use (YAML); all else is needless.")
    ] = ""
    ranges: _Ranges = ""
    encoding: _Encoding = ""
    network: Annotated[
        str, typer.Option("--network", metavar="FILE", help="A network file, where scenarios are judged.")
    ] = ""
    failing: Annotated[bool, typer.Option("--failing", help="Leave out cards that fit.")] = False
    json: Json = False

    @property
    def facts(self) -> dict[str, bool]:
        """The functions and attributes that were given."""
        given = ((name, getattr(self, name)) for name in ("voice", "sms", "data", "directed", "large", "fixed"))
        return {name: value for name, value in given if value is not None}


def classify(**given: Any) -> None:
    """Say what a card must have by what it is for, and what the cards of a file lack or have without need.

    A file is a scenario (or a folder of them), what `export` prints, or a CSV of an operator's cards.

    Exit code: 0 all cards fit, 1 some do not, 2 a bad file or option, 3 internal error, 130 interrupted.
    """
    from simwarden.cli.classifying import classify_target  # noqa: PLC0415 - help comes at once

    classify_target(ClassifyOrder(**given))


@friendly
def numbers(
    target: Annotated[str, typer.Argument(metavar="FILE", help="Numbers, a line each, or a CSV of cards; `-`: input.")],
    ranges: _Ranges = "",
    encoding: _Encoding = "",
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Audit numbers of cards, and name those that are of no range dedicated to IoT (guideline 2.1.1).

    Exit code: 0 all are, 1 some are not, 2 a bad file or option, 3 internal error, 130 interrupted.
    """
    from simwarden.cli.numbering import audit_numbers  # noqa: PLC0415 - help comes at once

    audit_numbers(target, ranges, encoding, as_json=json)
