"""The bypass matrix: stories made of misuses and methods, judged by their traces, held against a reviewed file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.campaign.grid import Order
from simwarden.campaign.html_pages import render
from simwarden.campaign.matrix.campaign import Crossing, Matrix, check_stories, told
from simwarden.campaign.matrix.outcome import State
from simwarden.campaign.matrix.plan import Plan, read_plan
from simwarden.campaign.matrix.story import story_of
from simwarden.campaign.record import NAME, Record
from simwarden.campaign.tables import print_table
from simwarden.errors import ConfigError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

#: ways past the MME, which no refusal there closes
APART = ("2g", "gprs", "nb-iot")
#: by a terminal of 2G, so that no refused attach closes them
CALLS = ("mo-call", "mt-call")
SHIPPED = Path(__file__).parents[4] / "scenarios" / "matrix"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(SHIPPED, Registry.installed())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A matrix of one's own, to be changed."""
    return shutil.copytree(SHIPPED, tmp_path / "matrix")


def change(folder: Path, file: str, old: str, new: str) -> Plan:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return read_plan(folder, Registry.installed())


def survey(
    plan: Plan,
    switches: dict[str, str] | None = None,
    order: Order | None = None,
    *,
    misuses: Sequence[str] = (),
    methods: Sequence[str] = (),
) -> Matrix:
    matrix = Matrix(plan, misuses, methods, switches=switches or {})
    matrix.carry_out(order or Order())
    return matrix


def cell(plan: Plan, misuse: str, method: str, switches: dict[str, str] | None = None) -> Crossing:
    return survey(plan, switches, misuses=[misuse], methods=[method]).cells[misuse, method]


def said_in(matrix: Matrix) -> list[str]:
    return [each.what for each in matrix.findings()]


# -- what becomes of misuses


@pytest.mark.parametrize(
    ("misuse", "method", "outcome"),
    [
        ("phone", "none", "leaked"),
        ("silent", "none", "leaked"),
        ("silent", "mme-identity", "blocked by mme/mme.terminal-identity, EMM #6"),
        ("phone", "form-soldered", "blocked by uicc/pre.form"),
        ("module", "card-interlock", "blocked by device/bind.card"),
        ("phone", "card-interlock", "leaked"),
        ("clone", "card-applet", "blocked by uicc/bind.card.applet, Conditions of use not satisfied"),
        ("tau", "hss-given", "blocked by hss/bind.hss.given, EMM #8"),
        ("tau", "hss-lazy-mme", "leaked"),
        ("phone", "cmp-grace", "leaked 2 h, then blocked by cmp/bind.cmp, EMM #6"),
        ("phone", "cmp-records", "leaked 10 h, then blocked by cmp/bind.cmp.records"),
        ("area", "area-zones", "blocked by mme/area.zones, EMM #12"),
        ("s1-ho", "area-cell", "blocked by mme/area.cell, radioNetwork: ho-target-not-allowed"),
        ("liar", "movable", "leaked"),
        ("liar", "everything", "blocked by uicc/pre.form"),
    ],
)
def test_a_cell_says_who_blocked_it_and_what_was_told(plan: Plan, misuse: str, method: str, outcome: str) -> None:
    found = cell(plan, misuse, method)
    assert told(found.attach) == outcome
    assert not found.unserved
    assert not found.faults


@pytest.mark.parametrize(
    ("misuse", "method", "switch"),
    [
        ("phone", "hss-given", "hss/bind.hss.given"),
        ("clone", "card-applet", "uicc/bind.card.applet"),
        ("module", "card-interlock", "device/bind.card"),
        ("area", "area-cell", "mme/area.cell"),
        ("phone", "cmp-records", "cmp/bind.cmp.records"),
        ("phone", "form-soldered", "uicc/pre.form"),
    ],
)
def test_a_control_that_admits_all_opens_the_cell(plan: Plan, misuse: str, method: str, switch: str) -> None:
    assert cell(plan, misuse, method).attach.state in {State.BLOCKED, State.DELAYED}
    assert cell(plan, misuse, method, {switch: "always-admit"}).attach.state is State.LEAKED


def test_with_one_layer_off_the_next_one_blocks(plan: Plan) -> None:
    both, one = cell(plan, "phone", "hss+cmp"), cell(plan, "phone", "hss+cmp", {"cmp/bind.cmp": "always-admit"})
    assert [both.attach.refusals[0].point, one.attach.refusals[0].point] == ["cmp/bind.cmp", "hss/bind.hss.given"]


def test_a_method_that_refuses_the_rightful_is_told(plan: Plan) -> None:
    switches = {"hss/bind.hss.given": "always-refuse"}
    matrix = survey(plan, switches, misuses=["early"], methods=["hss-given"])
    assert [each.method for each in matrix.cells.values() if each.unserved] == ["hss-given"]
    assert any("does not serve the legitimate user (early)" in line for line in said_in(matrix))
    assert any("hss #8!" in line for table in matrix.tables() for line in print_table(table))


def test_services_behind_a_refused_attach_fall_with_it_and_a_path_past_it_does_not(plan: Plan) -> None:
    found = cell(plan, "phone", "hss-given").outcomes
    assert {name for name, each in found.items() if each.state is State.NO_ATTACH} == set(found) - {
        "attach",
        *CALLS,
        *APART,
    }
    assert {found[name].refusals[0].point for name in CALLS} == {"hss/bind.hss.given"}
    assert {found[name].state for name in APART} == {State.NOT_BUILT}
    assert found["data"].refusals[0].point == "hss/bind.hss.given"


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("pcrf-list", "blocked by pgw/data.whitelist"),
        ("pcrf-list-unmatched", "leaked"),
        ("ocs-quota", "blocked by pgw/data.quota"),
        ("ocs-continue", "leaked"),
        ("ocs-offline-rules", "leaked"),
        ("pcrf-slower", "leaked"),
    ],
)
def test_a_service_is_blocked_by_what_refuses_it_and_not_by_what_the_attach_went_through(
    plan: Plan, method: str, data: str
) -> None:
    found = cell(plan, "phone", method).outcomes
    lines = {name: told(found[name]) for name in ("attach", "data", "second-apn")}
    assert lines == {"attach": "leaked", "data": data, "second-apn": "blocked by mme/mme.apn, ESM #33"}


def test_what_is_not_built_says_what_is_missing(plan: Plan) -> None:
    found = cell(plan, "phone", "none").outcomes
    assert found["data"].state is State.LEAKED
    assert found["s10"].state is State.NOT_BUILT
    assert "context transfer" in found["s10"].missing
    assert "an APN ims" in found["ims"].missing
    assert "MSC/VLR" in found["msc-sms"].missing
    assert (found["mo-sms"].state, found["mt-sms"].state) == (State.LEAKED, State.LEAKED)
    assert found["foreign-sc"].refusals[0].point == "mme/sms.centre"
    assert found["second-apn"].state is State.BLOCKED
    assert found["second-apn"].refusals[0].point == "mme/mme.apn"
    assert cell(plan, "area", "none").outcomes["second-apn"].refusals[0].point == "mme/mme.apn"


def test_a_path_that_is_subscribed_leaks(copy: Path) -> None:
    plan = change(
        copy,
        "misuses/phone.yaml",
        "card: {}",
        "card: {functions: [voice, data], csi: {kinds: []}, subscription: {apns: [{name: iot}, {name: '*'}]}}",
    )
    assert cell(plan, "phone", "none").outcomes["second-apn"].state is State.LEAKED


def test_a_service_whose_elements_came_wants_a_probe(copy: Path) -> None:
    lacking = "    lacking: an MSC/VLR behind SGs, and MAP at HSS and SMSC\n"
    plan = change(copy, "services.yaml", f"needs: [sgs]\n{lacking}", "needs: [ssp]\n")
    outcome = cell(plan, "phone", "none").outcomes["msc-sms"]
    assert (outcome.state, outcome.missing) == (State.NOT_BUILT, "a probe")


# -- stories that do not work


def test_a_story_that_does_not_get_to_the_misuse_is_broken(copy: Path) -> None:
    plan = change(copy, "misuses/phone.yaml", "{attach: accepted}", "{attach: rejected}")
    outcome = cell(plan, "phone", "none").attach
    assert outcome.state is State.BROKEN
    assert "phone.yaml:22" in outcome.missing


def test_no_service_without_a_control_that_says_so_is_unexplained(copy: Path) -> None:
    plan = change(
        copy,
        "misuses/phone.yaml",
        "      - power_on: phone\n",
        "      - power_on: phone\n      - power_off: phone\n",
    )
    change(copy, "services.yaml", "- wait: 2 h\n- service_request: $user\n", "- wait: 2 h\n")
    matrix = survey(read_plan(copy, Registry.installed()), misuses=["phone"], methods=["none"])
    assert plan.misuses["phone"].value("misuse", "user") == "phone"
    assert matrix.cells["phone", "none"].attach.state is State.UNEXPLAINED
    assert any("phone/none, attach: unexplained" in line for line in said_in(matrix))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("methods.yaml", "of: [card-applet, hss-given]", "of: [card-aplet, hss-given]", "did you mean 'card-applet'?"),
        ("methods.yaml", "requires: [pre.form]", "requires: [pre.from]", "requirement 'pre.from' is not known"),
        ("methods.yaml", "misuses: [phone", "misuses: [fone", "methods.yaml:5:11: misuse 'fone' is not known"),
        ("methods.yaml", "title: Area by cells", "titel: Area by cells", "key 'titel' is not known"),
        ("services.yaml", "services:", "sevices:", "services: names with what they are are expected"),
        ("services.yaml", "apart: true", "apart: perhaps", "apart"),
        ("misuses/phone.yaml", "misuse: The", "misus: The", "phone.yaml:1:1: key 'misus' is not known"),
        (
            "misuses/phone.yaml",
            "    legitimate:",
            "    legit:",
            "a misuse has vary: {use: {misuse: {...}, legitimate: {...}}}",
        ),
        ("misuses/phone.yaml", "$use.act", "$use.actt", "a misuse has 'steps', with $use.act among them"),
        ("misuses/phone.yaml", "steps:", "stops:", "a misuse has 'steps'"),
        (
            "misuses/tau.yaml",
            "  data: the address",
            "  third-apn: a way\n  data: the address",
            "service 'third-apn' is not known",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(copy: Path, file: str, old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as error:
        change(copy, file, old, new)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("methods.yaml", "{binding: {by: hss, imei: meter.imei}}", "{binding: {by: hsss}}", "'hsss' is not known"),
        ("methods.yaml", "of: [hss-given, cmp-eir]", "of: [hss-given, hss-learned]", "imei, or learn"),
        (
            "methods.yaml",
            "of: [hss-given, cmp-eir]",
            "of: [cmp-s13, cmp-grace, form-odd, form-soldered]",
            "stands against",
        ),
        ("misuses/swap.yaml", "- pull_out: card", "- pullout: card", "swap.yaml:13:9: verb 'pullout' is not known"),
        ("misuses/swap.yaml", "foothold: {phone", "foothold: {fone", "nothing here is called 'fone'"),
        (
            "misuses/tau.yaml",
            "foothold: {phone: {tau: accepted, card: card}",
            "foothold: {decision: {by: hss}",
            "a foothold is",
        ),
    ],
)
def test_what_is_wrong_with_a_story_is_told_where_it_was_written(
    copy: Path, file: str, old: str, new: str, said: str
) -> None:
    plan = change(copy, file, old, new)
    with pytest.raises(ScenarioErrors) as error:
        check_stories(plan)
    assert said in str(error.value)
    assert f"{copy / file}:" in str(error.value)


def test_a_folder_that_is_no_matrix_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no matrix is here"):
        read_plan(tmp_path, Registry.installed())


def test_the_shipped_stories_are_good(plan: Plan) -> None:
    check_stories(plan)


def test_what_a_method_does_to_the_meter_it_does_to_one_of_its_make(plan: Plan) -> None:
    story = story_of(plan, plan.misuses["module"], plan.methods["card-interlock"], Loader())
    devices = story.source.data["devices"]
    assert devices["module"]["compares"] == devices["meter"]["compares"] == "true"


# -- the whole, and the reviewed file

SOME: dict[str, Any] = {"misuses": ["phone", "area"], "methods": ["none", "hss-given", "area-cell"]}


@pytest.fixture(scope="module")
def some(plan: Plan) -> Matrix:
    return survey(plan, **SOME)


def test_the_number_of_processes_changes_nothing(plan: Plan, some: Matrix) -> None:
    assert survey(plan, order=Order(workers=2), **SOME).data() == some.data()


def test_the_shipped_review_holds(some: Matrix) -> None:
    assert (some.is_reviewed, some.differences) == (True, [])


def test_a_bypass_that_is_opened_is_a_difference(copy: Path) -> None:
    plan = read_plan(copy, Registry.installed())
    matrix = survey(plan, {"hss/bind.hss.given": "always-admit"}, **SOME)
    (difference,) = matrix.differences
    assert difference.what.endswith(": phone/hss-given: a bypass has been opened")
    assert difference.lines[0].startswith("- expected  blocked by hss/bind.hss.given, EMM #8;")
    assert difference.lines[1].startswith("+ got       leaked;")
    assert "- expected  blocked by hss/bind.hss.given" in render(matrix)


def test_without_a_record_nothing_is_compared_and_a_new_one_holds(copy: Path) -> None:
    (copy / NAME).unlink()
    matrix = survey(read_plan(copy, Registry.installed()), **SOME)
    assert (matrix.is_reviewed, matrix.differences) == (False, [])
    assert matrix.accept("it was new") == [copy / NAME]
    entries = Record(copy / NAME).load().by_case.values()
    assert [each.why for each in entries] == ["it was new"] * len(matrix.cells)
    assert (matrix.is_reviewed, matrix.differences) == (True, [])


def test_what_there_was_no_time_for_is_left_out_and_told(plan: Plan) -> None:
    matrix = survey(plan, order=Order(until=0.0))
    assert (matrix.cells, matrix.left, matrix.differences) == ({}, len(plan.misuses) * len(plan.methods), [])
    assert f"; {matrix.left} cells left out for lack of time" in matrix.line


def test_a_cell_that_is_no_more_is_told(copy: Path) -> None:
    plan = read_plan(copy, Registry.installed())
    plan.misuses = {name: plan.misuses[name] for name in SOME["misuses"]}
    plan.methods = {name: plan.methods[name] for name in SOME["methods"]}
    differences = survey(plan).differences
    assert differences
    assert {each.lines[1] for each in differences} == {"+ got       no such case"}


def test_the_page_shows_each_cell_and_runs_nothing(some: Matrix) -> None:
    page = render(some)
    assert page.count('class="panel"') == len(some.cells)
    assert 'id="hss-given.phone"' in page
    assert "<script" not in page
    assert "Attach reject, EMM cause 8" in page
