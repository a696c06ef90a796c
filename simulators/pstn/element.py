"""The outside world of calls as an element: telephones behind a SIP trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simulators.pstn.config import PstnConfig
from simulators.pstn.parts.phones import Phones
from simwarden.operations.call_views import TRUNK_CALLS
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration
from simwarden.wire.sip.family import TRUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.pstn.core import Core


class Pstn(Element[PstnConfig]):
    """Other networks, and the telephones in them."""

    declaration = Declaration(
        kind="pstn",
        title="Outside world of calls",
        lane=90,
        config=PstnConfig,
        standing=False,
        listens=(TRUNK,),
        calls=(TRUNK,),
        services={
            "voice": {"phones": {"room": {"number": "+8613800001111"}, "other": {"number": "+8613800002222"}}},
        },
    )
    forgets: ClassVar[tuple[str, ...]] = (TRUNK_CALLS,)
    parts = (Phones,)
    core: Core

    async def start(self) -> None:
        """Take and make calls."""
        from simulators.pstn.core import Core  # noqa: PLC0415 - checking files needs no codec

        self.core = Core(self.site, self.config)
        self.fit(self.core)

    def census(self) -> Mapping[str, int]:
        """Count calls."""
        return {"calls": len(self.core.talks)}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Return the calls on its trunk."""
        name = self.site.name
        return {f"{TRUNK_CALLS}{name}": [(name,)] * len(self.core.talks)}

    async def stop(self) -> None:
        """Leave."""
        self.core.stop()

    async def killed(self) -> None:
        """Lose power."""
        self.core.stop()
