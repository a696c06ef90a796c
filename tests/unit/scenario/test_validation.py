"""Errors of values that may have several forms name the key and the value, never an alternative of the model."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from simwarden.runtime.content import Content  # noqa: TC001 - a field of a model
from simwarden.runtime.declare import Model
from simwarden.scenario.problems import Problems
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Spot, read


class Service(Model):
    """A model with unions."""

    answer: Literal["echo", "nothing"] | Content = "echo"
    ports: dict[int, str] = Field(default_factory=dict)
    both: Literal["one"] | str = ""  # noqa: PYI051 - each alternative has an error of its own


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("answer: {hex: zz}", ["1:15: hex: expected octets in hexadecimal digits, two each, got 'zz'"]),
        ("answer: {hexx: 00}", ["1:10: setting 'hexx' is not known (did you mean 'hex'?)"]),
        ("answer: {text: a, hex: '00'}", ["1:9: answer: expected text or hex, got both"]),
        (
            "answer: bla",
            [
                "1:9: answer: 'bla' is not one of echo, nothing",
                "1:9: answer: keys and values are expected, not 'bla'",
            ],
        ),
        ("ports: {x: a}", ["1:12: x: a whole number is expected, not 'x'"]),
        ("both: {a: b}", ["1:7: both: a mapping with a is not one of one", "1:7: both: a text is expected"]),
    ],
)
def test_errors_of_unions(text: str, said: list[str]) -> None:
    problems = Problems()
    spot = Spot(read(text, "f", problems))
    assert check(Service, spot.value, spot, problems, what="setting") is None
    assert len(problems.found) == len(said)
    for error, words in zip(problems.found, said, strict=True):
        assert f"f:{words}" in str(error)
