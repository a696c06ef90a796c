"""The commands of campaigns: what each may be told, beside what all of them may."""

from __future__ import annotations

import inspect
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simwarden.campaign.engine import Campaign  # noqa: TC001 - read at run time
from simwarden.cli import completing
from simwarden.cli.exits import friendly
from simwarden.cli.options import (  # noqa: TC001 - typer reads them at run time
    Html,
    Jobs,
    Json,
    Match,
    Network,
    Seed,
    ShippedPaths,
)
from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Budget = Annotated[
    str,
    typer.Option(metavar="TIME", help="Begin nothing after this time (`90 s`); what is left out is drawn by --seed."),
]
Accept = Annotated[
    str | None,
    typer.Option(metavar="WHY", help="Take what is new into the reviewed record, with this reason, to be reviewed."),
]
Update = Annotated[bool, typer.Option("--update", hidden=True)]
Report = Annotated[
    str, typer.Option(metavar="DIR", help="Write its page and all of it as JSON into this folder of a report.")
]
Reports = Annotated[str, typer.Option(metavar="DIR", help="Write check.html and the pages of all parts into it.")]
Whole = Annotated[
    str,
    typer.Option(metavar="TIME", help="Shared out among the parts; what is left out is told. 0: no limit."),
]
Suite = Annotated[
    str, typer.Option(metavar="DIR", help="A folder laid out as that of the shipped scenarios, which is the default.")
]
Folder = Annotated[str, typer.Argument(help="The folder of a matrix; by default the one shipped.", show_default=False)]
Controls = Annotated[
    list[str] | None,
    typer.Option(
        "--control",
        metavar="ID",
        autocompletion=completing.controls,
        help="Only controls of this id, KIND/ID or KIND/ID@OCCASION; * works.",
    ),
]
Changed = Annotated[str, typer.Option(metavar="COMMIT", help="Try first what has changed since this commit, by git.")]
Misuses = Annotated[
    list[str] | None,
    typer.Option(
        "--misuse", metavar="NAME", autocompletion=completing.misuses, help="Only this misuse. May be repeated."
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method", metavar="NAME", autocompletion=completing.methods, help="Only this method. May be repeated."
    ),
]
Services = Annotated[
    list[str] | None,
    typer.Option("--service", metavar="NAME", help="The table of this service or path. May be repeated."),
]
Story = Annotated[str, typer.Option(metavar="MISUSE/METHOD", help="Print the story of a cell as a scenario, and end.")]
Honest = Annotated[bool, typer.Option("--honest", help="With --story: that of the rightful user.")]
Experiments = Annotated[
    list[str] | None, typer.Argument(help="Experiment files, or folders of them; by default those shipped.")
]
Cases = Annotated[
    list[str] | None,
    typer.Option("--match", metavar="TEXT", help="Only cases with this in their experiment, or their words."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the experiments: `fleet=1000`."),
]

Stories = Annotated[list[str] | None, typer.Argument(help="Base stories by name; by default all.", show_default=False)]
Changes = Annotated[
    list[str] | None, typer.Option("--change", metavar="NAME", help="Only this change. May be repeated.")
]
Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="NAME", help="Only this fault: abort, killed, killed-mme... May be repeated."),
]
Explored = Annotated[
    str, typer.Option("--folder", metavar="DIR", help="Where stories and changes are; by default those shipped.")
]
Runs = Annotated[int, typer.Option(metavar="N", min=0, help="At most so many runs, chosen by the seed.")]
Pairs = Annotated[
    int, typer.Option(metavar="N", min=0, help="So many runs more with two things put in, chosen by the seed.")
]
Points = Annotated[
    int, typer.Option(metavar="N", min=0, help="At most so many points of each story for each thing that is put in.")
]


def prove(
    paths: ShippedPaths = None,
    match: Match = None,
    control: Controls = None,
    changed: Changed = "",
    network: Network = "",
) -> Campaign:
    """Prove that the scenarios notice when a control is broken: each is made to admit all, then to refuse all.

    It is broken on each of its occasions alone. Exit code: 0 no mutant survives, 1 some do or a claim does not hold,
    2 a bad file or option, 3 a fault of ours, 4 nothing chosen or tried, 130 interrupted.
    """
    from simwarden.campaign.prove.campaign import Prove  # noqa: PLC0415
    from simwarden.cli.choosing import load_checked  # noqa: PLC0415
    from simwarden.cli.shipped import shipped  # noqa: PLC0415
    from simwarden.scenario.load import Loader  # noqa: PLC0415

    folders, loader = paths or [str(shipped())], Loader(network_file=network)
    return Prove(load_checked(loader, folders, match=match or ()), loader, folders, control or (), changed)


def coverage(paths: ShippedPaths = None, match: Match = None, network: Network = "") -> Campaign:
    """Show each requirement by the controls that enforce it and their outcomes, and what is open.

    Exit code: 0, or 1 if a scenario does not pass, 2 a bad file or option, 3 a fault of ours, 4 nothing chosen,
    130 interrupted.
    """
    from simwarden.campaign.coverage import Cover  # noqa: PLC0415
    from simwarden.cli.choosing import load_checked  # noqa: PLC0415
    from simwarden.cli.shipped import shipped  # noqa: PLC0415
    from simwarden.scenario.load import Loader  # noqa: PLC0415

    loader = Loader(network_file=network)
    return Cover(load_checked(loader, paths or [str(shipped())], match=match or ()), loader)


def matrix(  # noqa: PLR0917 - typer's way: an option is a parameter
    folder: Folder = "",
    misuse: Misuses = None,
    method: Methods = None,
    service: Services = None,
    story: Story = "",
    honest: Honest = False,  # noqa: FBT002 - a flag
) -> Campaign:
    """Try the same misuses against each method of restriction, alone and combined, and say what blocks and what leaks.

    Exit code: 0 all as reviewed, 1 something is not, or a method does not serve the rightful user, 2 a bad file or
    option, 3 a fault of ours, 130 interrupted.
    """
    from simwarden.campaign.matrix.survey import Cross  # noqa: PLC0415
    from simwarden.cli.shipped import plan_of  # noqa: PLC0415

    plan = plan_of(folder)
    if story:
        from simwarden.campaign.matrix.story import text_of  # noqa: PLC0415

        print(text_of(plan, story, honest=honest), end="")
        raise typer.Exit
    return Cross(plan, misuse or (), method or (), service or ())


def impact(
    paths: Experiments = None, match: Cases = None, settings: Settings = None, network: Network = ""
) -> Campaign:
    """Measure how late changes act, whom a failing decider hurts, and what each reject cause costs in signalling.

    Exit code: 0, or 1 if a figure is not the recorded one or a case gives none, 2 a bad file or option, 3 a fault of
    ours, 4 nothing chosen, 130 interrupted.
    """
    from simwarden.campaign.impact.campaign import Impact  # noqa: PLC0415
    from simwarden.cli.shipped import shipped  # noqa: PLC0415

    return Impact(paths or [str(shipped() / "impact")], match or (), settings or (), network)


def explore(  # noqa: PLR0917 - as above
    stories: Stories = None,
    change: Changes = None,
    fault: Faults = None,
    folder: Explored = "",
    runs: Runs = 0,
    pairs: Pairs = 0,
    points: Points = 0,
    network: Network = "",
) -> Campaign:
    """Try every change and every fault before every message of the base stories, and say what is not as it must be.

    Exit code: 0 all as reviewed, 1 something is not, or a change that nobody noticed, 2 a bad file or option, 3 a fault
    of ours, 4 nothing chosen, 130 interrupted.
    """
    from simwarden.campaign.explore.campaign import Explore  # noqa: PLC0415
    from simwarden.cli.shipped import shipped  # noqa: PLC0415

    root = folder or str(shipped() / "explore")
    return Explore(root, stories or (), change or (), fault or (), network, runs, pairs, points)


def _all(  # noqa: PLR0917 - as above
    jobs: Jobs = "auto",
    seed: Seed = 0,
    budget: Budget = "",
    json: Json = False,  # noqa: FBT002 - a flag
    accept: Accept = None,
    update: Update = False,  # noqa: FBT002 - a flag
    html: Html = "",
    report: Report = "",
) -> dict[str, Any]:
    """Return what all campaigns may be told."""
    accept = "" if update and accept is None else accept
    return {
        "jobs": jobs, "seed": seed, "budget": budget, "json": json, "accept": accept, "html": html, "report": report,
    }  # fmt: skip


def _command(make: Callable[..., Campaign]) -> Callable[..., None]:
    """Make a command of what makes a campaign: it is told what all are told, and carries the campaign out."""
    common = inspect.signature(_all, eval_str=True).parameters
    own = inspect.signature(make, eval_str=True)

    @friendly
    @wraps(make)
    def command(**given: Any) -> None:
        from simwarden.cli.campaigning import Asked, play  # noqa: PLC0415

        asked = Asked(**_all(**{name: given.pop(name) for name in common}))
        play(make(**given), asked)

    both = [*own.parameters.values(), *common.values()]
    command.__signature__ = own.replace(parameters=both, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in both}
    return command


_PARTS: dict[Callable[..., Campaign], str] = {
    prove: "Example: `simwarden prove scenarios -j auto --control 'hss/*'`",
    coverage: "Example: `simwarden coverage scenarios --html coverage.html`",
    matrix: "Example: `simwarden matrix --method hss-given --method none --html matrix.html`",
    impact: "Example: `simwarden impact -j auto --html impact.html`, or `simwarden impact --set fleet=1000`",
    explore: "Example: `simwarden explore attach --change barring`, `simwarden explore --runs 500`",
}
check = typer.Typer(
    invoke_without_command=True,
    epilog="Example: `simwarden check --budget '10 min' --report report`, `simwarden check matrix`",
)


@check.callback()
@friendly
def check_all(  # noqa: PLR0917 - as above
    ctx: typer.Context,
    folder: Suite = "",
    jobs: Jobs = "auto",
    seed: Seed = 0,
    budget: Whole = "5 min",
    json: Json = False,  # noqa: FBT002 - a flag
    html: Html = "",
    report: Reports = "",
) -> None:
    """Check what the scenarios are worth: coverage, matrix, impact, prove and explore in one budget, or one of them.

    Exit code: the worst of the parts: 0 all is well, 1 something is not, 2 a bad file or option, 3 a fault of ours,
    4 nothing tried, 130 interrupted.
    """
    if ctx.invoked_subcommand:
        for name in ctx.params:
            if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE":
                raise ConfigError(f"--{name} stands behind `{ctx.invoked_subcommand}`: it is an option of that part")
        return
    from simwarden.cli import campaigning  # noqa: PLC0415

    asked = campaigning.Asked(jobs=jobs, seed=seed, budget=budget, json=json, html=html, report=report)
    campaigning.check(list(_parts_of(folder)), asked)


def _parts_of(folder: str) -> Iterator[Campaign]:
    """Yield the campaigns that a folder of scenarios has, the one that spends what is left of a budget last."""
    from simwarden.campaign.coverage import Cover  # noqa: PLC0415
    from simwarden.campaign.prove.campaign import Prove  # noqa: PLC0415
    from simwarden.cli.choosing import load_checked  # noqa: PLC0415
    from simwarden.cli.shipped import shipped  # noqa: PLC0415
    from simwarden.scenario.load import Loader  # noqa: PLC0415

    root, loader = Path(folder) if folder else shipped(), Loader()
    jobs = load_checked(loader, [str(root)])
    yield Cover(jobs, loader)
    if (root / "matrix").is_dir():
        yield matrix(str(root / "matrix"))
    if (root / "impact").is_dir():
        yield impact([str(root / "impact")])
    yield Prove(jobs, loader, [str(root)])
    if (root / "explore").is_dir():
        yield explore(folder=str(root / "explore"))


def add_to(app: typer.Typer) -> None:
    """Add the commands: `check` with its parts, and each part by its own name."""
    app.add_typer(check, name="check")
    for make, epilog in _PARTS.items():
        command = _command(make)
        check.command(make.__name__, epilog=epilog)(command)
        app.command(make.__name__, epilog=epilog)(command)
