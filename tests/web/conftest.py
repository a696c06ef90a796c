"""A live page for the tests of a file, and somebody before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from live_page import Person, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="address", scope="module")
def _address() -> Iterator[str]:
    with served() as (address, _, _):
        yield address


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Any]:
    from browsing import chromium  # where there is no playwright, its tests are skipped, and this file is not

    with chromium() as browser:
        yield browser


@pytest.fixture(name="person")
def _person(browser: Any, address: str) -> Iterator[Person]:

    person = Person(browser, address)
    yield person
    person.close()
