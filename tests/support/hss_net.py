"""The HSS over the memory transport, with MMEs of a few lines at the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss.element import Hss
from simwarden.testing import Bench, ScriptedMme
from simwarden.testing.diameter import PLMN, REALM
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message
    from simwarden.wire.diameter.codes import Feature

__all__ = ["APPROVAL", "GIVEN", "IMSI", "LEARN", "METER", "OPC", "PHONE", "PLMN", "REALM", "K", "Net", "enforces"]

IMSI = "001010000000017"
METER, PHONE = "35000100000001", "35000200000001"
# TS 35.208 4.3, test set 1
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
APPROVAL = {"approver": "Li Wei", "reason": "meter replaced", "form": "F-17"}
LEARN = [{"by": "hss", "learn": "first-use"}]
GIVEN = [{"by": "hss", "imei": METER + "7"}]


class Net(Bench):
    """HSS, two MMEs of the home network (mme2 outside the province) and one that is not listed."""

    subject = "hss"

    def __init__(
        self,
        loop: TestbedLoop,
        transport: str = "memory",
        store: str = "",
        *,
        external: Mapping[str, Any] = {},
        switches: dict[str, str] | None = None,
        **config: Any,
    ) -> None:
        stores = {"hss": store}
        super().__init__(loop, transport=transport, stores=stores, external=external, switches=switches or {})
        peers = {"mme": {"home_province": "true"}, "mme2": {}, "mme3": ""}
        self.hss: Any = self.add("hss", Hss, {"peers": peers, **config})
        self.mme, self.mme2, self.evil = (
            self.add(name, ScriptedMme, {"hss": "hss", "imsi": IMSI}) for name in ("mme", "mme2", "evil")
        )

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

    def last(self, observable: str) -> Any:
        return self.observed(observable)[-1]


def enforces(mme: Any, features: Feature) -> None:
    """Let an MME say in its answers to subscriber data what it enforces of them."""

    async def hear(message: Message, _peer: Peer) -> Message:
        mme.heard.append(message)
        answer: Message = mme.node.answer(message, 2001, [supported_features(features)])
        return answer

    mme.node.handle("S6a", "insert-subscriber-data-request", hear)
