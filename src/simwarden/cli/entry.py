"""Where the command begins: Ctrl-C ends it from the first moment on, while all else is still being imported."""

from __future__ import annotations

import atexit
import gc
import signal


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # nothing that is imported is garbage
    atexit.register(gc.freeze)  # nor does it matter what is at the end, when all of it goes
    from simwarden.cli.main import main as run  # noqa: PLC0415 - see the module

    run()
