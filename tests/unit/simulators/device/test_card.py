"""What a terminal writes to its card in the background: each file once, as it is then, and no more after a failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.clients.card import CardGoneError, CardSession
from simwarden.errors import PeerError
from simwarden.wire.apdu import efs

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Recorded(CardSession):
    """Writes that are kept, or fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.seen: list[bytes] = []
        self.told: list[str] = []
        self.error = error
        site: Any = SimpleNamespace(
            spawn=self._spawn, note=self.told.append, peer_fault=lambda _link, reason: self.told.append(reason)
        )
        super().__init__(site, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]

    def _spawn(self, work: Coroutine[Any, Any, None], _what: str) -> Any:
        self.tasks.append(work)
        return work

    async def write(self, _ef: efs.Ef, octets: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.seen.append(octets)

    def run(self) -> None:
        with pytest.raises(StopIteration):
            self.tasks.pop().send(None)
        assert not self.tasks


def test_a_file_is_written_once_as_it_is_when_its_turn_comes() -> None:
    card, now = Recorded(), [b"before"]

    def location() -> tuple[efs.Ef, bytes]:
        return efs.EF_EPSLOCI, now[0]

    def context() -> tuple[efs.Ef, bytes]:
        return efs.EF_EPSNSC, b"keys"

    card.store(location)
    card.store(context)
    card.store(location)
    now[0] = b"after"
    card.run()
    assert card.seen == [b"after", b"keys"]
    card.store(location)
    card.run()
    assert card.seen == [b"after", b"keys", b"after"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CardGoneError("pulled out"), "the card cannot be written: pulled out"),
        (PeerError("EF cannot be written"), "EF cannot be written"),
    ],
)
def test_a_card_that_cannot_be_written_is_told_of_once(error: Exception, told: str) -> None:
    card = Recorded(error)
    card.store(lambda: (efs.EF_EPSLOCI, b""))
    card.store(lambda: (efs.EF_FPLMN, b""))
    card.run()
    assert card.told == [told]
    card.error = None
    card.store(lambda: (efs.EF_FPLMN, b"new"))
    card.run()
    assert card.seen == [b"new"]


def test_nothing_is_written_to_a_card_that_is_gone() -> None:
    card = Recorded()
    card.store(lambda: (efs.EF_EPSLOCI, b""))
    card.lost("pulled out")
    card.run()
    assert (card.seen, card.told, card.writing) == ([], [], None)
