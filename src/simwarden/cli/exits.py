"""Exit codes, and errors told without tracebacks."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, ParamSpec

import typer

from simwarden.errors import InternalError, SimwardenError

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
        except SimwardenError as error:
            complain(str(error))
            raise typer.Exit(USAGE) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader (`head`, a pager) has seen enough; say nothing at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PASSED) from None

    return guarded


def complain(text: str) -> None:
    """Write to standard error."""
    print(text, file=sys.stderr)
