"""The commands of campaigns: what each may be told, beside what all of them may."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from simwarden.campaign.grid import Grid  # noqa: TC001 - read at run time
from simwarden.cli import completing
from simwarden.cli.exits import friendly
from simwarden.cli.options import (
    Html,
    Jobs,
    Json,
    Match,
    Network,
    Seed,
    ShippedPaths,
    signed,
)
from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simwarden.campaign.switched_run import NormalRuns
    from simwarden.scenario.registry import Registry

Many: TypeAlias = list[str] | None


def _many(name: str, metavar: str, words: str, complete: Callable[[str], list[str]] | None = None) -> Any:
    return typer.Option(name, metavar=metavar, autocompletion=complete, help=f"{words} May be repeated.")


def _number(words: str) -> Any:
    return typer.Option(metavar="N", min=0, help=f"{words}, chosen by the seed.")


def _dir(words: str) -> Any:
    return typer.Option(metavar="DIR", help=words)


@dataclass(frozen=True, slots=True)
class Asked:
    """What all campaigns may be told; `accept` is the reason, None where nothing is accepted."""

    jobs: Jobs = "auto"
    seed: Seed = 0
    budget: Annotated[str, typer.Option(metavar="TIME", help="Begin nothing after it (`90 s`), and try by seed.")] = ""
    json: Json = False
    html: Html = ""
    report: Annotated[str, _dir("Write its page and all of it as JSON into this folder of a report.")] = ""
    accept: Annotated[str | None, typer.Option(metavar="WHY", help="Take what is new for reviewed, as it is.")] = None


def prove(
    paths: ShippedPaths = None,
    match: Match = None,
    control: Annotated[
        Many, _many("--control", "ID", "Only controls of this id, KIND/ID or KIND/ID@OCCASION.", completing.controls)
    ] = None,
    changed: Annotated[str, typer.Option(metavar="COMMIT", help="Try first what has changed since, by git.")] = "",
    network: Network = "",
) -> Grid:
    """Prove that the scenarios notice when a control is broken: each is made to admit all, then to refuse all.

    It is broken on each of its occasions alone.
    """
    from simwarden.campaign.prove.campaign import Prove  # noqa: PLC0415
    from simwarden.campaign.prove.choice import choose  # noqa: PLC0415

    folders = paths or [_shipped()]
    runs, registry = _normal_runs(folders, match, network)
    folder = next((each for each in folders if Path(each).is_dir()), "")
    return Prove(runs, registry, choose(registry, folders, control or (), changed), folder)


def coverage(paths: ShippedPaths = None, match: Match = None, network: Network = "") -> Grid:
    """Show each requirement by the controls that enforce it and their outcomes, and what is open."""
    from simwarden.campaign.coverage import Coverage  # noqa: PLC0415

    return Coverage(_normal_runs(paths or [_shipped()], match, network)[0])


def matrix(
    folder: Annotated[
        str, typer.Argument(help="The folder of a matrix; by default the one shipped.", show_default=False)
    ] = "",
    misuse: Annotated[Many, _many("--misuse", "NAME", "Only this misuse.", completing.misuses)] = None,
    method: Annotated[Many, _many("--method", "NAME", "Only this method.", completing.methods)] = None,
    service: Annotated[Many, _many("--service", "NAME", "The table of this service or path.")] = None,
    *,
    story: Annotated[str, typer.Option(metavar="MISUSE/METHOD", help="Print a cell as a scenario, and end.")] = "",
    honest: Annotated[bool, typer.Option("--honest", help="With --story: that of the legitimate user.")] = False,
) -> Grid:
    """Try the same misuses against each method of restriction, alone and combined: what blocks, and what leaks."""
    from simwarden.campaign.matrix.campaign import Matrix  # noqa: PLC0415
    from simwarden.campaign.matrix.story import story_text  # noqa: PLC0415
    from simwarden.cli.shipped import plan_of  # noqa: PLC0415

    plan = plan_of(folder)
    if story:
        print(story_text(plan, story, honest=honest), end="")
        raise typer.Exit
    return Matrix(plan, misuse or (), method or (), service or ())


def impact(
    paths: Annotated[Many, typer.Argument(help="Experiment files, or folders; else those shipped.")] = None,
    match: Annotated[Many, _many("--match", "TEXT", "Only cases with this in experiment or words.")] = None,
    settings: Annotated[Many, _many("--set", "NAME=VALUE", "A parameter: `fleet=1000`.")] = None,
    network: Network = "",
    *,
    story: Annotated[str, typer.Option(metavar="CASE", help="Print a case as a scenario, and end.")] = "",
) -> Grid:
    """Measure how late changes act, whom a failing decider hurts, and what each reject cause costs in signalling."""
    from simwarden.campaign.impact.campaign import Impact  # noqa: PLC0415

    campaign = Impact(paths or [_shipped("impact")], match or (), settings or (), network)
    if story:
        print(campaign.story(story), end="")
        raise typer.Exit
    return campaign


def explore(
    stories: Annotated[Many, typer.Argument(help="Base stories by name; by default all.", show_default=False)] = None,
    change: Annotated[Many, _many("--change", "NAME", "Only this change.")] = None,
    fault: Annotated[Many, _many("--fault", "NAME", "Only this fault: abort, killed, killed-mme...")] = None,
    folder: Annotated[str, _dir("Where stories and changes are; by default those shipped.")] = "",
    network: Network = "",
    *,
    runs: Annotated[int, _number("At most so many runs")] = 0,
    pairs: Annotated[int, _number("So many runs more with two things put in")] = 0,
    points: Annotated[int, _number("At most so many points of each story for each thing that is put in")] = 0,
) -> Grid:
    """Try every change and every fault before every message of the base stories, and say what is not as it must be."""
    from simwarden.campaign.explore.campaign import Explore  # noqa: PLC0415
    from simwarden.campaign.explore.runs import Wanted  # noqa: PLC0415

    wanted = Wanted(folder or _shipped("explore"), network, runs=runs, pairs=pairs, points=points)
    return Explore(
        replace(wanted, stories=tuple(stories or ()), changes=tuple(change or ()), faults=tuple(fault or ()))
    )


def _shipped(part: str = "") -> str:
    from simwarden.cli.shipped import shipped  # noqa: PLC0415

    return str(shipped() / part)


def _normal_runs(paths: list[str], match: Many = None, network: str = "") -> tuple[NormalRuns, Registry]:
    """Return the runs of the scenarios that are chosen, checked, and the elements that they were loaded for."""
    from simwarden.campaign.switched_run import NormalRuns  # noqa: PLC0415
    from simwarden.cli.choosing import load_checked  # noqa: PLC0415
    from simwarden.scenario.load import Loader  # noqa: PLC0415

    loader = Loader(network_file=network)
    return NormalRuns.of(load_checked(loader, paths, match=match or ()), loader), loader.registry


def _command(make: Callable[..., Any], **defaults: Any) -> Callable[..., None]:
    """Make a command of what makes a campaign: it is told what all are told too, and carries the campaign out."""

    @friendly
    @wraps(make)
    def command(**given: Any) -> None:
        from simwarden.cli import campaigning  # noqa: PLC0415

        told = Asked(**{each.name: given.pop(each.name) for each in fields(Asked) if each.name in given})
        made = make(**given)
        if isinstance(made, list):
            campaigning.check(made, told)
        elif made is not None:
            campaigning.play(made, told)

    return signed(command, make, Asked, **defaults)


def _all(
    ctx: typer.Context,
    folder: Annotated[str, _dir("A folder laid out as that of the shipped scenarios, which is the default.")] = "",
) -> list[Grid] | None:
    """Check what the scenarios are worth: coverage, matrix, impact, prove and explore in one budget, or one of them.

    The parts share the budget (0: no limit), and what is left out for it is told.
    """
    if not ctx.invoked_subcommand:
        return list(_parts_of(Path(folder or _shipped())))
    for name in ctx.params:
        if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE":
            raise ConfigError(f"--{name} stands behind `{ctx.invoked_subcommand}`: it is an option of that part")
    return None


def _parts_of(root: Path) -> Iterator[Grid]:
    """Yield the campaigns that a folder of scenarios has, the one that spends what is left of a budget last."""
    proof = prove([str(root)])
    yield from proof.views()  # coverage, whose runs are those that the proof starts from
    if (root / "matrix").is_dir():
        yield matrix(str(root / "matrix"))
    if (root / "impact").is_dir():
        yield impact([str(root / "impact")])
    yield proof
    if (root / "explore").is_dir():
        yield explore(folder=str(root / "explore"))


_EXITS = "Exit code: 0 all is well, 1 not, 2 a bad file or option, 3 internal error, 4 nothing tried, 130 interrupted."
_PARTS: dict[Callable[..., Grid], str] = {
    prove: "`simwarden prove scenarios -j auto --control 'hss/*'`",
    coverage: "`simwarden coverage scenarios --html coverage.html`",
    matrix: "`simwarden matrix --method hss-given --method none --html matrix.html`",
    impact: "`simwarden impact -j auto --html impact.html`, or `simwarden impact --set fleet=1000`",
    explore: "`simwarden explore attach --change barring`, `simwarden explore --runs 500`",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands: `check` with its parts, and each part by its own name."""
    example = "`simwarden check --budget '10 min' --report report`, `simwarden check matrix`"
    check = typer.Typer(invoke_without_command=True, epilog=f"Example: {example}. {_EXITS}")
    check.callback()(_command(_all, budget="5 min", accept=...))
    app.add_typer(check, name="check")
    for make, example in _PARTS.items():
        for where in (check, app):
            where.command(make.__name__, epilog=f"Example: {example}. {_EXITS}")(_command(make))
