"""The words that a shell completes: they come from what is installed and shipped. Nothing is imported before a Tab."""

from __future__ import annotations


def names(incomplete: str) -> list[str]:
    """Complete what `explain` can explain."""
    from simwarden.cli.explaining import known_names  # noqa: PLC0415 - see the module

    return _fitting(known_names(), incomplete)


def tags(incomplete: str) -> list[str]:
    """Complete the tags of the shipped scenarios."""
    import yaml  # noqa: PLC0415

    from simwarden.cli.shipped import shipped  # noqa: PLC0415
    from simwarden.scenario import suite  # noqa: PLC0415

    found: set[str] = set()
    for job in suite.find([str(shipped())]):
        with open(job.path, encoding="utf-8") as file:  # noqa: PTH123 - the loader checks far more than is asked here
            found.update(*(yaml.safe_load(line)["tags"] for line in file if line.startswith("tags: [")))
    return _fitting(sorted(found), incomplete)


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
