"""Settings by APN: names compare without case."""

from __future__ import annotations

import pytest

from simwarden.runtime.gtp.config import by_lower_apn


def test_apns_are_kept_in_lower_case() -> None:
    assert by_lower_apn({"CMIOT": 1, "*": 2, "iot.Example": 3}) == {"cmiot": 1, "*": 2, "iot.example": 3}


def test_an_apn_listed_in_two_spellings_is_an_error() -> None:
    with pytest.raises(ValueError, match="'IOT' is listed twice"):
        by_lower_apn({"IOT": 1, "iot": 2})
