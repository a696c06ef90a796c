"""Exit codes, and errors told without tracebacks."""

from __future__ import annotations

import functools
import io
import os
import sys
from typing import TYPE_CHECKING, ParamSpec

import typer

from simwarden.errors import InternalError, NothingError, SimwardenError, UserFileError
from simwarden.plain import plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

PASSED, FAILED, USAGE, INTERNAL, NOTHING, INTERRUPTED = 0, 1, 2, 3, 4, 130


def friendly(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command tell a user's errors in a line each, and keep to the exit codes."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except InternalError as error:
            complain(str(error))
            raise typer.Exit(INTERNAL) from None
        except NothingError as error:
            complain(str(error))
            raise typer.Exit(NOTHING) from None
        except SimwardenError as error:
            complain(str(error))
            _annotate(error)
            raise typer.Exit(USAGE) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader (`head`, a pager) has seen enough; say nothing at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PASSED) from None

    return guarded


def _annotate(error: SimwardenError) -> None:
    if isinstance(error, UserFileError):
        from simwarden.cli.annotations import annotate  # noqa: PLC0415 - nothing is wrong mostly

        annotate(error)


def write_anywhere() -> None:
    """Write characters that an encoding of the terminal lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def complain(text: str) -> None:
    """Write to standard error, whoever may have put words into the text."""
    print(plain_lines(text), file=sys.stderr)


def show(text: str) -> None:
    """Write to standard output what files and peers may have put words into."""
    print(plain_lines(text), flush=True)
