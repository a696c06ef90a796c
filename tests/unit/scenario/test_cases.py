"""Scenario files with parameters: what their cases are, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import ConfigError, UserFileError
from simwarden.scenario import suite
from simwarden.scenario.cases import CaseFile, headings_in, outline_of
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems, ScenarioErrors, across_cases
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.yamlfile import read

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
scenario: HSS rejects a card bound to $terminal.says in a phone
proves: [bind.hss.learned]
tags: [binding]
set: {device: phone}
vary:
  terminal:
    meter: {says: a meter, device: {type: module}, extra: {use: gas-meter}}
    camera: {says: a camera, device: {type: module}}
cards:
  card: {profile: meter, binding: {by: hss, learn: first-use}}
devices:
  bound: $terminal.device
  phone: {type: handset}
given: {attached: {bound: card}}
steps:
  - power_off: bound
  - move: {card: card, to: $device}
  - power_on: $device
    name: attach
    expect: rejected
  - expect:
      phone: {emm_cause: EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED}
      hss: {binding: {card: card, imei: bound.imei}}
      decision: {by: hss, control: bind.hss.learned, card: card}
  - wait: 1 min
twin:
  scenario: HSS serves a card in $terminal.says that it is bound to
  proves: []
  set: {device: bound}
  from: attach
  expect: accepted
  steps:
    - expect: {mme: {session: {card: card, imei: bound.imei}}}
""".replace(", extra: {use: gas-meter}", "")


def case_file(text: str, most: int = 12) -> CaseFile:
    problems = Problems()
    made = CaseFile(read(text, "F", problems), problems, most=most)
    made.check()
    return made


def document(text: str, name: str = "") -> dict[str, Any]:
    made = case_file(text)
    case = made.find(name)
    assert case is not None, [each.name for each in made.all_cases]
    problems = Problems()
    data: dict[str, Any] = made.document(case, problems).data
    problems.raise_if_any()
    assert not made.problems.found
    return data


def wrong(text: str) -> list[str]:
    made = case_file(text)
    found = [*made.problems.found]
    for case in made.all_cases:
        problems = Problems(case.name)
        made.document(case, problems)
        found += problems.found
    return [str(each) for each in found]


def test_each_word_makes_a_case_and_each_case_has_its_twin(tmp_path: Path) -> None:
    (tmp_path / "moved.yaml").write_text(TEXT)
    jobs = suite.find([str(tmp_path)])
    assert [job.name for job in jobs] == [
        "moved::meter",
        "moved::meter-twin",
        "moved::camera",
        "moved::camera-twin",
    ]
    loader = Loader()
    scenarios = [loader.validate(job.reference) for job in jobs]
    assert [each.title for each in scenarios[:3]] == [
        "HSS rejects a card bound to a meter in a phone",
        "HSS serves a card in a meter that it is bound to",
        "HSS rejects a card bound to a camera in a phone",
    ]
    assert scenarios[0].twin == jobs[1].reference
    assert [run_scenario(each, "moved", RunOptions()).verdict for each in scenarios] == [Verdict.PASSED] * 4


def test_a_case_is_found_by_its_reference_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "moved.yaml"
    file.write_text(TEXT)
    assert [job.name for job in suite.find([f"{file}::camera"])] == ["moved::camera"]
    with pytest.raises(ConfigError, match=r"has no case 'camra' \(did you mean 'camera'\?\)"):
        suite.find([f"{file}::camra"])
    with pytest.raises(UserFileError, match=r"has several cases; which one\? \(known: meter, meter-twin, camera"):
        Loader().load(file)


def test_a_twin_shares_the_steps_before_and_has_its_own_after() -> None:
    text = "scenario: a\nset: {x: 1}\nsteps: [{a: $x}, {b: 2, name: here, expect: no}, {c: 3}]\n"
    twin = "twin: {scenario: b, set: {x: 9}, from: here, expect: yes, steps: [{d: $x}]}\n"
    assert document(text + twin)["steps"] == [{"a": "1"}, {"b": "2", "name": "here", "expect": "no"}, {"c": "3"}]
    made = document(text + twin, "twin")
    assert made["steps"] == [{"a": "9"}, {"b": "2", "name": "here", "expect": "yes"}, {"d": "9"}]
    assert made["scenario"] == "b"
    assert document(text + "twin: {scenario: b, set: {x: 9}, tags: [own]}\n", "twin")["tags"] == ["own"]
    without = "twin: {scenario: b, without: here}\n"
    assert document(text + without, "twin")["steps"] == [{"a": "1"}, {"c": "3"}]


def test_a_twin_that_sets_an_axis_is_the_twin_of_all_its_words() -> None:
    text = "scenario: a\nvary: {x: [p, q], y: [r, s]}\nsteps: [{a: $x}, {b: $y}]\n"
    made = case_file(text + "twin: {scenario: b, set: {x: other}}\n")
    assert [case.name for case in made.all_cases] == ["p-r", "r-twin", "p-s", "s-twin", "q-r", "q-s"]
    twins = [made.twin_of(case) for case in made.cases]
    assert [twin.name for twin in twins if twin] == ["r-twin", "s-twin", "r-twin", "s-twin"]
    assert document(text + "twin: {scenario: b, set: {x: other}}\n", "s-twin")["steps"] == [{"a": "other"}, {"b": "s"}]


def test_given_devices_are_attached_before_the_first_step() -> None:
    made = document("scenario: a\ngiven: {attached: {meter: card, phone: other}}\nsteps: [{wait: 1 s}]\n")
    assert made["steps"] == [
        {"insert": {"card": "card", "into": "meter"}},
        {"power_on": "meter", "expect": "accepted"},
        {"insert": {"card": "other", "into": "phone"}},
        {"power_on": "phone", "expect": "accepted"},
        {"wait": "1 s"},
    ]


def test_with_inserts_keys_and_a_list_its_entries() -> None:
    names = "set: {m: {x: 1, y: $n}, n: 2, l: [{p: 1}, {q: $n}]}\n"
    text = f"scenario: a\n{names}steps: [{{v: {{a: 0, with: $m}}}}, $l, {{w: $m.x}}]\n"
    assert document(text)["steps"] == [{"v": {"a": "0", "x": "1", "y": "2"}}, {"p": "1"}, {"q": "2"}, {"w": "1"}]


def test_texts_take_words_and_values_and_two_dollars_are_one() -> None:
    text = (
        'scenario: "costs $$5, $way and $n"\nset: {n: 2}\nvary: {way: {by-tls: {port: 443}}}\nsteps: [{p: $way.port}]\n'
    )
    assert document(text, "by-tls") == {"scenario": "costs $5, by-tls and 2", "steps": [{"p": "443"}]}


def test_a_parameter_may_stand_for_another_one() -> None:
    text = """\
scenario: a
set: {what: $way.what, base: {k: 1}, more: {with: $base, l: $way.size}}
vary: {way: {one: {what: {with: $base, m: 2}, size: 3, items: [{b: 1}, {c: 2}]}}}
steps: [{a: $what.m, with: $what}, $way.items, {e: $more}]
"""
    (case,) = case_file(text.replace("a: $what.m", "a: x$what.m")).all_cases
    made = case_file(text.replace("a: $what.m", "a: x$what.m")).document(case, Problems()).data
    assert made["steps"] == [{"a": "x2", "k": "1", "m": "2"}, {"b": "1"}, {"c": "2"}, {"e": {"k": "1", "l": "3"}}]


def test_a_twin_in_another_file_may_differ_by_case() -> None:
    text = "scenario: a\nvary: {way: {one: {other: x.yaml, k: 1}}}\ntwin: $way.other\nsteps: [{a: $way.k}]"
    file = case_file(text)
    file.check()
    assert (file.problems.found, file.document(file.cases[0], Problems()).data["twin"]) == ([], "x.yaml")


def test_a_grid_excludes_cases() -> None:
    text = "scenario: a\nvary: {x: [p, q], y: [r, s]}\nexclude: [{x: p, y: r}, {y: s}]\nsteps: [{a: $x}, {b: $y}]\n"
    assert [case.name for case in case_file(text).cases] == ["q-r"]


HEAD = "scenario: a\nsteps: [{b: 1, name: here}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("set: {x: 1}\n" + HEAD, "F:1:7: $x is used nowhere"),
        ("vary: {x: [p]}\n" + HEAD, "F:1:8: $x is used nowhere"),
        ("vary: {x: {p: {k: 1, j: 2}}}\nscenario: a\nsteps: [$x.k]", "F:1:22: $x.j is used nowhere"),
        ("scenario: a\nset: {size: 1}\nsteps: [{a: $sise}, {b: $size}]", "F:3:13: $sise is not known (did you"),
        ("scenario: a\nset: {x: {k: 1}}\nsteps: [{a: $x.j}, $x]", "F:3:13: $x.j: j is not known (known: k)"),
        ("scenario: a\nset: {x: $y, y: $x}\nsteps: [{a: $x}]", "$x stands within its own value"),
        ("scenario: a\nset: {x: {k: 1}}\nsteps: [{a: b $x}]", "F:3:13: $x is no text, and stands within one"),
        ("scenario: a\nset: {x: 1}\nsteps: [{a: {with: $x}}]", "F:3:20: with: $x is '1', and no mapping"),
        ("scenario: a\nset: {x: {k: 1}}\nsteps: [{a: {k: 2, with: $x}}]", "with: $x has the key 'k', which stands"),
        ("set: 3\n" + HEAD, "F:1:6: set: names with their values are expected, not '3'"),
        ("vary: {x: 3}\n" + HEAD, "F:1:11: x: words, or words with what they stand for, are expected, not '3'"),
        ("scenario: a\nset: {x: 1}\nvary: {x: [p]}\nsteps: [$x]", "F:3:8: x is a name in `set` already"),
        ("scenario: a\nvary: {x: [a b, a-b]}\nsteps: [$x]", "F:2:1: vary: 2 cases would be called 'a-b'"),
        ("scenario: a\nset: {y: 1}\nvary: {x: [p, p-twin]}\nsteps: [$x, $y]\ntwin: {scenario: b, set: {y: 2}}",
         "F:3:1: vary: 2 cases would be called 'p-twin'"),
        ("scenario: a\nsteps: [{b: 1, name: here}, {b: 2, name: here}]\ntwin: {scenario: b, without: here}",
         "F:2:42: name: another step is called 'here'"),
        ("scenario: a\nsteps: [{b: 1, name: {k: 1}}]\ntwin: {scenario: b, without: here}", "F:2:22: name: a text is"),
        ("scenario: a\nvary: {x: [twin]}\nsteps: [$x]", "x: 'twin' cannot name a case"),
        ("scenario: a\nvary: {x: [p]}\nexclude: [{x: q}]\nsteps: [$x]", "F:3:15: exclude: x has no word 'q' (known:"),
        ("scenario: a\nvary: {x: [p]}\nexclude: [{y: p}]\nsteps: [$x]", "F:3:12: exclude: axis 'y' is not known"),
        ("scenario: a\nvary: {x: [p, q]}\nexclude: [{x: p}, {x: p}]\nsteps: [$x]", "F:3:19: exclude: there is no such"),
        ("scenario: a\nset: {x: meter}\nsteps: [{a: $x.imei}]", "F:3:13: $x.imei: the value is a text here, and has"),
        ("scenario: a\nvary: {x: [p]}\nexclude: [{x: p}]\nsteps: [$x]", "exclude: no case is left"),
        ("scenario: a\nvary: {x: [" + ", ".join("abcdefghijklm") + "]}\nsteps: [$x]", "vary: 13 cases are too many"),
        (HEAD + "twin: {scenario: b}", "F:3:1: twin: say where it differs (by set, without or from)"),
        (HEAD + "twin: {without: here}", "twin: it has a title of its own"),
        (HEAD + "twin: {scenario: b, without: her}", "no step of this file is called 'her' (did you mean 'here'?"),
        ("scenario: a\nsteps: []\ntwin: {scenario: b, from: here}", "no step of this file is called 'here'"),
        ("scenario: a\nsteps: [$x]\ntwin: {scenario: b, from: here}", "no step of this file is called 'here'"),
        (HEAD + "twin: {scenario: b, without: here, expect: x}", "expect: say from which step on"),
        (HEAD + "twin: {scenario: b, from: here, stepps: []}", "key 'stepps' is not known (did you mean 'steps'?)"),
        (HEAD + "twin: {scenario: b, from: here}", "F:3:21: from: the twin expects nothing from there on"),
        (HEAD + "twin: {scenario: b, from: here, steps: {c: 1}}", "F:3:40: steps: a list of steps is expected, not a"),
        (HEAD + "twin: {scenario: b, set: {z: 1}}", "parameter 'z' is not known"),
        ("scenario: a\nset: {x: 1, y: 2}\nsteps: [$x, $y]\ntwin: {scenario: b, set: {x: 3, y: 4}}", "twin differs"),
        ("scenario: a\ngiven: {attached: card}\nsteps: []", "F:2:8: given: `attached: {DEVICE: CARD}` is expected"),
        ("scenario: a\ngiven: {registered: {}}\nsteps: []", "key 'registered' is not known"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is_written(text: str, told: str) -> None:
    assert any(told in each for each in wrong(text)), wrong(text)


@pytest.mark.parametrize("value", ["[{}]", "[{}, {}]", "x{}x{}"])
def test_parameters_that_grow_without_end_are_an_error(value: str) -> None:
    names = [f"p{number}: {value.replace('{}', f'$p{number + 1}')}" for number in range(60)]
    text = f"scenario: a\nset: {{{', '.join(names)}, p60: x}}\nsteps: [{{a: $p0}}]\n"
    with pytest.raises(UserFileError, match="is nested too deep, or grows too large by its parameters"):
        document(text)


def test_combinations_without_number_are_an_error() -> None:
    axes = ", ".join(f"a{number}: [{', '.join(f'w{each}' for each in range(10))}]" for number in range(9))
    steps = ", ".join(f"$a{number}" for number in range(9))
    said = wrong(f"scenario: a\nvary: {{{axes}}}\nsteps: [{steps}]\n")
    assert said == ["F:2:1: vary: 1000000000 combinations are too many (at most 10000)"]


def test_an_error_of_one_case_names_the_case(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        TEXT.replace("camera: {says: a camera, device: {type: module}}", "camera: {says: a, device: {typ: module}}")
    )
    Loader().load(f"{file}::meter")
    with pytest.raises(UserFileError, match=r"a\.yaml:8:\d+: .*typ.*in the case camera\)"):
        Loader().load(f"{file}::camera")


def test_an_error_of_all_cases_is_reported_once(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT.replace("power_off", "powr_off"))
    loader = Loader()
    found: list[UserFileError] = []
    names = [case.name for case in loader.case_file(str(file)).all_cases]
    for name in names:
        with pytest.raises(ScenarioErrors) as error:
            loader.validate(f"{file}::{name}")
        found += error.value.problems
    assert [str(each) for each in across_cases(found, names)] == [
        f"{file}:16:5: verb 'powr_off' is not known (did you mean 'power_off'?)"
    ]
    (some,) = across_cases(found, [*names, "other"])
    assert str(some).endswith("; in the cases meter, meter-twin, camera and 1 more)")


def test_an_error_of_a_key_names_its_place_and_not_that_of_the_parameter(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT.replace("power_on: $device", "powr_on: $device"))
    with pytest.raises(UserFileError, match=r"a\.yaml:18:5: verb 'powr_on' is not known"):
        Loader().load(f"{file}::meter")


def test_an_unknown_parameter_is_the_only_error_of_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT.replace("wait: 1 min", "wait: $tim"))
    with pytest.raises(UserFileError) as error:
        Loader().validate(f"{file}::meter")
    assert str(error.value) == f"{file}:25:11: $tim is not known (known: device, terminal; in the case meter)"


def test_a_twin_that_expects_the_refusal_of_its_case_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT[: TEXT.index("  from: attach")])
    for name in ("meter", "meter-twin"):
        with pytest.raises(UserFileError, match=r"twin: it expects a refusal itself \(add from: NAME") as error:
            Loader().validate(f"{file}::{name}")
        assert error.value.place is not None
        assert error.value.place.line == 26, str(error.value)


@pytest.mark.parametrize(("key", "written"), [("vary", "varry"), ("set", "sett"), ("given", "givn")])
def test_a_misspelt_key_of_parameters_is_the_only_error(key: str, written: str) -> None:
    with pytest.raises(UserFileError) as error:
        Loader().load("F", TEXT.partition("twin:")[0].replace(f"\n{key}:", f"\n{written}:"))
    assert f"key '{written}' is not known (did you mean '{key}'?)" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_misspelt_steps_is_named_once() -> None:
    with pytest.raises(UserFileError) as error:
        Loader().load("F", "scenario: a\nset: {x: 1}\nstepps: [{wait: $x}]\n")
    assert str(error.value) == "F:3:1: key 'stepps' is not known (did you mean 'steps'?)"


def test_an_outline_has_the_cases_and_titles_of_the_whole() -> None:
    assert [each.name for each in outline_of(TEXT, "F").all_cases] == [each.name for each in case_file(TEXT).all_cases]
    titles = {name: heading["scenario"] for name, heading in headings_in(TEXT, "F").items()}
    assert titles["meter-twin"] == "HSS serves a card in a meter that it is bound to"


def test_no_report_shows_a_key_of_another_case(tmp_path: Path) -> None:
    keys = ["00112233445566778899aabbccddeef0", "ff112233445566778899aabbccddeef1"]
    text = TEXT.replace("profile: meter", "profile: meter, k: $terminal.secret")
    for name, key in zip(("meter", "camera"), keys, strict=True):
        text = text.replace(f"says: a {name},", f'says: a {name}, secret: "{key}",')
    (tmp_path / "a.yaml").write_text(text)
    assert set(Loader().load(f"{tmp_path}/a.yaml::meter").keys) == set(keys)
