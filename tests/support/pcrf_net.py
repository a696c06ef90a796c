"""A PCRF with a scripted PGW, which asks what it is told to ask and carries out orders, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pcrf.element import Pcrf
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.testing import Bench
from simwarden.testing.diameter import IMSI, REALM
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps, Message

MSISDN = "1440000000001"
FORM = {"approver": "Li Wei", "reason": "another server", "form": "F-1"}
INITIAL, UPDATE, TERMINATION = 1, 2, 3
ALL = GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC


class Pgw(Element[ElementConfig]):
    """A PGW on Gx; `answers` are its next answers to RARs, else it does as it is told."""

    declaration = Declaration(
        kind="pgw", title="PGW", lane=78, config=ElementConfig, starts_after=("pcrf",), calls=("Gx",)
    )

    state_id = 0

    async def start(self) -> None:
        self.heard: list[Message] = []
        self.answers: list[tuple[int, Avps] | None] = []
        self.node = DiameterNode(
            self.site,
            LocalNode(f"{self.site.name}.{REALM}", REALM, state_id=self.state_id),
            {"Gx": {"re-auth-request": self.take}},
        )
        await self.node.connect("Gx", "pcrf")

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def take(self, message: Message, _peer: Peer) -> Message | None:
        self.heard.append(message)
        answer = self.answers.pop(0) if self.answers else (2001, [])
        if answer is None:
            return None
        result, avps = answer
        known = result in ExperimentalResult.__members__.values()
        return self.node.answer(message, ExperimentalResult(result) if known else result, avps)

    def ccr(self, kind: int, number: int, session: str = "a", *more: tuple[str, Any], imsi: str = IMSI) -> Message:
        avps: Avps = [("CC-Request-Type", kind), ("CC-Request-Number", number)]
        if imsi:
            avps.append(("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", imsi)]))
        avps += [("Called-Station-Id", "iot"), *more]
        return self.node.make("Credit-Control-Request", avps, realm=REALM, point="Gx", session=session)

    async def ask(self, *what: Any, features: GxFeature | None = ALL, **more: Any) -> Message:
        request = self.ccr(*what, **more)
        if features is not None and what[0] == INITIAL:
            request.avps.append(supported_features(features))
        return await self.node.ask("pcrf", request)


class Network(Bench):
    """Both."""

    subject = "pcrf"

    def __init__(self, settings: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.pcrf = self.add("pcrf", Pcrf, settings or {})
        self.pgw = self.add("pgw", Pgw)

    async def provision(self, imsi: str = IMSI, msisdn: str = MSISDN, *, profile: str = "meter", **data: Any) -> Any:
        sections = {"data": [data]} if data else {}
        body = {
            "name": "card", "imsi": imsi, "iccid": "", "msisdn": msisdn, "profile": profile, "form": "plug-in",
            "sections": sections,
        }  # fmt: skip
        return await self.call("PUT", f"/cards/{imsi}", body)

    async def change(self, imsi: str = IMSI, **data: Any) -> Any:
        return await self.call("PUT", f"/cards/{imsi}/data", {**data, **FORM})


def rules(message: Message) -> dict[str, Any]:
    """Return what a message installs: names to Flow-Descriptions or the application, and the Flow-Status."""
    found: dict[str, Any] = {}
    for install in message.all("Charging-Rule-Install"):
        for name, value in install:
            if name == "Charging-Rule-Name":
                found[value.decode()] = "predefined"
                continue
            flows = [dict(each)["Flow-Description"] for key, each in value if key == "Flow-Information"]
            rule = dict(value)
            what = flows or rule["TDF-Application-Identifier"].decode()
            found[rule["Charging-Rule-Name"].decode()] = (what, rule["Flow-Status"])
    return found


def reported(*names: str, code: int, status: int = 1) -> tuple[str, Any]:
    """Make the Charging-Rule-Report of rules, INACTIVE or of another status."""
    told = [("Charging-Rule-Name", each.encode()) for each in names]
    return "Charging-Rule-Report", [*told, ("PCC-Rule-Status", status), ("Rule-Failure-Code", code)]


def removed(message: Message) -> list[str]:
    """Return the names of rules that a message removes."""
    return [value.decode() for group in message.all("Charging-Rule-Remove") for _, value in group]
