"""The command line. Commands import what they need when they run, so that help comes at once."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from simwarden.cli import campaigns, completing, interrupts
from simwarden.cli.card_commands import ClassifyOrder, classify, numbers
from simwarden.cli.exits import Commands, friendly, write_anywhere
from simwarden.cli.options import (
    Form,
    Json,
    Level,
    LogForm,
    Match,
    Network,
    Order,
    RoleName,
    Seed,
    ShippedPaths,
    Tags,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

#: the commands as help shows them
_PANELS = {
    "Play": ("demo", "live", "run"),
    "Write": ("init", "validate", "list", "explain", "schema"),
    "Trust": ("check", "prove", "coverage", "matrix", "impact", "explore"),
    "Connect": ("serve", "export", "classify", "numbers", "doctor"),
    "Build": ("new-element", "reference"),
}


class _Panels(Commands):
    """Lists the commands by what one wants to do."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        for panel, names in _PANELS.items():
            for name in names:
                self.commands[name].rich_help_panel = panel  # type: ignore[attr-defined]
        return [name for names in _PANELS.values() for name in names]


app = typer.Typer(
    name="simwarden",
    cls=_Panels,
    help="The mobile network of IoT SIM cards on a laptop: simulated elements that speak 3GPP and really enforce.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[
    list[str], typer.Argument(help="Scenario files, folders of them, or names of shipped ones.", show_default=False)
]


def _command(examples: str, name: str | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Add a command, whose help ends with examples."""
    return lambda command: app.command(name, epilog=f"Example: {examples}")(friendly(command))


def run(**given: Any) -> None:
    """Run scenarios and report what became of them.

    Exit code: 0 all passed, 1 an expectation failed or could not be judged, 2 a bad file or option, 3 internal error,
    4 nothing chosen, 130 interrupted (the report has what is done).
    """
    from simwarden.cli.running import paths_of, run_suite  # noqa: PLC0415

    order = Order(**given)
    order = replace(order, paths=paths_of(order.paths or [], order.report, last_failed=order.last_failed))
    if order.watch:
        from simwarden.cli.watching import watch_suite  # noqa: PLC0415

        watch_suite(order)
    else:
        run_suite(order)


app.command("run", epilog="Example: `simwarden run scenarios -j auto --tag binding`")(signed(friendly(run), Order))
campaigns.add_to(app)


@_command("`simwarden demo`")
def demo(
    full: Annotated[bool, typer.Option("--full", help="Show also what the ladder folds away.")] = False,  # noqa: FBT002 - a flag
    seed: Seed = 0,
) -> None:
    """Show a card that was moved from a meter into a phone being refused: the ladder, and why."""
    from simwarden.cli.running import show_demo  # noqa: PLC0415

    show_demo(seed, full=full)


@_command("`simwarden live --open`")
def live(
    host: Annotated[str, typer.Option(help="The address it is bound to; elsewhere than here it wants a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: any that is free.")] = 8700,
    to_open: Annotated[bool, typer.Option("--open", help="Open it in a browser, where there is one.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Serve a page on which a person misuses a card and sees who says no, with which cause, by which clause."""
    from simwarden.cli.living import serve_live  # noqa: PLC0415

    serve_live(host, port, to_open=to_open)


@_command("`simwarden validate scenarios`")
def validate(
    paths: Paths,
    network: Network = "",
    json: Json = False,  # noqa: FBT002 - a flag
    fix: Annotated[bool, typer.Option("--fix", help="Rename words of the version before.")] = False,  # noqa: FBT002 - a flag
    to_print: Annotated[bool, typer.Option("--print", help="Print each case with its parameters replaced.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Check scenario files without running them: file, line and column of all that is wrong, and what was meant."""
    from simwarden.cli.checking import print_cases, validate_files  # noqa: PLC0415

    if to_print:
        print_cases(paths, network)
        return
    validate_files(paths, network, as_json=json, to_fix=fix)


@_command("`simwarden init my-first.yaml && simwarden run my-first.yaml`")
def init(
    path: Annotated[str, typer.Argument(help="The file to write; its twin is written beside it.")] = "first.yaml",
    use: Annotated[
        str,
        typer.Option(
            "--use", metavar="NAME", autocompletion=completing.uses, help="What the card is for: `smart-metering`."
        ),
    ] = "",
    misuse: Annotated[
        str,
        typer.Option("--misuse", metavar="NAME", autocompletion=completing.misuses, help="One of those of `matrix`."),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Write a first scenario that runs, with its twin, and the schema by which editors complete and check them."""
    from simwarden.cli.starting import write_first  # noqa: PLC0415

    write_first(path, force=force, use=use, misuse=misuse)


@_command("`simwarden list scenarios --tag binding`", name="list")
def list_(
    paths: ShippedPaths = None,
    tag: Tags = None,
    match: Match = None,
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List scenarios with their titles, tags and the requirements that they prove."""
    from simwarden.cli.checking import list_files  # noqa: PLC0415

    list_files(paths or [], tag or [], match or [], as_json=json)


@_command("`simwarden explain bind.hss.learned`, `simwarden explain s6a.update-location-answer`")
def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            autocompletion=completing.names,
            help="A requirement or clause, control, verb, element, observable, event, setting, key of a file, use of "
            "cards, interface, message, field of a message, cause, or a scenario file.",
        ),
    ],
    json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Say what a name means, wherever it comes from: the guideline, an element, a file, or a specification."""
    from simwarden.scenario.registry import uncollected  # noqa: PLC0415

    with uncollected():
        from simwarden.cli.explaining import explain_name  # noqa: PLC0415

        explain_name(name, as_json=json)


app.command(epilog="Example: `simwarden classify smart-metering`, `simwarden classify cards.csv`")(
    signed(friendly(classify), ClassifyOrder)
)
app.command(epilog="Example: `simwarden numbers cards.csv`")(numbers)


@_command("`simwarden schema > simwarden.schema.json`")
def schema(
    management: Annotated[
        str, typer.Option("--management", metavar="ELEMENT", help="Print the OpenAPI document of its management.")
    ] = "",
    role: Annotated[RoleName | None, typer.Option(help="Of what this role may call.")] = None,
) -> None:
    """Print the JSON Schema of scenario files, by which editors complete and check them; or an OpenAPI document."""
    from simwarden.cli.checking import print_schema  # noqa: PLC0415

    print_schema(management, role or "")


@_command("`simwarden new-element policy_server --speaks Gx`", name="new-element")
def new_element(
    name: Annotated[str, typer.Argument(help="What it is called in files: `policy_server`.", show_default=False)],
    speaks: Annotated[
        str,
        typer.Option(
            metavar="POINT", help="The reference point that it serves: Gx, Gy, S13 or S6a.", show_default=False
        ),
    ],
    folder: Annotated[str, typer.Option("--in", metavar="FOLDER", help="Where to; by default a folder NAME.")] = "",
) -> None:
    """Write a package with a new element that works: control, store, management, stories, tests.

    It is your own: simwarden finds it by its entry point once it is installed (`pip install -e NAME`).
    """
    from simwarden.cli.building import write_element  # noqa: PLC0415

    write_element(name, speaks, folder)


@_command("`simwarden reference docs`")
def reference(
    folder: Annotated[str, typer.Argument(help="The folder that the pages are written into.")] = "docs",
    check: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is not as it would be written.")
    ] = False,
) -> None:
    """Write the reference pages: what each installed element declares, and the causes of each refusal.

    They are elements.md, a page for each under elements/, classification.md, and causes.md (the shipped scenarios run).
    """
    from simwarden.cli.referring import write_reference  # noqa: PLC0415

    write_reference(folder, check=check)


@_command("`simwarden doctor`")
def doctor() -> None:
    """List what is installed, what is missing, and what each enables."""
    from simwarden.cli.starting import examine  # noqa: PLC0415

    examine()


@_command("`simwarden serve hss --config hss.yaml`")
def serve(
    element: Annotated[str, typer.Argument(help="The element's name in the network (`hss`).")],
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="Settings, addresses, store, peers, tokens.")],
    vpcd: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--vpcd", help="Put the card into the virtual reader of pcscd (file key `reader`: elsewhere)."),
    ] = False,
    log: Annotated[LogForm, typer.Option(help="How lines on standard error are written.")] = LogForm.CONSOLE,
    level: Annotated[Level, typer.Option(help="From which level on; `debug`: what is admitted too.")] = Level.INFO,
) -> None:
    """Run one element alone, on real sockets and the real clock, until SIGTERM or Ctrl-C."""
    from simwarden.cli.serving_process import serve_element  # noqa: PLC0415

    serve_element(element, config, vpcd=vpcd, form=log, level=level)


@_command("`simwarden export scenarios/demo --element hss --format csv`")
def export(  # noqa: PLR0917 - as above
    paths: Paths,
    element: Annotated[str, typer.Option(metavar="NAME", help="The external element.")] = "hss",
    form: Annotated[Form, typer.Option("--format", help="How to write them.")] = "yaml",
    network: Network = "",
    seed: Seed = 0,
    stand_ins: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--stand-ins", help="Also the cards without bindings that `prove` puts in their place.")
    ] = False,
    settings: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--settings", help="In their place the element's settings: codes, gateways, accounts...")
    ] = False,
) -> None:
    """Print the subscribers that an external element must hold for these scenarios, with their keys and lists."""
    from simwarden.cli.exporting import export_settings, export_subscribers  # noqa: PLC0415

    if settings:
        export_settings(paths, element, form, network)
        return
    export_subscribers(paths, element, form, network, seed, stand_ins=stand_ins)


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002 - a flag
) -> None:
    if version:
        from simwarden import __version__  # noqa: PLC0415

        print(f"simwarden {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    # What is loaded and what a trace keeps is no garbage: looking for it at each 700 objects takes a fifth of the time.
    gc.set_threshold(10_000, 20, 50)
    gc.freeze()
    gc.enable()
    write_anywhere()
    interrupts.watch()
    app()
