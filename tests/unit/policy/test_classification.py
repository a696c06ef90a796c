"""Tables 1 to 3 and 3.2: total, deterministic, and no riskier card is let off with less."""

from __future__ import annotations

from itertools import product

import pytest

from simwarden.model.form import FormFactor
from simwarden.model.profile import Assessment, Function, find_use, uses
from simwarden.policy.classification import Registration, classify, measures, scenes
from simwarden.policy.requirements import requirements

ALL = [Assessment(*facts) for facts in product((False, True), repeat=6)]


@pytest.fixture(autouse=True)
def rules_read_anew() -> None:
    """Have nothing told by what another test found."""
    classify.cache_clear()
    measures.cache_clear()


@pytest.mark.parametrize("each", ALL, ids=str)
def test_every_combination_has_one_place_and_its_reasons(each: Assessment) -> None:
    found = classify(each)
    assert found.table in (1, 2, 3)
    assert found.scene in range(1, 7)
    assert found.in_guideline == (each.functions in {tuple(Function), ("sms", "data"), ("data",)})
    assert all(demand.clauses for demand in found.demands)
    assert found.required <= set(measures())
    assert all(getattr(each, acts_on) for word in found.required if (acts_on := measures()[word].acts_on))
    assert each.data or found.scene == 2, "without data there is none that is undirected or large"
    classify.cache_clear()
    assert classify(each) == found  # as it was found before


@pytest.mark.parametrize("each", ALL, ids=str)
def test_the_rules_of_3_2_stand_above_the_tables(each: Assessment) -> None:
    needed = classify(each).required
    large = each.data and each.large
    assert not each.voice or "directed-voice" in needed
    assert not each.sms or "directed-sms" in needed
    assert not each.data or "quota" in needed
    assert not (large and each.directed) or {"binding", "blacklist"} <= needed
    assert not (large and not each.directed) or "card-form" in needed
    assert ("area" in needed) == each.fixed


def _at_least(low: Assessment, high: Assessment) -> bool:
    """Whether one card is at least as risky as another: more functions; data undirected, large; not fixed."""
    more = all(getattr(low, name) <= getattr(high, name) for name in ("voice", "sms", "data"))
    attributes = low.directed >= high.directed and low.large <= high.large and low.fixed >= high.fixed
    return more and attributes


def test_more_risk_never_means_less_care() -> None:
    pairs = [(low, high) for low, high in product(ALL, ALL) if _at_least(low, high)]
    assert len(pairs) == 3**6  # each of six facts: neither, both, or the riskier card alone
    strict = list(Registration)
    kept = {"directed-voice", "directed-sms", "quota", "monitoring"}
    for low, high in pairs:
        before, after = classify(low), classify(high)
        assert strict.index(before.registration) <= strict.index(after.registration), (low, high)
        assert _tie(before.required) <= _tie(after.required), (low, high)
        assert before.table >= after.table, (low, high)
        assert before.required & kept <= after.required, (low, high)


def _tie(required: frozenset[str]) -> int:
    """How firmly the card is tied to its terminal: not, by binding, or by its form."""
    return 2 if "card-form" in required else 1 if "binding" in required else 0


def test_a_registration_is_told_in_words_of_its_own() -> None:
    words = [each.words for each in Registration]
    assert [each.rpartition("registered to ")[2] for each in words] == [
        "the responsible unit and person",
        "the responsible unit and person",
        "the actual user, by real name",
    ]
    assert len(set(words)) == len(words)


def test_every_word_of_a_control_names_requirements_that_exist() -> None:
    for each in measures().values():
        assert set(each.requirements) <= set(requirements()), each
    assert [word for word, each in measures().items() if each.whole] == ["monitoring"]
    assert [word for word, each in measures().items() if each.each_function] == ["quota"]


def test_the_rows_of_the_tables_are_told_with_what_they_are_for() -> None:
    rows = list(scenes())
    assert len(rows) == 18
    attributes = {"directed": False, "large": False, "fixed": True}
    assert rows[10] == (2, 5, {"voice": False, "sms": True, "data": True, **attributes})
    assert "fixed" not in rows[0][2]


def test_there_are_27_uses_in_the_order_of_the_appendix() -> None:
    own = [each for each in uses().values() if not each.variant_of]
    clauses = [tuple(map(int, each.clause.removeprefix("appendix ").rstrip(")").split("("))) for each in own]
    assert len(own) == 27
    assert clauses == sorted(set(clauses))
    assert [sum(clause[0] == n for clause in clauses) for n in range(1, 9)] == [2, 7, 2, 4, 2, 4, 2, 4]


def test_every_use_is_told_in_full_and_its_names_are_its_own() -> None:
    names = [name for each in uses().values() for name in (each.name, each.alias, each.title_zh) if name]
    assert len(set(names)) == len(names)
    for each in uses().values():
        assert each.title, each
        assert each.why, each
        assert each.risk in ("low", "medium", "high"), each
        assert each.personal in ("yes", "no", "partly"), each
        assert each.assessment.data, each
        assert not set(each.optional) & set(each.assessment.functions), each
        assert find_use(each.title_zh) is each


@pytest.mark.parametrize("name", [*uses(), "meter", "environment", "tracker", "wearable", "car", "payment"])
def test_no_use_breaks_3_2(name: str) -> None:
    found = find_use(name)
    assert found is not None
    limited = found.form in (FormFactor.SOLDERED, FormFactor.EUICC, FormFactor.ODD_SHAPED)
    open_large = found.assessment.large and not found.assessment.directed
    assert limited or not open_large, "3.2(4)"


@pytest.mark.parametrize(
    ("name", "table", "scene"),
    [  # the last column of the tables, where it can be read
        ("elevator-alarm", 1, 1),
        ("personal-medical", 1, 2),
        ("parcel-locker", 1, 3),
        ("car-factory-fitted", 1, 4),
        ("personal-wearable", 1, 4),
        ("mobile-office", 1, 4),
        ("video-surveillance", 3, 1),
        ("industrial-collection-large", 2, 1),
        ("environmental-monitoring", 3, 2),
        ("smart-advertising", 3, 3),
        ("logistics-handheld", 2, 4),
        ("municipal-facilities", 3, 5),
        ("smart-metering", 2, 5),
        ("goods-tracking", 2, 6),
    ],
)
def test_a_use_stands_where_the_tables_name_it(name: str, table: int, scene: int) -> None:
    found = classify(uses()[name].assessment)
    assert (found.table, found.scene) == (table, scene)
