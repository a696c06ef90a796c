"""A story that could not fail, or that claims what it does not look at, is told before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = """\
scenario: A meter attaches
PROVES
cards: {card: {binding: {by: hss, imei: meter.imei}}, other: {}}
devices: {meter: {}, phone: {type: handset}}
steps:
"""
ATTACH = "- insert: {card: card, into: meter}\n- power_on: meter\n"
SERVED = ATTACH + "- expect: {meter: {attach: accepted}}\n"
ADMITTED = ATTACH + "- expect: {decision: {by: hss, control: bind.hss.given, verdict: admit}}\n"
IN_PHONE = "- insert: {card: card, into: phone}\n- power_on: phone\n"
REFUSED = f"""\
{IN_PHONE}- expect:
    phone: {{attach: rejected, emm_cause: EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED}}
    decision: {{by: hss, control: bind.hss.given}}
"""


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., str]:
    def validate(steps: str, proves: str = "", name: str = "story.yaml", **others: str) -> str:
        for each, text in others.items():
            (tmp_path / f"{each}.yaml").write_text(text)
        (tmp_path / name).write_text(HEAD.replace("PROVES", proves) + steps)
        try:
            Loader().validate(tmp_path / name)
        except SimwardenError as error:
            return str(error).replace(f"{tmp_path}/", "")
        return ""

    return validate


def test_a_story_in_which_nothing_is_expected_is_told(told: Callable[..., str]) -> None:
    assert told(ATTACH).startswith("story.yaml:5: nothing is expected: this passes whatever happens")
    assert told(SERVED) == ""


def test_what_never_should_be_before_anything_happens_is_told(told: Callable[..., str]) -> None:
    never = "- never: {meter: {attach: rejected}}\n"
    assert "story.yaml:6:19: nothing has happened yet that could be what never should be" in told(never + SERVED)
    assert "story.yaml:7" in told("- expect: {enb: {connected: any}}\n" + never + SERVED)
    assert told("- wait: 1 s\n" + never + SERVED) == told(SERVED + never) == ""


# -- claims

CLAIM = "proves: [bind.hss.given, %s]"


@pytest.mark.parametrize("claim", ["quota", "area.cell", "bind.operator", "reg.relay"])
def test_a_claim_that_no_decision_backs_is_told(told: Callable[..., str], claim: str) -> None:
    said = told(ADMITTED, CLAIM % claim)
    assert said.startswith(f"story.yaml:2:26: neither this file nor its twin expects a decision that proves {claim}")


def test_a_claim_of_a_plain_attach_names_the_controls_that_would_back_it(told: Callable[..., str]) -> None:
    said = told(SERVED, "proves: [area.cell]")
    assert said.startswith("story.yaml:2:10: neither this file")
    assert "its controls: area.cell" in said


def test_what_never_happens_and_what_another_element_decides_backs_nothing(told: Callable[..., str]) -> None:
    never = SERVED + "- never: {decision: {by: hss, control: bind.hss.given}}\n"
    assert "proves bind.hss.given" in told(never, "proves: [bind.hss.given]")
    other = SERVED + "- expect: {decision: {by: card, control: pre.form, verdict: admit}}\n"
    assert "proves bind.hss.given" in told(other, "proves: [bind.hss.given]")


def test_a_decision_backs_a_claim_in_the_file_in_its_twin_and_in_whose_twin_it_is(told: Callable[..., str]) -> None:
    claim = "proves: [bind.hss.given]"
    assert told(ADMITTED, claim) == ""
    twin = HEAD.replace("PROVES", claim) + SERVED
    assert told(REFUSED, f"{claim}\ntwin: served.yaml", served=twin) == ""
    assert told(SERVED, claim, name="served.yaml") == ""
    assert "proves bind.hss.given" in told(SERVED, claim, name="alone.yaml")


def test_a_claim_of_what_permits_needs_no_decision(told: Callable[..., str]) -> None:
    assert told(SERVED, "proves: [fn.voice.open]") == ""


# -- refusals that nobody would see

REBIND = "- rebind: {card: card, imei: phone.imei, approver: A, reason: B, form: C}\n"


@pytest.mark.parametrize(
    ("steps", "verb"),
    [
        (REBIND, "rebind"),
        (SERVED + REBIND, "rebind"),
        (f"{SERVED}- together: [{{power_off: meter}}, {{insert: {{card: card, into: phone}}}}]\n", "insert"),
        (f"{SERVED}- tau: meter\n  every: 1 min\n", "tau"),
        (f"{SERVED}- tau: meter\n- never: {{hss: {{binding: none}}}}\n", "tau"),
        (f"{SERVED}- power_on: phone\n- expect: {{eir: {{equipment: any}}}}\n", "power_on"),
        (f"{SERVED}{REBIND}- expect: {{s1-mme.attach-request: seen}}\n", "rebind"),
        (f"{SERVED}{REBIND}- expect: {{s6a.update-location-answer: {{result_code: 2001}}}}\n", "rebind"),
        (f"{ATTACH}{REBIND}- expect: {{meter: {{attach: accepted}}}}\n", "rebind"),
        (f"{SERVED}{REBIND}- expect: {{hss: {{binding: {{card: card}}}}}}\n", "rebind"),
        (f"{SERVED}{REBIND}- expect: {{hss: {{binding: {{imei: meter.imei}}}}}}\n", "rebind"),
        (f"{SERVED}{REBIND}- expect: {{decision: {{by: hss, control: hss.subscriber, verdict: admit}}}}\n", "rebind"),
        (f"{SERVED}{REBIND}- power_off: meter\n  expect: 'off'\n", "rebind"),
        (f"{SERVED}- tau: meter\n- expect: {{s1-mme.tracking-area-update-request: seen}}\n", "tau"),
        (f"{SERVED}- tau: meter\n- expect: {{meter: {{attach: accepted}}}}\n", "tau"),
        (f"{SERVED}- tau: meter\n- expect: {{decision: {{by: mme, card: other, verdict: admit}}}}\n", "tau"),
    ],
)
def test_a_verb_that_may_be_refused_unseen_is_told(told: Callable[..., str], steps: str, verb: str) -> None:
    said = told(steps if "expect" in steps else steps + "- expect: {enb: {s1: any}}\n")
    assert f"{verb} may be refused, and nothing would show it (" in said
    assert said.startswith("story.yaml:")


@pytest.mark.parametrize(
    "steps",
    [
        f"{REBIND}  expect: bound\n",
        f"{REBIND}- expect: {{hss: {{binding: {{card: card, imei: phone.imei}}}}}}\n",
        f"{REBIND}- expect: {{decision: {{by: hss, control: bind.operator, verdict: admit}}}}\n",
        f"{REBIND}{IN_PHONE}- expect: {{phone: {{attach: accepted}}}}\n",
        f"{SERVED}- tau: meter\n- expect: {{mme: {{session: {{card: card}}}}}}\n",
        f"{SERVED}- tau: meter\n- expect: {{s1-mme.tracking-area-update-accept: seen}}\n",
        f"{SERVED}- power_off: meter\n- power_on: meter\n- expect: {{meter: {{attach: accepted}}}}\n",
        f"{SERVED}- tau: meter\n  every: 1 min\n- wait: 1 h\n- expect: {{meter: {{tau: accepted}}}}\n",
        f"{SERVED}- tau: meter\n  every: 1 h\n- expect: {{enb: {{s1: any}}}}\n- expect: {{meter: {{tau: accepted}}}}\n",
    ],
)
def test_a_verb_whose_refusal_would_be_seen(told: Callable[..., str], steps: str) -> None:
    assert told(steps) == ""
