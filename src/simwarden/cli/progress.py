"""What `run` shows while it runs: a line a scenario, or those that did not pass; on a terminal a bar below them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from simwarden.cli.exits import show
from simwarden.plain import plain, plain_lines
from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from simwarden.scenario.result import ScenarioResult

_COLOURS = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "bold magenta",
}


class _Bar:
    """A bar on a terminal, and nothing in a pipe."""

    _EVERY = 50

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _start(self, total: int | None, *, stderr: bool) -> None:
        from rich import progress  # noqa: PLC0415 - not needed in a pipe
        from rich.console import Console  # noqa: PLC0415

        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("{task.description}"),
            console=Console(stderr=stderr),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=total)


class Progress(_Bar):
    """Prints results as they come: each of them, or only those that did not pass."""

    def __init__(self, total: int, *, lines: bool = True) -> None:
        super().__init__()
        self._total, self._lines, self._done = total, lines, 0

    def __enter__(self) -> Self:
        if sys.stdout.isatty() and self._total > 1:
            self._start(self._total, stderr=False)
        return self

    def done(self, result: ScenarioResult, told: str, stopped: str = "") -> None:
        """Show the result of one scenario: how its misuse was `stopped`, and why it did not pass."""
        self._done += 1
        line = f"{result.verdict.value:<12} {result.seconds:5.2f} s  {plain(result.name)}: {plain(result.title)}"
        line = f"{line}; {plain(stopped)}" if stopped else line
        shown = self._lines or result.verdict is not Verdict.PASSED
        if self._bar is None:
            self._in_a_pipe(line if shown else "", told)
            return
        from rich.text import Text  # noqa: PLC0415 - as above

        if shown:
            self._bar.print(Text(line, style=_COLOURS[result.verdict]))
        if told:
            self._bar.print(Text(f"\n{plain_lines(told)}\n"))
        self._bar.advance(self._task)

    def _in_a_pipe(self, line: str, told: str) -> None:
        if line:
            show(line)
        if told:
            show(f"\n{told}\n")
        if not self._lines and self._done % self._EVERY == 0:
            print(f"{self._done} of {self._total} scenarios", file=sys.stderr, flush=True)


class RunBar(_Bar):
    """Shows how many runs (or what else is counted) are done: a bar on a terminal, in a pipe a line now and then."""

    def __init__(self, counted: str = "runs") -> None:
        super().__init__()
        self._counted, self._told = counted, 0

    def tell(self, done: int, total: int, what: str) -> None:
        """Tell how many runs are done, of how many known of, and which was the last."""
        if not sys.stderr.isatty():
            if done // self._EVERY > self._told // self._EVERY or done == total:
                print(f"{done} of {total} {self._counted}", file=sys.stderr)
            self._told = done
            return
        if self._bar is None:
            # Processes start before this thread does: a run is told of only when it is done.
            self._start(None, stderr=True)
        self._bar.update(self._task, completed=done, total=total, description=what)
