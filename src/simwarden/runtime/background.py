"""What the elements of a run have under way beside what comes to them: their procedures, and what stands."""

from __future__ import annotations

import asyncio
from inspect import CORO_CREATED, getcoroutinestate
from typing import TYPE_CHECKING, Any

from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class _Task(asyncio.Task[None]):
    """One of them. It leaves the list itself at its end: a callback for that would be one more turn of the loop."""

    def __init__(self, background: Background, name: str, work: Coroutine[Any, Any, object], what: str) -> None:
        self.name, self.work, self.what, self._background = name, work, what, background
        super().__init__(self._carry_out(), loop=background.loop)

    async def _carry_out(self) -> None:
        try:
            await self.work
        except StoreError as error:
            self._background.given_up(self.name, self.what, error)
        except Exception as error:  # noqa: BLE001 - the one catch-all: whatever arrives here is a bug of ours
            self._background.failed(self.name, self.what, error)
        finally:
            self._background.forget(self)

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it; what has not begun would else be complained of as never awaited."""
        if getcoroutinestate(self.work) == CORO_CREATED:
            self.work.close()
            self._background.forget(self)
        return super().cancel(msg)


class Background:
    """The procedures of all elements. `given_up` hears of those that the database did not let end, `failed` of bugs."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        given_up: Callable[[str, str, StoreError], None],
        failed: Callable[[str, str, Exception], None],
    ) -> None:
        self.loop, self.given_up, self.failed = loop, given_up, failed
        #: of each element; with whether it goes on for as long as its element is there
        self._tasks: dict[str, dict[_Task, bool]] = {}

    def spawn(
        self, name: str, work: Coroutine[Any, Any, object], what: str, *, standing: bool = False
    ) -> asyncio.Task[None]:
        """Run an element's procedure, or what is `standing` as long as the element."""
        task = _Task(self, name, work, what or getattr(work, "__name__", "work"))
        self._tasks.setdefault(name, {})[task] = standing
        return task

    def under_way(self, name: str) -> list[str]:
        """Return the procedures that an element has under way."""
        return [task.what for task, standing in self._tasks.get(name, {}).items() if not standing]

    def cancel(self, name: str) -> None:
        """End all of an element's."""
        for task in list(self._tasks.pop(name, ())):
            task.cancel()

    def forget(self, task: _Task) -> None:
        """Take note that one is over (called by it)."""
        tasks = self._tasks.get(task.name)
        if tasks is not None:
            tasks.pop(task, None)
            if not tasks:
                del self._tasks[task.name]
