"""The names that shipped scenarios had in the version before: each leads to the new name."""

from __future__ import annotations

import tomllib

import pytest
import shipped_cases
from typer.testing import CliRunner

from simwarden.cli.main import app

RENAMED = tomllib.loads((shipped_cases.SCENARIOS / "renamed.toml").read_text("utf-8"))


def test_every_new_name_is_that_of_a_shipped_scenario() -> None:
    new = [f"{folder.partition('/')[0]}/{name}" for folder, names in RENAMED.items() for name in names.values()]
    assert len(new) > 1500
    assert set(new) <= set(shipped_cases.names_in())
    assert len(set(new)) == len(new)


@pytest.mark.parametrize("form", ["{stem}", "{folder}-{stem}", "{folder}/{stem}.yaml"])
@pytest.mark.parametrize("folder", ["data", "binding/hss"])
def test_an_old_name_is_answered_with_the_new_one(form: str, folder: str) -> None:
    stem, new = next(iter(RENAMED[folder].items()))
    old = form.format(folder=folder if "/" in form else folder.replace("/", "-"), stem=stem)
    result = CliRunner().invoke(app, ["run", old])
    name = f"{folder.partition('/')[0]}/{new}".replace("/", "-")
    assert (result.exit_code, f"the scenario was renamed: `{name}`" in result.output) == (2, True)
    assert CliRunner().invoke(app, ["list", name]).exit_code == 0


def test_an_old_name_of_two_scenarios_is_answered_with_both() -> None:
    result = CliRunner().invoke(app, ["run", "buyer-changes-the-list"])
    assert (
        "`sms-list-management-change::customer` or `voice-list-management-change-rejected::customer`" in result.output
    )
