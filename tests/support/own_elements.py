"""The elements of this repository: tests judge these, and no elements of other installed packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

#: the packages whose entry points are ours
_OWN = {"simwarden", "simulators"}


def own_entry_points(*, group: str) -> list[EntryPoint]:
    """Return the entry points of a group that are ours."""
    return [each for each in entry_points(group=group) if each.module.partition(".")[0] in _OWN]
