"""Where the command begins: Ctrl-C ends it from the first moment on, while all else is still being imported."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from simwarden.cli.main import main as run  # noqa: PLC0415 - see the module

    run()
