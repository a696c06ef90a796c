"""The HSS over the memory transport, with MMEs of a few lines at the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playing import play

from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simwarden.errors import ManagementError
from simwarden.model.identity import Plmn
from simwarden.operations.element import Element
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.trace.events import Decided, StateChange
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.policy.decision import Decision
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message
from simwarden.wire.diameter.codes import Feature
from simwarden.wire.diameter.features import supported_features

IMSI = "001010000000017"
PLMN = Plmn.parse("001-01")
REALM = PLMN.realm
HOST = f"hss.{REALM}"
METER, PHONE = "35000100000001", "35000200000001"
# TS 35.208 4.3, test set 1
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
APPROVAL = {"approver": "Li Wei", "reason": "meter replaced", "form": "F-17"}
FEATURES = supported_features(Feature.ODB_ALL_APN | Feature.REG_SUB)
LEARN = [{"by": "hss", "learn": "first-use"}]
GIVEN = [{"by": "hss", "imei": METER + "7"}]


class MmeConfig(ElementConfig):
    """Who this MME is."""

    host: str = ""
    realm: str = REALM


class Mme(Element[MmeConfig]):
    """Asks what it is told to and remembers what it is asked."""

    declaration = Declaration(kind="mme", title="MME", lane=1, config=MmeConfig, starts_after=("hss",))
    node: DiameterNode

    async def start(self) -> None:
        self.heard: list[Message] = []
        names = ("cancel-location", "insert-subscriber-data", "delete-subscriber-data", "reset")
        self.node = DiameterNode(
            self.site,
            LocalNode(self.config.host or f"{self.site.name}.{REALM}", self.config.realm),
            {"S6a": {f"{name}-request": self.hear for name in names}},
        )
        await self.node.connect("S6a", "hss")

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def hear(self, message: Message, _peer: Peer) -> Message:
        self.heard.append(message)
        return self.node.answer(message, 2001, [FEATURES] if message.name.startswith("insert") else ())

    @property
    def told(self) -> list[tuple[str, Any]]:
        short = {"Cancellation-Type", "DSR-Flags", "Subscription-Data", "Context-Identifier"}
        return [(m.name, [avp for avp in m.avps if avp[0] in short]) for m in self.heard]

    def make(self, name: str, *more: tuple[str, Any], imsi: str = IMSI, terminal: str = "") -> Message:
        avps: list[tuple[str, Any]] = [("User-Name", imsi)]
        if terminal:
            avps.append(("Terminal-Information", [("IMEI", terminal), ("Software-Version", "01")]))
        return self.node.make(name, [*avps, *more], realm=REALM)

    async def ulr(self, terminal: str, *, imsi: str = IMSI, flags: int = 34) -> Message:
        more = [FEATURES, ("RAT-Type", 1004), ("ULR-Flags", flags), ("Visited-PLMN-Id", PLMN.to_bytes())]
        return await self.node.ask("hss", self.make("Update-Location-Request", *more, imsi=imsi, terminal=terminal))

    async def attach(self, terminal: str, *, imsi: str = IMSI) -> Message:
        """Have the card proved and register it, as at an initial attach: that may teach a binding."""
        await self.air(("Number-Of-Requested-Vectors", 1), imsi=imsi)
        return await self.ulr(terminal, imsi=imsi)

    async def nor(self, terminal: str) -> Message:
        return await self.node.ask("hss", self.make("Notify-Request", ("NOR-Flags", 0), terminal=terminal))

    async def air(self, *wanted: tuple[str, Any], imsi: str = IMSI) -> Message:
        more = [("Requested-EUTRAN-Authentication-Info", list(wanted)), ("Visited-PLMN-Id", PLMN.to_bytes())]
        return await self.node.ask("hss", self.make("Authentication-Information-Request", *more, imsi=imsi))


class Net:
    """HSS, two MMEs of the home network (mme2 outside the province) and one that is not listed."""

    def __init__(self, loop: TestbedLoop, transport: str = "memory", store: str = "", **config: Any) -> None:
        peers = {"mme": {"home_province": "true"}, "mme2": {}, "mme3": ""}
        self.loop = loop
        clock = Clock(loop)
        places = {"hss": Placement(store=store)} if store else {}
        self.host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport, placements=places))
        self.hss: Any = self.host.add("hss", Hss, HssConfig.model_validate({"peers": peers, **config}))
        self.mme: Any = self.host.add("mme", Mme, MmeConfig())
        self.mme2: Any = self.host.add("mme2", Mme, MmeConfig())
        self.evil: Any = self.host.add("evil", Mme, MmeConfig())

    def play(self, story: Callable[[], Awaitable[None]]) -> None:
        play(self.host, story)

    async def provision(
        self, imsi: str = IMSI, name: str = "card", keys: dict[str, Any] | None = None, **sections: Any
    ) -> Any:
        body = {
            "name": name,
            "imsi": imsi,
            "iccid": f"8986{imsi}",
            "msisdn": f"861440{imsi[-9:]}",
            "k": K,
            "opc": OPC,
            "profile": "meter",
            "form": "plug-in",
            "sections": sections,
            **(keys or {}),
        }
        return await self.call("PUT", f"/cards/{imsi}", body)

    async def call(self, method: str, path: str, body: Any = None, *, role: Role = Role.OPERATOR) -> Any:
        return await self.hss.manage(role, method, path, body, caller="tester")

    async def refused(self, method: str, path: str, body: Any = None, *, role: Role = Role.OPERATOR) -> int:
        with pytest.raises(ManagementError) as caught:
            await self.call(method, path, body, role=role)
        assert K not in str(caught.value)
        return caught.value.status

    def decisions(self, control: str) -> list[Decision]:
        return [
            e.decision for e in self.host.trace.events if isinstance(e, Decided) and e.decision.control.id == control
        ]

    def last(self, observable: str) -> Any:
        states = [e for e in self.host.trace.events if isinstance(e, StateChange) and e.observable == observable]
        return states[-1].value
