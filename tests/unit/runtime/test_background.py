"""What elements have under way: on the list for as long as it is, and off it however it ends."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from simwarden.runtime.background import Background
from simwarden.runtime.store import StoreError


class Heard:
    """What a host is told."""

    def __init__(self) -> None:
        self.given_up: list[tuple[str, str]] = []
        self.failed: list[tuple[str, str]] = []
        self.background = Background(
            asyncio.get_running_loop(),
            lambda name, what, _error: self.given_up.append((name, what)),
            lambda name, what, _error: self.failed.append((name, what)),
        )


async def fail(error: Exception | None, until: asyncio.Event) -> None:
    await until.wait()
    if error is not None:
        raise error


@pytest.mark.parametrize("error", [None, StoreError("away"), ValueError("a bug")])
async def test_who_is_over_is_off_the_list_at_once(error: Exception | None) -> None:
    heard, until = Heard(), asyncio.Event()
    task = heard.background.spawn("mme", fail(error, until), "work")
    heard.background.spawn("mme", fail(None, until), "link", standing=True)
    await asyncio.sleep(0)
    assert heard.background.under_way("mme") == ["work"]
    until.set()
    await task
    assert heard.background.under_way("mme") == []
    assert heard.given_up == ([("mme", "work")] if isinstance(error, StoreError) else [])
    assert heard.failed == ([("mme", "work")] if isinstance(error, ValueError) else [])


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("by_element", [False, True])
async def test_what_is_cancelled_is_off_the_list_and_complained_of_by_nobody(*, begun: bool, by_element: bool) -> None:
    heard = Heard()
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        task = heard.background.spawn("mme", fail(None, asyncio.Event()), "work")
        if begun:
            await asyncio.sleep(0)
        if by_element:
            heard.background.cancel("mme")
        else:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()
    assert heard.background.under_way("mme") == []
    assert (heard.given_up, heard.failed, complaints) == ([], [], [])
