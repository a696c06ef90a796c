"""The commented profile of each element is read as a scenario's part would be, and shows every setting."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simwarden.errors import UserFileError
from simwarden.scenario.load import Loader
from simwarden.scenario.reference.settings import settings_of
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.runtime.declare import Model

REGISTRY = Registry.installed()
_ROUTES = {
    f"signalling.routes.NAME.{each}": "others associate themselves with it; a comment shows it"
    for each in ("routing_context", "point_codes")
}
#: settings that a profile leaves out, and why
LEFT_OUT: dict[str, dict[str, str]] = {
    "eir": _ROUTES,
    "enb": {"cells[].cell": "its default is the place in the list; a comment shows it"},
    "hss": {
        **_ROUTES,
        "mismatch.result_code": "one answer stands there, which excludes the other",
        "withdrawn.result_code": "as above",
    },
    "intruder": {"signalling.routes": "a gsmSCF has none; a comment shows them", **_ROUTES},
    "pgw": {
        f"apns.NAME.{which}.NAME.filters[].{name}": "a filter of the example has no use for it; a comment names it"
        for which in ("bearers", "requests")
        for name in ("spi", "traffic_class", "flow_label")
    },
}


#: elements that a profile names, of those that no network has by itself
NAMED = {
    "cmp": ("sms_gateway", "pcrf", "ocs"),
    "platform": ("sms_gateway",),
    "sms_gateway": ("smsc", "cmp"),
    "ssp": ("pstn",),
}


def profile_of(kind: str) -> str:
    folder = Path(inspect.getfile(REGISTRY.kinds[kind])).parent
    return (folder / "profile.yaml").read_text(encoding="utf-8")


def as_scenario(kind: str, text: str) -> str:
    """A scenario in which the profile stands where its element's settings do, and those are there whom it names."""
    section = REGISTRY.declaration(kind).instances or "network"
    body = re.sub("^", "    ", text, flags=re.MULTILINE)
    steps = "steps: [{wait: 1 s}]"
    named = "".join(f"  {each}: {{}}\n" for each in NAMED.get(kind, ()))
    return f"scenario: A profile\n{section}:\n{named}  {kind}:\n    # its settings\n{body}\n{steps}\n"


def shown(value: Any, model: type[Model], above: str = "") -> Iterator[str]:
    """The paths of settings that a profile shows: `NAME` for the keys of a mapping that are names, `[]` for a list."""
    paths = {each.path for each in settings_of(model)}

    def walk(value: Any, path: str) -> Iterator[str]:
        if path:
            yield path
        if isinstance(value, dict):
            for key, inner in value.items():
                below = f"{path}.{key}" if path else key
                yield from walk(inner, below if below in paths else f"{path}.NAME")
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner, f"{path}[]")

    yield from walk(value, above)


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_the_profile_is_read_without_an_error(kind: str) -> None:
    scenario = Loader().load(f"{kind}/profile.yaml", as_scenario(kind, profile_of(kind)))
    assert scenario.instances[kind].kind == kind


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_an_unknown_key_in_a_profile_is_an_error(kind: str) -> None:
    with pytest.raises(UserFileError, match="no_such_setting"):
        Loader().load("profile.yaml", as_scenario(kind, profile_of(kind) + "\nno_such_setting: 1\n"))


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_the_profile_shows_every_setting(kind: str) -> None:
    declaration = REGISTRY.declaration(kind)
    there = set(shown(yaml.safe_load(profile_of(kind)) or {}, declaration.config))
    wanted = {each.path for each in settings_of(declaration.config)}
    assert wanted - there == LEFT_OUT.get(kind, {}).keys(), "show it in profile.yaml, or say here why it is left out"
