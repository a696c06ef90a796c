"""A scripted HSS, EIR and eNBs with devices around a real MME, on memory links and virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.mme.element import Mme
from simulators.pgw.element import Pgw
from simulators.sgw.element import Sgw
from simwarden.testing import Bench, ScriptedEir, ScriptedEnb, ScriptedHss, ScriptedPhone
from simwarden.testing.diameter import IMSI

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.loop import TestbedLoop


class Network(Bench):
    """An MME between scripted neighbours."""

    subject = "mme"

    def __init__(self, loop: TestbedLoop, switches: dict[str, str] | None = None, **config: Any) -> None:
        super().__init__(loop, switches=switches or {})
        self.hss = self.add("hss", ScriptedHss)
        self.eir = self.add("eir", ScriptedEir)
        self.pgw = self.add("pgw", Pgw)
        self.sgw = self.add("sgw", Sgw)
        self.mme = self.add("mme", Mme, config)
        self.enb, self.enb2 = (
            self.add(name, ScriptedEnb, {"identity": number}) for number, name in enumerate(("enb", "enb2"), 1)
        )

    async def start(self) -> None:
        await super().start()
        self.enb.setup()
        self.enb2.setup()
        await self.settle()

    def phone(self, **fields: Any) -> ScriptedPhone:
        return ScriptedPhone(self.enb, **fields)

    async def attached(self, **fields: Any) -> ScriptedPhone:
        phone = self.phone(**fields)
        phone.attach()
        await self.settle()
        assert self.session(phone.imsi) is not None
        return phone

    async def attached_idle(self, **fields: Any) -> ScriptedPhone:
        phone = await self.attached(**fields)
        phone.idle()
        await self.settle()
        phone.got.clear()
        self.hss.asked.clear()
        self.eir.asked.clear()
        return phone

    def session(self, imsi: str = IMSI) -> dict[str, Any] | None:
        values = self.observed("session", key=imsi)
        return values[-1] if values else None

    def reject(self, imsi: str = IMSI) -> dict[str, Any]:
        return dict(self.observed("reject", key=imsi)[-1])


@pytest.fixture
def run(loop: TestbedLoop) -> Callable[..., Network]:
    """Make a network, with switches of controls and settings of the MME."""

    def made(switches: dict[str, str] | None = None, **config: Any) -> Network:
        return Network(loop, switches, **config)

    return made
