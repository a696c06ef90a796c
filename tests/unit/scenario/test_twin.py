"""A refusal names who, why and its twin; the twin differs in one fact."""

from pathlib import Path
from typing import Any

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario.load import Loader
from simwarden.scenario.twin import expects_refusal

HEAD = "scenario: moved\ntwin: twin.yaml\ncards: {card: }\ndevices: {meter: , phone: }\n"
TWIN = "scenario: twin\ncards: {card: }\ndevices: {meter: , phone: }\n"
STEPS = "steps:\n- insert: {card: card, into: %s}\n- power_on: %s\n"
REFUSED = (
    "- expect:\n    phone: {attach: rejected, emm_cause: 6}\n    decision: {by: gate, control: bind.hss.learned}\n"
)
BLOCK = HEAD + STEPS % ("phone", "phone") + REFUSED
ADMITTED = "- expect: {decision: {by: gate, control: bind.hss.learned, verdict: admit}}\n"
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
    "twin",
    [
        TWIN + "steps:\n- insert: {card: card, into: phone}\n- wait: 1 s\n- power_on: phone\n",
        TWIN.replace("{card: }", "{card: {profile: car}}") + STEPS % ("phone", "phone"),
        TWIN.replace("phone: }", "phone: , third: }") + STEPS % ("third", "third"),
        TWIN + "network: {gate: {delay: 1}}\n" + STEPS % ("phone", "phone") + "- wait: 1 h\n",
        TWIN + "steps:\n- stop: gate\n- insert: {card: card, into: phone}\n- start: gate\n- power_on: phone\n",
    ],
)
def test_other_single_facts(judge: Any, twin: str) -> None:
    assert judge(BLOCK, twin + ADMITTED) == ""


@pytest.mark.parametrize(
    "shown",
    [
        "- expect: {phone: {attach: accepted}}\n",
        "- expect: {meter: {attach: accepted}}\n",
        ADMITTED,
    ],
)
def test_a_twin_that_shows_that_it_goes_well(judge: Any, shown: str) -> None:
    assert judge(BLOCK, TWIN + STEPS % ("meter", "phone") + shown) == ""


@pytest.mark.parametrize(
    "shown",
    [
        "- wait: 1 s\n",
        "- never: {phone: {attach: rejected}}\n",
        # so it is where nothing was switched on
        "- expect: {phone: {emm_cause: none}}\n",
        "- expect: {phone: {attach: none}}\n",
        "- expect: {gate: {open: yes}}\n",
        "- expect: {card: {imsi: card.imsi}}\n",
        "- expect: {decision: {by: gate, control: bind.operator, verdict: admit}}\n",
    ],
)
def test_a_twin_that_does_nothing_that_could_fail(judge: Any, shown: str) -> None:
    """As one in which the card is inserted, and nothing is switched on."""
    lazy = TWIN + "steps:\n- insert: {card: card, into: phone}\n" + shown
    assert "twin twin.yaml does not show that what is refused here goes well there" in judge(BLOCK, lazy)


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
        (BLOCK, TWIN + STEPS % ("phone", "phone") + "- stop: gate\n", "does not differ"),
        (
            BLOCK,
            TWIN + "steps:\n- wait: 1\n- insert: {card: card, into: phone}\n- stop: gate\n- power_on: phone\n",
            "in 2 facts",
        ),
        (
            BLOCK,
            TWIN.replace("{card: }", "{card: {profile: car}}") + SERVED,
            "differs in 2 facts, not one: cards.card.profile",
        ),
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


LATER = HEAD + STEPS % ("meter", "meter") + "- expect: {meter: {attach: accepted}}\n" + "- power_on: phone\n" + REFUSED


@pytest.mark.parametrize(
    ("twin", "fine"),
    [
        # the story up to the refused part, which goes well long before
        (STEPS % ("meter", "meter") + ADMITTED, False),
        (STEPS % ("meter", "meter") + ADMITTED + "- power_on: meter\n- wait: 1 s\n", False),
        (STEPS % ("meter", "meter") + ADMITTED + "- power_on: meter\n" + ADMITTED, True),
        # one fact before it that counts for all
        (STEPS % ("phone", "meter") + ADMITTED + "- power_on: phone\n" + ADMITTED, True),
        ("- insert: {card: card, into: meter}\n- power_on: phone\n" + ADMITTED, True),
    ],
)
def test_what_goes_well_before_the_refused_part_shows_nothing(judge: Any, twin: str, fine: bool) -> None:  # noqa: FBT001
    twin = twin if twin.startswith("steps") else f"steps:\n{twin}"
    assert ("does not show that what is refused here goes well there" not in judge(LATER, TWIN + twin)) is fine


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        ("- expect: {meter: {attach: rejected}}", True),
        ("- never: {meter: {attach: rejected}}", False),
        ("- expect: {decision: {by: gate}}", True),
        ("- expect: {decision: {by: gate, verdict: admit}}", False),
        ("- power_on: meter\n  expect: refused", True),
        ("- manage: {element: gate, path: /}\n  expect: 403", True),
        ("- manage: {element: gate, path: /}\n  expect: 404", False),
    ],
)
def test_what_counts_as_a_refusal(loader: Loader, step: str, refusal: bool) -> None:  # noqa: FBT001
    assert expects_refusal(loader.load("s.yaml", f"scenario: s\ndevices: {{meter: }}\nsteps:\n{step}\n")) is refusal
