"""Invariant: any text is a scenario or a SimwardenError with a place; never another exception."""

import copy
from collections.abc import Iterator
from typing import Any

import budget
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import SimwardenError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems
from simwarden.scenario.refusals import check_refusals

GOOD = yaml.load(
    """
    scenario: s
    proves: [bind.hss.learned]
    twin: t.yaml
    network: {gate: {delay: 1}, gate2: {type: gate, external: {S6a: 'h:1'}}}
    cards: {card: {imsi: 001010000000001, form: esim, binding: [{by: gate, imei: meter.imei}, {by: sim}]}}
    devices: {meter: {type: module}, phone: }
    steps:
    - insert: {card: card, into: meter}
    - power_on: meter
      expect: accepted
    - manage: {element: gate, as: customer, put: '/cards/{card.imsi}/binding', body: {imei: meter.imei}}
      expect: {refused: {by: gate, control: bind.operator}}
    - wait: 3 s
    - expect:
        within: 1 s
        meter: {attach: rejected, emm_cause: 6}
        gate: {binding: [{card: card}, {device: meter}]}
        s6a.update-location-answer: {experimental_result: 5001}
        decision: [{by: gate, control: bind.hss.learned, card: card, details: {seen: x}}]
    - never: {gate: {binding: none}}
    """,
    yaml.BaseLoader,  # noqa: S506 - the loader that makes texts only
)
WORDS = (
    "",
    "x",
    "meter",
    "card",
    "gate",
    "bind.hss.learned",
    "none",
    "off",
    "meter.imei",
    "{card.x}",
    "1",
    "s6a.x",
    "\u0000",
)
leaves = st.sampled_from(WORDS) | st.text(max_size=6)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(leaves, inner, max_size=2), max_leaves=4
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


PLACES = [path for path in places(GOOD) if path]


def load(loader: Loader, text: str) -> None:
    try:
        scenario = loader.load("story.yaml", text)
    except SimwardenError as error:
        if "story.yaml" not in str(error):
            pytest.fail(f"no place: {error}")
    else:
        check_refusals(scenario, Problems())


@settings(max_examples=budget.examples(300))
@given(path=st.sampled_from(PLACES), value=values, rename=st.booleans())
def test_one_part_replaced(loader: Loader, path: tuple[Any, ...], value: Any, *, rename: bool) -> None:
    data = copy.deepcopy(GOOD)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    if rename and isinstance(inner, dict) and isinstance(value, str):
        inner[value] = inner.pop(path[-1])
    else:
        inner[path[-1]] = value
    load(loader, yaml.safe_dump(data, allow_unicode=True))


@given(text=st.text(max_size=60) | st.text(alphabet="abc:-{}[]#&*!|>'\" \n", max_size=60))
def test_any_text(loader: Loader, text: str) -> None:
    load(loader, text)
    load(loader, "scenario: s\nsteps:\n" + text)


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
CIRCLE = "a: &x [*x]\nscenario: s\nsteps: *x\n"


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "[" * 1000000, CIRCLE, LAUGHS], ids=range(5))
def test_deep_and_circular(loader: Loader, text: str) -> None:
    load(loader, text)
