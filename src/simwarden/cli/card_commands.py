"""The commands about cards by the guideline's chapter 3: `classify` and `numbers`."""

from __future__ import annotations

from typing import Annotated

import typer

from simwarden.cli.exits import friendly

_Fact = Annotated[bool | None, typer.Option(show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]
_Ranges = Annotated[
    str, typer.Option("--ranges", metavar="FILE", help="Number ranges (TOML) to use instead of those shipped.")
]
_Encoding = Annotated[
    str,
    typer.Option("--encoding", metavar="NAME", help="How a CSV is written; by default UTF-8, UTF-16 or GBK is found."),
]


@friendly
def classify(  # noqa: PLR0917 - typer's way: an option is a parameter
    target: Annotated[
        str, typer.Argument(metavar="[USE | FILE]", help="A use of cards, or a file of cards.", show_default=False)
    ] = "",
    voice: _Fact = None,
    sms: _Fact = None,
    data: _Fact = None,
    directed: _Fact = None,
    large: _Fact = None,
    fixed: _Fact = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given", metavar="CONTROL", help="A control that the network gives every card. May be repeated."
        ),
    ] = None,
    contract: Annotated[
        str, typer.Option("--contract", metavar="FILE", help="What contracts name by use (YAML); all else is needless.")
    ] = "",
    ranges: _Ranges = "",
    encoding: _Encoding = "",
    network: Annotated[
        str, typer.Option("--network", metavar="FILE", help="A network file, where scenarios are judged.")
    ] = "",
    failing: Annotated[bool, typer.Option("--failing", help="Leave out cards that fit.")] = False,  # noqa: FBT002 - a flag
    json: _Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Say what a card must have by what it is for, and what the cards of a file lack or have without need.

    A file is a scenario (or a folder of them), what `export` prints, or a CSV of an operator's cards.

    Exit code: 0 all cards fit, 1 some do not, 2 a bad file or option, 3 internal error, 130 interrupted.
    """
    from simwarden.cli.classifying import ClassifyOrder, classify_target  # noqa: PLC0415 - help comes at once

    said = {"voice": voice, "sms": sms, "data": data, "directed": directed, "large": large, "fixed": fixed}
    classify_target(
        ClassifyOrder(
            target=target,
            facts={name: value for name, value in said.items() if value is not None},
            given=given or [],
            contract=contract,
            ranges=ranges,
            encoding=encoding,
            network=network,
            json=json,
            failing=failing,
        )
    )


@friendly
def numbers(
    target: Annotated[str, typer.Argument(metavar="FILE", help="Numbers, a line each, or a CSV of cards; `-`: input.")],
    ranges: _Ranges = "",
    encoding: _Encoding = "",
    json: _Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Audit numbers of cards, and name those that are of no range dedicated to IoT (guideline 2.1.1).

    Exit code: 0 all are, 1 some are not, 2 a bad file or option, 3 internal error, 130 interrupted.
    """
    from simwarden.cli.numbering import audit_numbers  # noqa: PLC0415 - help comes at once

    audit_numbers(target, ranges, encoding, as_json=json)
