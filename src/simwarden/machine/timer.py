"""What a machine says of its next timer."""

from __future__ import annotations

from typing import NamedTuple


class Timer(NamedTuple):
    """When `on_timer` is due; a keep-alive need not hold back a jump of virtual time."""

    deadline: float
    keep_alive: bool
