"""Ctrl-C, SIGTERM and SIGHUP: what is done is written, nothing else is waited for, and no traceback is printed.

The handler ends the process itself. An exception that is raised wherever the program happens to be would pass through
other people's clean-up (a pool that waits for its processes, a loop, a destructor), which takes its time or prints.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from simwarden.cli.exits import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: SIGTERM is how a CI server, or `timeout`, ends what takes too long; SIGHUP tells that the terminal was closed
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _State:
    """What the handler has to know."""

    ours = 0
    held = 0
    pending = 0
    finish: Callable[[], str] | None = None
    stop: Callable[[], None] | None = None
    stopped = 0


def watch() -> None:
    """End the process at one of the signals from now on. Processes that it starts later leave that to it."""
    _State.ours = os.getpid()
    for number in _SIGNALS:
        if not is_by_nohup(number):
            signal.signal(number, _handle)


def is_by_nohup(number: int) -> bool:
    """Whether a signal is SIGHUP, and `nohup` or a shell has this process outlive its terminal."""
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def finishing(finish: Callable[[], str]) -> Iterator[None]:
    """Have `finish` called if the process is interrupted within; it returns what is said then.

    Output to a terminal that was closed fails at once (EIO), which may be before SIGHUP is handled: it is the same.
    """
    _State.finish = finish
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO and error.filename is None:
            _end(signal.SIGHUP)
        raise
    finally:
        _State.finish = None


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Have what is within end by itself at the first interruption: `stop` asks it to, and its processes are ended.

    The second ends all. `stopped` tells of the first.
    """
    _State.stop = stop
    try:
        yield
    finally:
        _State.stop = None


def stopped() -> int:
    """Return the exit code of the interruption that something has ended by itself for, 0 if there was none."""
    return _code(_State.stopped) if _State.stopped else 0


def _code(number: int) -> int:
    return INTERRUPTED if number == signal.SIGINT else 128 + number


@contextmanager
def held() -> Iterator[None]:
    """Put an interruption off until what is within is done: what `finish` uses must not be half done."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
        if _State.pending and not _State.held:
            _end(_State.pending)


def _handle(number: int, _frame: object) -> None:
    if os.getpid() != _State.ours:  # a process of ours that has just been made
        os._exit(128 + number)
    if _State.stop is not None:
        stop, _State.stop, _State.stopped = _State.stop, None, number
        stop()
        _say("interrupted; what was found is told, and once more ends it at once")
        threading.excepthook = lambda _: None  # a pool's thread stumbles over tasks that were cancelled (CPython 3.11)
        for process in multiprocessing.active_children():
            process.kill()
        return
    if _State.held:
        _State.pending = number
        return
    _end(number)


def _end(number: int) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    for process in multiprocessing.active_children():
        process.kill()
    said = "interrupted"
    try:
        if _State.finish is not None:
            said = _State.finish()
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends here
        said = f"interrupted; {error}"
    with suppress(OSError, RuntimeError):  # a stream that was being written to takes nothing more
        sys.stdout.flush()
    _say(said)
    os._exit(_code(number))


def _say(text: str) -> None:
    with suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "replace"))
