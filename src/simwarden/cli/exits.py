"""Exit codes, and errors told without tracebacks."""

from __future__ import annotations

import codecs
import functools
import io
import os
import sys
from typing import TYPE_CHECKING, Any, ParamSpec

import typer
from typer.core import TyperGroup

from simwarden.errors import InternalError, NothingError, SimwardenError, UserFileError
from simwarden.plain import plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

#: what ladders and messages draw with, and what stands for it in ASCII
_DRAWN = dict(zip("│─▶◀⋮✓✗•×…→–", "|-><:vx*x.>-", strict=True))
_DRAWN_TABLE = str.maketrans(_DRAWN)

PASSED, FAILED, USAGE, INTERNAL, NOTHING, INTERRUPTED = 0, 1, 2, 3, 4, 130
_CODES: dict[type[SimwardenError], int] = {InternalError: INTERNAL, NothingError: NOTHING, SimwardenError: USAGE}


def friendly(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command tell a user's errors in a line each, and keep to the exit codes."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SimwardenError as error:
            complain(str(error))
            if isinstance(error, UserFileError):
                from simwarden.cli.annotations import annotate  # noqa: PLC0415 - nothing is wrong mostly

                annotate(error)
            raise typer.Exit(next(code for kind, code in _CODES.items() if isinstance(error, kind))) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader (`head`, a pager) has seen enough; say nothing at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PASSED) from None

    return guarded


def write_anywhere() -> None:
    """Write what an encoding of the terminal lacks (`LC_ALL=POSIX`): ladders in ASCII, other texts as escapes."""
    codecs.register_error("simwarden", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="simwarden")


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    if any(each not in _DRAWN for each in wrong):
        return codecs.backslashreplace_errors(error)
    return wrong.translate(_DRAWN_TABLE), error.end


def complain(text: str) -> None:
    """Write to standard error, whoever may have put words into the text."""
    print(plain_lines(text), file=sys.stderr)


def show(text: str) -> None:
    """Write to standard output what files and peers may have put words into."""
    print(plain_lines(text), flush=True)


class Commands(TyperGroup):
    """A group that reports an error of usage in one line; typer and click, by version, frame them otherwise."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Carry the command line out; end the process with its exit code unless that is not `standalone_mode`."""
        if not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except Exception as error:
            # typer has its errors from click, or from a copy of it, by version
            if not hasattr(error, "format_message"):
                raise
            code = _report(error)
        sys.exit(code)


def _report(error: Any) -> int:
    if type(error).__name__ != "NoArgsIsHelpError":  # it has printed the help
        context = getattr(error, "ctx", None)
        command = " ".join(context.command_path.split()[1:]) if context is not None else ""
        complain(": ".join(filter(None, (command, " ".join(error.format_message().split())))))
    return int(error.exit_code)
