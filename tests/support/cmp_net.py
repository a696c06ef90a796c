"""The platform on S13 and by its management interface, with an HSS that keeps what it is told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from simulators.cmp.element import Cmp
from simwarden.errors import ManagementError
from simwarden.model.identity import Plmn
from simwarden.operations.approval import Approval
from simwarden.operations.element import Element
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import Bench, ScriptedMme

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simwarden.runtime.loop import TestbedLoop

REALM = Plmn.parse("001-01").realm
IMSI, OTHER = "001010000000017", "001010000000018"
METER, PHONE, THIRD = "99000101000001", "99000201000001", "99000301000001"
APPROVED = {"approver": "J. Okonedo", "reason": "replaced", "form": "F-1"}


class Register(Element[ElementConfig]):
    """Stands in for the HSS: keeps what it is told of cards."""

    declaration = Declaration(kind="hss", title="HSS", lane=2, config=ElementConfig)
    heard: tuple[str, ...] = ()
    #: seconds until it has done what it is told
    pause = 0.0
    #: whether it suspends many cards by one call
    batches = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("POST", "/cards/{imsi}/suspension")
    async def suspend(self, call: Call) -> None:
        await self.site.clock.sleep(self.pause)
        self.heard += (f"{call.body['how']} {call.path['imsi']}",)

    @route("DELETE", "/cards/{imsi}/suspension")
    async def resume(self, call: Call) -> None:
        self.heard += (f"resume {call.path['imsi']}",)

    @route("POST", "/suspensions")
    async def suspend_many(self, call: Call) -> None:
        if not self.batches:
            raise ManagementError(404, "one by one")
        await self.site.clock.sleep(self.pause)
        self.heard += (f"{call.body['how']} {' '.join(call.body['cards'])}",)

    @route("DELETE", "/cards/{imsi}/location", takes=Approval)
    async def end(self, call: Call) -> None:
        self.heard += (f"ended {call.path['imsi']}",)

    @route("DELETE", "/cards/{imsi}")
    async def close(self, call: Call) -> None:
        self.heard += (f"close {call.path['imsi']}",)


class Net(Bench):
    """A platform, an HSS, an MME, an EIR that relays, and a stranger."""

    subject = "cmp"
    accounts = ("fernweh",)

    def __init__(self, loop: TestbedLoop, transport: str = "memory", *, store: str = "", **config: Any) -> None:
        super().__init__(loop, transport=transport, stores={"cmp": store})
        self.hss = self.add("hss", Register)
        self.cmp = self.add("cmp", Cmp, config)
        self.mme, self.eir = (self.add(name, ScriptedMme, {"eir": "cmp", "imsi": IMSI}) for name in ("mme", "eir"))

    async def listed(self, path: str) -> list[Any]:
        """Return records, the oldest first."""
        found: list[Any] = (await self.call("GET", path))["records"]
        return found[::-1]

    async def card(self, imsi: str = IMSI, binding: dict[str, str] | None = None, **place: str) -> None:
        sections = {"binding": [binding] if binding else [], "platform": [{"account": "fernweh", **place}]}
        body = {
            "name": "card",
            "imsi": imsi,
            "iccid": imsi,
            "msisdn": "14400000000" + imsi[-2:],
            "k": "00",
            "opc": "00",
        }
        await self.call("PUT", f"/cards/{imsi}", body | {"profile": "meter", "form": "plug-in", "sections": sections})

    async def quietly(self, method: str, path: str, body: Any = None) -> None:
        """Call beside the test, whatever is answered."""
        with contextlib.suppress(ManagementError):
            await self.call(method, path, body)

    def held(self, imsi: str = IMSI) -> Card:
        card: Card = self.cmp.platform.card(imsi)
        return card

    async def pause(self) -> None:
        await self.host.clock.sleep(180)
