"""A wrong command line ends with one line, which names the command."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup

from simwarden.cli.exits import complain


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
