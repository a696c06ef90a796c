"""Parts of files put together: what becomes of values, and where each of them is said to stand."""

from typing import Any

from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Spot, read


def _spot(text: str, file: str) -> Spot:
    return Spot(read(text, file, Problems()))


def _merged(*texts: str) -> tuple[Merged, list[str]]:
    problems = Problems()
    layers = [Layer(_spot(text, f"{number}.yaml") / "part", ("part",)) for number, text in enumerate(texts, 1)]
    merged = merge("all", layers, problems)
    return merged, [str(each) for each in problems.found]


def _part(*texts: str) -> Any:
    merged, wrong = _merged(*texts)
    assert not wrong
    return merged.data["part"]


def test_mappings_are_merged_key_by_key() -> None:
    assert _part("part: {a: {x: 1}}", "part: {a: {y: 2}, b: 3}") == {"a": {"x": "1", "y": "2"}, "b": "3"}


def test_nothing_takes_nothing_away() -> None:
    assert _part("part: {a: {x: 1}, b: }", "part: {a: , b: {y: 2}}") == {"a": {"x": "1"}, "b": {"y": "2"}}


def test_lists_follow_one_another_and_equal_ones_count_once() -> None:
    assert _part("part: {a: [1, 2]}", "part: {a: [2]}", "part: {a: [1, 2, 2]}") == {"a": ["1", "2", "2"]}


def test_parts_by_different_words_stand_beside_each_other() -> None:
    texts = "part: {binding: {by: x, a: 1}}", "part: {binding: {by: y}}", "part: {binding: {by: x, b: 2}}"
    assert _part(*texts) == {"binding": [{"by": "x", "a": "1", "b": "2"}, {"by": "y"}]}


def test_each_part_keeps_its_place() -> None:
    merged, _ = _merged("part: {binding: {by: x, a: 1}}", "part:\n  binding: {by: y}\n  more: {deep: 1}")
    top = Spot(merged) / "part"
    assert str((top / "binding" / 0 / "a").place) == "1.yaml:1:28"
    assert str((top / "binding" / 1 / "by").place) == "2.yaml:2:17"
    assert str((top / "more" / "deep").key) == "2.yaml:3:10"
    assert str((top / "more" / "not there").place) == "2.yaml:3:3"
    assert str((Spot(merged) / "elsewhere").place) == "all"


def test_what_contradicts_is_told_with_both_places() -> None:
    _, wrong = _merged("part: {a: {x: 1}}", "part: {a: {x: 2}}")
    assert wrong == ["2.yaml:1:15: x: '2' stands against '1' at 1.yaml:1:15"]


def test_a_layer_goes_where_it_is_told() -> None:
    problems = Problems()
    spot = _spot("devices: {meter: {compares: true}}", "m.yaml")
    layers = [
        Layer(_spot("devices: {thief: }", "s.yaml") / "devices", ("devices",)),
        Layer(spot / "devices" / "meter", ("devices", "thief")),
        Layer(spot / "cards", ("cards",)),
    ]
    assert merge("all", layers, problems).data == {"devices": {"thief": {"compares": "true"}}}
    assert not problems.found


def test_layers_are_left_as_they_were() -> None:
    first, second = _spot("part: {a: {x: 1}, l: [1]}", "1.yaml"), _spot("part: {a: {y: 2}, l: [2]}", "2.yaml")
    merge("all", [Layer(each / "part", ("part",)) for each in (first, second)], Problems())
    assert first.source.data == {"part": {"a": {"x": "1"}, "l": ["1"]}}
    assert second.source.data == {"part": {"a": {"y": "2"}, "l": ["2"]}}
