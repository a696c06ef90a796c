"""The words that a shell completes: they come from what is installed and shipped. Nothing is imported before a Tab."""

from __future__ import annotations


def names(incomplete: str) -> list[str]:
    """Complete what `explain` can explain."""
    from simwarden.cli.explaining import known_names  # noqa: PLC0415 - see the module

    return _fitting(known_names(), incomplete)


def tags(incomplete: str) -> list[str]:
    """Complete the tags of the shipped scenarios."""
    from simwarden.cli.shipped import stories  # noqa: PLC0415

    return _fitting(sorted({tag for story in stories() for tag in story.tags}), incomplete)


def controls(incomplete: str) -> list[str]:
    """Complete the ids of controls, and KIND/ID."""
    from simwarden.scenario.claims import points_of  # noqa: PLC0415
    from simwarden.scenario.registry import Registry  # noqa: PLC0415

    points = points_of(Registry.installed())
    return _fitting(sorted({*points, *(each.control.id for each in points.values())}), incomplete)


def misuses(incomplete: str) -> list[str]:
    """Complete the misuses of the shipped matrix."""
    return _of_the_matrix("misuses", incomplete)


def methods(incomplete: str) -> list[str]:
    """Complete the methods of the shipped matrix."""
    return _of_the_matrix("methods", incomplete)


def uses(incomplete: str) -> list[str]:
    """Complete the uses of cards of the guideline's appendix."""
    from simwarden.model.profile import uses as known  # noqa: PLC0415

    return _fitting(list(known()), incomplete)


def _of_the_matrix(what: str, incomplete: str) -> list[str]:
    from simwarden.cli.shipped import plan_of  # noqa: PLC0415

    return _fitting(list(getattr(plan_of(""), what)), incomplete)


def _fitting(words: list[str], incomplete: str) -> list[str]:
    return [each for each in words if each.startswith(incomplete)]
