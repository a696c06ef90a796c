"""A limit of real time for what must not hang, which says where it hung."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class TimeUp(KeyboardInterrupt):
    """Real time is up; the text says where. A KeyboardInterrupt, since event loops swallow everything else."""


class Interrupted(TimeUp):
    """The user has ended the run."""


class _State:
    """State shared with the signal handler: the user has interrupted the run."""

    interrupted = False


def interrupt() -> None:
    """Raise Interrupted inside the block of `alarm` that runs, if any; for handlers of signals."""
    if signal.getsignal(signal.SIGALRM) is _ring:
        _State.interrupted = True
        signal.setitimer(signal.ITIMER_REAL, 1e-3)


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise TimeUp inside the block after so many real seconds. Outside the main thread there is no limit."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, frame: FrameType | None) -> None:
    interrupted, _State.interrupted = _State.interrupted, False
    raise Interrupted("interrupted") if interrupted else TimeUp(_where(frame))


def _where(frame: FrameType | None) -> str:
    """Name the innermost place of our own code, passing over the library's."""
    innermost = frame
    while frame is not None:
        file = frame.f_code.co_filename
        if ("simwarden" in file or "simulators" in file) and not file.endswith(("loop.py", "alarm.py")):
            return f"{file}:{frame.f_lineno} ({frame.f_code.co_qualname})"
        frame = frame.f_back
    return f"{innermost.f_code.co_filename}:{innermost.f_lineno}" if innermost else "an unknown place"
