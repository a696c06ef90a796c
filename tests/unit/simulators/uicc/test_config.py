"""The commented example shows the settings as they are, and bad settings are refused."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from simulators.uicc import config
from simulators.uicc.config import CardBinding, UiccConfig


def test_the_example_is_the_default() -> None:
    text = Path(config.__file__).with_name("profile.yaml").read_text(encoding="utf-8")
    shown = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - the base loader makes strings only
    assert UiccConfig.model_validate(shown) == UiccConfig()
    assert set(shown) == set(UiccConfig.model_fields)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pin": "12"},
        {"pin": "12ab"},
        {"home": "001"},
        {"provider": "a name beyond sixteen"},
        {"language": "Chinese"},
        {"service_centre": "+86x"},
        {"pins": "1234"},
    ],
)
def test_wrong_settings(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        UiccConfig.model_validate(wrong)


def test_bindings_take_any_form_of_an_imei() -> None:
    for imei in ("35145120840121", "351451208401216", "3514512084012199"):
        assert CardBinding.model_validate({"by": "card", "imei": imei, "applet": "true"}).imei == "35145120840121"
    for wrong in ({"by": "card"}, {"by": "card", "imei": "meter.imei"}, {"by": "hss", "imei": "35145120840121"}):
        with pytest.raises(ValidationError):
            CardBinding.model_validate(wrong)
