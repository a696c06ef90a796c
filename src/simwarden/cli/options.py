"""Options that several commands have, the words that they may be, and the options of `run`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from simwarden.cli import completing

if TYPE_CHECKING:
    from collections.abc import Callable


RoleName: TypeAlias = Literal["operator", "customer"]
"""Who calls a management interface."""
TransportName: TypeAlias = Literal["memory", "tcp", "udp", "sctp", "sctp-udp"]
"""How frames travel between elements of one run."""
ClockName: TypeAlias = Literal["virtual", "real"]
"""Which time a run lives in."""
TraceChoice: TypeAlias = Literal["on-failure", "always", "off"]
"""Which scenarios leave a capture and their events."""
Form: TypeAlias = Literal["yaml", "json", "csv"]
"""How subscribers are written."""


class LogForm(StrEnum):
    """How a served element's lines are written."""

    CONSOLE = "console"
    JSON = "json"


class Level(StrEnum):
    """From which level on lines are written: admissions, what happens, what peers do wrong, internal errors."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


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


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line of `run` asks for."""

    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Scenario files, folders of them, or names of shipped ones; with --last-failed those that failed."
        ),
    ] = None
    jobs: Jobs = "1"
    tag: Tags = None
    match: Match = None
    seed: Seed = 0
    transport: Annotated[
        TransportName | None,
        typer.Option(
            help="What carries frames: memory; sctp (SCTP, TCP and UDP as specified; sctp-udp: SCTP in UDP); "
            "tcp (SCTP framed on TCP)."
        ),
    ] = None
    clock: Annotated[
        ClockName | None, typer.Option(help="Virtual time jumps over what is idle.", show_default="virtual")
    ] = None
    network: Network = ""
    report: Annotated[
        str, typer.Option(metavar="DIR", help="Where index.html, junit.xml, events.jsonl and captures go.")
    ] = "report"
    trace: Annotated[TraceChoice, typer.Option(help="Which scenarios leave a capture and their events.")] = "always"
    mask: Annotated[bool, typer.Option("--mask", help="Zero in captures the keys that the wire itself carries.")] = (
        False
    )
    packets: Annotated[
        bool, typer.Option("--packets", help="Have each user packet in events and captures, not only what is dropped.")
    ] = False
    tun: Annotated[
        bool,
        typer.Option(
            "--tun",
            help="Give each device, and the internet, a network namespace (simwarden-NAME) whose programs send through"
            " the emulated network, in real time. One scenario, as root.",
        ),
    ] = False
    limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Real time after which a scenario counts as hung.")
    ] = 60.0
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and run again what a saved file concerns.")] = False
    verbose: Annotated[
        bool,
        typer.Option("-v", "--verbose", help="A line for each scenario and a sentence for each misuse, also of many."),
    ] = False
    last_failed: Annotated[
        bool, typer.Option("--last-failed", help="Only those that did not pass when the report was written last.")
    ] = False

    def again(self) -> list[str]:
        """The options that a re-run of one scenario needs."""
        said = (("--transport", self.transport), ("--clock", self.clock), ("--network", self.network))
        seed = ["--seed", str(self.seed)] if self.seed else []
        return seed + [part for option, value in said if value for part in (option, value)]


def signed(command: Callable[..., None], *of: Callable[..., Any], **defaults: Any) -> Callable[..., None]:
    """Give a command the parameters of others, some with another default; what is `...` by default is left out."""
    given = [each for one in of for each in inspect.signature(one, eval_str=True).parameters.values()]
    given = [each.replace(kind=each.KEYWORD_ONLY, default=defaults.get(each.name, each.default)) for each in given]
    given = [each for each in given if each.default is not ...]
    command.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in given}
    return command
