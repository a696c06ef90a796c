"""An OCS with nodes that ask it what a test says, and what their answers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from charging import IMSI, MSISDN, REALM, SUBSCRIBER

from simulators.ocs.element import Ocs
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer
from simwarden.testing import Bench, ScriptedServer
from simwarden.wire.diameter import Avps, Message, first
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATA, SMS, VOICE = "32251@3gpp.org", "32274@3gpp.org", "32276@3gpp.org"
INITIAL, UPDATE, TERMINATION, EVENT = 1, 2, 3, 4
DEBIT, REFUND, CHECK, PRICE = 0, 1, 2, 3
APPROVED = {"approver": "Li Wei", "reason": "explored", "form": "F-21"}
GROUPS = "Multiple-Services-Credit-Control"
UNITS = {DATA: "CC-Total-Octets", SMS: "CC-Service-Specific-Units", VOICE: "CC-Time"}


def card(quota: Mapping[str, Any] | None, imsi: str = IMSI, msisdn: str = MSISDN, **more: Any) -> dict[str, Any]:
    """Return the body that provisions a card."""
    sections = {"quota": [{"by": "ocs", **quota}]} if quota is not None else {}
    body = {"name": "card", "imsi": imsi, "iccid": "1", "msisdn": msisdn, "profile": "meter", "form": "plug-in"}
    return body | {"sections": sections} | more


def group(used: int | None = None, *, ask: int | None = 0, rating: int | None = 10, unit: str = UNITS[DATA]) -> Avps:
    """Make a Multiple-Services-Credit-Control: what was used, and what is asked for (0: any, None: nothing)."""
    out: Avps = [] if ask is None else [("Requested-Service-Unit", [(unit, ask)] if ask else [])]
    if used is not None:
        out.append(("Used-Service-Unit", [(unit, used)]))
    return out if rating is None else [*out, ("Rating-Group", rating)]


def given(answer: Message, rating: int = 10) -> tuple[int | None, int | None]:
    """Return the Result-Code of a rating group, and how many units it was given."""
    for each in answer.all(GROUPS):
        if first(each, "Rating-Group", rating) == rating:
            granted = first(each, "Granted-Service-Unit")
            return first(each, "Result-Code"), granted[0][1] if granted else None
    return answer.result_code, None


class NoSettings(ElementConfig):
    """No settings."""


class ScriptedClient(Element[NoSettings]):
    """A node that asks an OCS, and keeps what it is asked in `heard`."""

    declaration = Declaration(
        kind="client", title="Client", lane=1, config=NoSettings, starts_after=("ocs",), calls=("Gy", "Ro")
    )
    node: DiameterNode
    point = "Gy"

    async def start(self) -> None:
        """Connect."""
        self.heard: list[Message] = []
        handlers = {"re-auth-request": self.hear}
        self.node = DiameterNode(self.site, LocalNode(f"{self.site.name}.{REALM}", REALM), {self.point: handlers})
        self.up = await self.node.connect(self.point, "ocs")

    async def stop(self) -> None:
        """Say goodbye."""
        await self.node.stop()

    async def killed(self) -> None:
        """Be gone."""
        self.node.drop()

    async def hear(self, asked: Message, _peer: Peer) -> Message:
        """Answer an RAR: a CCR will follow."""
        self.heard.append(asked)
        return self.node.answer(asked, 2002)

    async def ccr(self, session: str, kind: int, number: int, *groups: Avps, **more: Any) -> Message:
        """Ask; see `make`."""
        return await self.node.ask("ocs", self.make(session, kind, number, *groups, **more), timeout=20)

    def make(
        self,
        session: str,
        kind: int,
        number: int,
        *groups: Avps,
        context: str = DATA,
        who: Avps = SUBSCRIBER,
        more: Sequence[tuple[str, Any]] = (),
        again: bool = False,
    ) -> Message:
        """Make a CCR of a session, with groups; `more` are further AVPs, `again`: it was sent before."""
        head: Avps = [("Service-Context-Id", context), ("CC-Request-Type", kind), ("CC-Request-Number", number)]
        avps = [*head, *who, *more, *((GROUPS, each) for each in groups)]
        message = self.node.make("Credit-Control-Request", avps, realm=REALM, point=self.point, session=session)
        message.flags |= FLAG_RETRANSMITTED if again else 0
        return message

    async def event(self, session: str, action: int, units: int = 1, **more: Any) -> Message:
        """Ask about an event of messages."""
        asked = group(ask=units, rating=None, unit=UNITS[SMS])
        avps: Avps = [("Requested-Action", action), *more.pop("more", [])]
        return await self.ccr(session, EVENT, 0, asked, context=SMS, more=avps, **more)


ONE: Any = (GROUPS, [("Granted-Service-Unit", [("CC-Service-Specific-Units", 1)])])


class ScriptedOcs(ScriptedServer):
    """An OCS that grants one message, unless a test wants something else; it may say more of a session (`tell`)."""

    declaration = Declaration(kind="ocs", title="OCS", lane=86, config=ElementConfig, listens=("Ro",))
    interface = "Ro"
    requests = ("credit-control",)

    def credit_control(self, _message: object) -> Any:
        """Grant."""
        return [ONE]

    async def tell(self, name: str, host: str, *avps: tuple[str, Any]) -> Message:
        """Send a request of the session that was asked about last."""
        session = self.asked[-1].get("Session-Id")
        message = self.node.make(name, avps, realm=REALM, host=host, point="Ro", session=session)
        return await self.node.ask(host, message)


class Net(Bench):
    """An OCS and a node that asks; `store` is the URL of a database that outlives a kill."""

    subject = "ocs"

    def __init__(
        self, quota: Mapping[str, Any] | None = None, *, store: str = "", transport: str = "memory", **config: Any
    ) -> None:
        super().__init__(transport=transport, stores={"ocs": store})
        self.quota = quota
        self.ocs = self.add("ocs", Ocs, {"octets": "1000", "peers": {"pgw": {}, "smsc": {}}, **config})
        self.pgw = self.add("pgw", ScriptedClient)

    async def __aenter__(self) -> Self:
        """Provision the card, if it has a quota."""
        await super().__aenter__()
        if self.quota is not None:
            await self.call("PUT", f"/cards/{IMSI}", card(self.quota))
        return self

    async def used(self, service: str = "data", imsi: str = IMSI) -> int:
        """Return what a card has used this month, with what is given out."""
        told = await self.call("GET", f"/cards/{imsi}")
        return int(told["used"][service])
