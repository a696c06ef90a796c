"""What the command line of `run` asks for, as typer reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from simwarden.cli.choices import ClockName, TraceChoice, TransportName
from simwarden.cli.options import Jobs, Match, Network, Seed, Tags  # noqa: TC001 - typer reads them at run time


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
    trace: Annotated[TraceChoice, typer.Option(help="Which scenarios leave a capture and their events.")] = (
        TraceChoice.ALWAYS
    )
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
