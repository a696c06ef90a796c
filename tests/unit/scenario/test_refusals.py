"""A refusal names who, why and its twin."""

from pathlib import Path
from typing import Any

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario.load import Loader
from simwarden.scenario.refusals import expects_refusal

HEAD = "scenario: moved\ntwin: twin.yaml\ncards: {card: }\ndevices: {meter: , phone: }\n"
TWIN = "scenario: twin\ncards: {card: }\ndevices: {meter: , phone: }\n"
STEPS = "steps:\n- insert: {card: card, into: %s}\n- power_on: %s\n"
REFUSED = (
    "- expect:\n    phone: {attach: rejected, emm_cause: 6}\n    decision: {by: gate, control: bind.hss.learned}\n"
)
BLOCK = HEAD + STEPS % ("phone", "phone") + REFUSED
SERVED = STEPS % ("meter", "meter") + "- expect: {meter: {attach: accepted}}\n"


@pytest.fixture
def judge(loader: Loader, tmp_path: Path) -> Any:
    def problems(block: str, twin: str | None = TWIN + SERVED) -> str:
        (tmp_path / "block.yaml").write_text(block)
        if twin is not None:
            (tmp_path / "twin.yaml").write_text(twin)
        try:
            loader.validate(tmp_path / "block.yaml")
        except SimwardenError as error:
            return str(error).replace(f"{tmp_path}/", "")
        return ""

    return problems


def test_a_twin_that_puts_one_name_for_another_is_fine(judge: Any) -> None:
    assert judge(BLOCK) == ""


@pytest.mark.parametrize(
    ("block", "twin", "said"),
    [
        (
            BLOCK.replace("twin: twin.yaml\n", ""),
            None,
            "block.yaml:1: a scenario that expects a refusal names its twin",
        ),
        (BLOCK, None, "block.yaml:2: twin twin.yaml does not exist"),
        (BLOCK, "scenario: t\nsteps: [fly: x]\n", "twin twin.yaml is not valid: "),
        (BLOCK, BLOCK.replace("moved", "t"), "twin twin.yaml expects a refusal itself"),
        (BLOCK, TWIN + STEPS % ("phone", "phone"), "does not differ"),
        (BLOCK.replace(", emm_cause: 6", ""), TWIN + SERVED, "a refusal names its cause"),
        (BLOCK.replace("emm_cause: 6", "emm_cause: none"), TWIN + SERVED, "a refusal names its cause"),
        (
            BLOCK.replace("control: bind.hss.learned}", "control: bind.hss.learned}\n    gate: {open: yes}").replace(
                ", emm_cause: 6", ""
            ),
            TWIN + SERVED,
            "a refusal names its cause",
        ),
        (
            BLOCK.replace("    decision: {by: gate, control: bind.hss.learned}\n", ""),
            TWIN + SERVED,
            "names its decision",
        ),
        (BLOCK.replace(", control: bind.hss.learned", ""), TWIN + SERVED, "names who decides and by which control"),
    ],
)
def test_what_is_wrong_with_a_twin(judge: Any, block: str, twin: str | None, said: str) -> None:
    assert said in judge(block, twin)


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        ("- expect: {meter: {attach: rejected}}", True),
        ("- never: {meter: {attach: rejected}}", False),
        ("- expect: {decision: {by: gate}}", True),
        ("- expect: {decision: {by: gate, verdict: admit}}", False),
        ("- power_on: meter\n  expect: refused", True),
        ("- manage: {element: gate, get: /}\n  expect: 403", True),
        ("- manage: {element: gate, get: /}\n  expect: 404", False),
    ],
)
def test_what_counts_as_a_refusal(loader: Loader, step: str, refusal: bool) -> None:  # noqa: FBT001
    assert expects_refusal(loader.load("s.yaml", f"scenario: s\ndevices: {{meter: }}\nsteps:\n{step}\n")) is refusal


def test_a_story_in_which_nothing_is_expected_is_told(judge: Any) -> None:
    assert judge(TWIN + STEPS % ("meter", "meter")).startswith("block.yaml:4: nothing is expected")
