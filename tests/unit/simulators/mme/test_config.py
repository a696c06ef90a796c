"""Settings, the example profile, the table of causes, and small helpers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from simulators.mme import config as mme_config
from simulators.mme.causes import EXPERIMENTAL_RESULTS, RESULT_CODES, CauseTable, describe_result
from simulators.mme.config import MmeConfig
from simulators.mme.contexts import Terminal
from simulators.mme.element import Mme
from simulators.mme.procedures.identification import read_terminal
from simulators.mme.procedures.security_mode import choose_algorithms
from simwarden.model.identity import Plmn, Tai
from simwarden.policy.requirements import requirements
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode, answer_to, request
from simwarden.wire.nas.elements import UeNetworkCapability
from simwarden.wire.nas.enums import EmmCause


def _plain(value: Any) -> Any:
    """What a YAML file with strings for scalars, as ours are read, holds."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_profile_shows_every_default() -> None:
    text = Path(mme_config.__file__).with_name("profile.yaml").read_text(encoding="utf-8")
    shown = yaml.safe_load(text)
    assert MmeConfig.model_validate(_plain(shown)) == MmeConfig()

    def keys(model: Any, part: dict[str, Any]) -> None:
        assert set(part) == set(type(model).model_fields)
        for name, inner in part.items():
            if hasattr(type(getattr(model, name)), "model_fields"):
                keys(getattr(model, name), inner)

    keys(MmeConfig(), shown)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"security": {"integrity": [0]}}, "EIA1 and EIA2 are the integrity algorithms"),
        ({"security": {"ciphering": [3]}}, "EEA0"),
        ({"causes": {"unreachable": "nonsense"}}, "nonsense is no EmmCause"),
        ({"timers": {"t3412": "5 h"}}, "less than or equal to 11160"),
        ({"timers": {"t3450": "soon"}}, "no duration"),
        ({"gateways": {"n3_requests": 0}}, "greater than or equal to 1"),
        ({"mme_cod": 1}, "Extra inputs"),
        ({"causes": {"unreachable": "illegal-me"}}, "invalidates the card"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MmeConfig.model_validate(settings)


def test_tracking_areas_of_a_group_make_one_list() -> None:
    config = MmeConfig.model_validate({"tai_lists": [["1", "2"], ["3"]]})
    plmn = Plmn("001", "01")
    assert config.tai_list(Tai(plmn, 2)) == [Tai(plmn, 2), Tai(plmn, 1)]
    assert config.tai_list(Tai(plmn, 9)) == [Tai(plmn, 9)]


def _answer(result: int, diagnostic: int | None = None, *, experimental: bool) -> Message:
    asked = request("Update-Location-Request", [("Session-Id", "s")])
    extra = [] if diagnostic is None else [("Error-Diagnostic", diagnostic)]
    return answer_to(asked, result, ("hss", "realm"), extra, experimental=experimental)


def test_the_table_of_causes_row_by_row() -> None:
    table = CauseTable({}, {})
    assert table.cause_of(_answer(5420, 1, experimental=True)) is EmmCause.EPS_SERVICES_NOT_ALLOWED
    assert table.cause_of(_answer(5420, 0, experimental=True)) is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
    assert table.cause_of(_answer(5004, 2, experimental=True)) is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
    assert table.cause_of(_answer(5004, 3, experimental=True)) is EmmCause.EPS_SERVICES_NOT_ALLOWED_IN_THIS_PLMN
    assert table.cause_of(_answer(5004, 99, experimental=True)) is EmmCause.PLMN_NOT_ALLOWED
    # a Result-Code of the same number is another thing
    assert table.cause_of(_answer(5001, experimental=False)) is EmmCause.NETWORK_FAILURE
    assert table.cause_of(_answer(5004, experimental=False)) is EmmCause.NETWORK_FAILURE
    assert table.cause_of(_answer(3002, experimental=False)) is None
    assert (
        CauseTable({"7777": EmmCause.ILLEGAL_ME}, {}).cause_of(_answer(7777, experimental=True)) is EmmCause.ILLEGAL_ME
    )


def test_rows_name_results_that_exist() -> None:
    assert {int(key.partition("/")[0]) for key in EXPERIMENTAL_RESULTS} <= set(map(int, ExperimentalResult))
    assert {int(key) for key in RESULT_CODES} <= set(map(int, ResultCode))
    assert describe_result(_answer(5001, experimental=True)) == "Experimental-Result 5001 DIAMETER_ERROR_USER_UNKNOWN"
    assert describe_result(_answer(5003, experimental=False)) == "Result-Code 5003 DIAMETER_AUTHORIZATION_REJECTED"


def test_controls_serve_requirements_that_exist() -> None:
    assert {control.requirement for control in Mme.declaration.controls} <= set(requirements())


def test_terminals_by_their_digits() -> None:
    full, short = read_terminal("3569876500000101"), read_terminal("356987650000010")
    assert isinstance(full, Terminal)
    assert isinstance(short, Terminal)
    assert full.imei.key == short.imei.key == "35698765000001"
    assert (full.imeisv, short.imeisv) == ("3569876500000101", "")
    assert read_terminal("") is None


@pytest.mark.parametrize(
    ("eea", "eia", "chosen"),
    [(0xE0, 0xE0, (2, 2)), (0x80, 0x20, (0, 2)), (0x20, 0x80, None), (0x00, 0x20, None), (0xC0, 0x60, (1, 2))],
)
def test_algorithms_by_preference(eea: int, eia: int, chosen: tuple[int, int] | None) -> None:
    assert choose_algorithms(MmeConfig().security, UeNetworkCapability(eea, eia)) == chosen
