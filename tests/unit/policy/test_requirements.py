"""The data file of requirements: complete in itself, and what every control and scenario names."""

import re
from pathlib import Path

import pytest

from simwarden.policy.requirements import requirement, requirements
from simwarden.scenario.registry import Registry


def test_every_requirement_has_clause_titles_and_rule() -> None:
    assert len(requirements()) == 59
    for each in requirements().values():
        assert re.fullmatch(r"[1-4](\.\d)*(\(\d+\))?( (one|two|three|four))?([-,] ?([\d.]+|appendix))?", each.clause), (
            each
        )
        assert re.search("[\u4e00-\u9fff]", each.title_zh), each
        assert each.title, each
        assert each.rule, each


def test_what_permits_and_what_goes_beyond_is_marked() -> None:
    assert [each.id for each in requirements().values() if not each.restricts] == ["fn.voice.open", "fn.sms.open"]
    assert [each.id for each in requirements().values() if each.beyond] == ["bind.operator.own", "bind.card.applet"]


def test_an_unknown_id_is_an_error() -> None:
    assert requirement("bind.hss.learned").clause == "2.1.3(1) one"
    with pytest.raises(KeyError):
        requirement("bind.hss")


def test_every_control_serves_a_requirement() -> None:
    for found in Registry.installed().controls.values():
        for kind, control in found:
            assert control.requirement in requirements(), (kind, control.id)


def test_the_data_file_is_part_of_the_package() -> None:
    import simwarden.policy

    assert Path(simwarden.policy.__file__).with_name("requirements.toml").is_file()
