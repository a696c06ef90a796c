"""A service centre between a scripted HSS, a scripted MME and a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platform.element import Platform
from simulators.smsc.element import Smsc
from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Asked
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.runtime.driven import Driven
from simwarden.testing import Bench, ScriptedServer
from simwarden.testing.diameter import IMSI, REALM
from simwarden.trace.events import Frame
from simwarden.wire import smpp
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.sms import (
    Address,
    Submit,
    UserData,
    decode,
    encode,
)

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

CODE, MSISDN, CENTRE = "10658000", "1440000000001", "8613800100500"
LISTED = {"by": "smsc", "numbers": [CODE]}
GATEWAY = {"binds_at": "smsc", "system_id": "gateway", "password": "secret"}


class Register(ScriptedServer):
    """An HSS on S6c that has the card at one MME."""

    declaration = Declaration(kind="hss", title="HSS", lane=60, config=ElementConfig, listens=("S6c",))
    interface = "S6c"
    requests = ("send-routing-info-for-sm", "report-sm-delivery-status")

    def send_routing_info_for_sm(self, _message: Message) -> Any:
        node = [("MME-Name", f"mme.{REALM}"), ("MME-Realm", REALM), ("MME-Number-for-MT-SMS", "8613440000001")]
        return [("User-Name", IMSI), ("Serving-Node", node)]

    def report_sm_delivery_status(self, _message: Message) -> Any:
        return []

    async def alert(self) -> None:
        avps = [("SC-Address", CENTRE), ("User-Identifier", [("MSISDN", MSISDN)])]
        request = self.node.make("Alert-Service-Centre-Request", avps, realm=REALM, host=f"smsc.{REALM}", point="S6c")
        assert (await self.node.ask("smsc", request)).success


class Node(Element[ElementConfig]):
    """An MME on SGd: what it is to deliver is in `tpdus`; `answers` are its next answers, else it delivers."""

    declaration = Declaration(
        kind="mme", title="MME", lane=40, config=ElementConfig, starts_after=("smsc",), calls=("SGd",)
    )

    async def start(self) -> None:
        self.tpdus: list[Any] = []
        self.answers: list[tuple[Any, list[tuple[str, Any]]]] = []
        handlers = {"mt-forward-short-message-request": self.deliver}
        self.node = DiameterNode(self.site, LocalNode(f"mme.{REALM}", REALM), {"SGd": handlers})
        await self.node.connect("SGd", "smsc")

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def deliver(self, message: Message, _peer: Peer) -> Message:
        self.tpdus.append(decode(message.get("SM-RP-UI"), from_mobile=False))
        result, avps = self.answers.pop(0) if self.answers else (2001, [])
        return self.node.answer(message, result, avps)

    async def submit(self, tpdu: Submit | bytes, *, centre: str = CENTRE, number: str = MSISDN) -> Message:
        octets = tpdu if isinstance(tpdu, bytes) else encode(tpdu)
        avps = [("SC-Address", centre), ("User-Identifier", [("MSISDN", number)]), ("SM-RP-UI", octets)]
        request = self.node.make("MO-Forward-Short-Message-Request", avps, realm=REALM)
        return await self.node.ask("smsc", request)


class Busy(Platform):
    """A gateway that takes no message for now."""

    async def start(self) -> None:
        link = await self.site.connect("SMPP", "smsc")
        self.session = SmppSession(Role.ESME, self.site.clock.now())
        self.session.bind(smpp.Command.BIND_TRANSCEIVER, smpp.Bind("gateway", "secret"), self.site.clock.now())
        self.driven = Driven(self.site, link, self.session, self.take)

    async def stop(self) -> None:
        self.driven.drop()

    def take(self, event: Event) -> None:
        if isinstance(event, Asked):
            self.session.answer(event.pdu, smpp.Status.ESME_RX_T_APPN, smpp.MessageId())


ABSENT = (ExperimentalResult.DIAMETER_ERROR_ABSENT_USER, [("Absent-User-Diagnostic-SM", 0)])
FULL = (
    ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE,
    [("SM-Delivery-Failure-Cause", [("SM-Enumerated-Delivery-Failure-Cause", 0)])],
)


class Network(Bench):
    subject = "smsc"

    def __init__(
        self,
        *,
        esme: type[Platform] = Platform,
        stores: dict[str, str] | None = None,
        switches: dict[str, str] | None = None,
        **config: Any,
    ) -> None:
        super().__init__(stores=stores, switches=switches or {})
        gateways = {"gateway": {"password": "secret", "codes": [CODE, "10658001"]}}
        self.hss = self.add("hss", Register)
        self.smsc = self.add("smsc", Smsc, {"gateways": gateways} | config)
        self.mme = self.add("mme", Node)
        self.esme = self.add("esme", esme, GATEWAY)

    async def provision(self, sms: dict[str, Any] | None = None, *, msisdn: str = MSISDN, imsi: str = IMSI) -> None:
        card = {"name": "card", "imsi": imsi, "iccid": "", "msisdn": msisdn, "profile": "meter", "form": "plug-in"}
        sections = {"sms": [sms]} if sms is not None else {}
        await self.call("PUT", f"/cards/{imsi}", card | {"sections": sections})

    async def send(self, **fields: Any) -> str:
        message = {"to": MSISDN, "code": CODE, "text": "read the meter", "receipt": "no"}
        return str(await self.do("esme", "submit_message", platform="esme", **message | fields))

    def texts(self) -> list[str]:
        return [each["text"] for each in self.values("message", "esme")]

    def statuses(self) -> list[str]:
        frames = [each for each in self.of(Frame) if each.interface == "SMPP" and each.source == "smsc"]
        pdus = [smpp.decode(each.data) for each in frames]
        return [smpp.Status(each.status).name for each in pdus if each.command is smpp.Command.SUBMIT_SM_RESP]

    def values(self, name: str, element: str) -> list[Any]:
        found = self.observed(name, element=element)
        return [each for each in found if each is not None]

    def state(self) -> str:
        return str(self.values("message", "smsc")[-1]["state"])


def submit(to: str = CODE, text: bytes = b"low", **fields: Any) -> Submit:
    parts: dict[str, Any] = {"reference": 7, "destination": Address(to), "user_data": UserData(text)}
    return Submit(**parts | fields)
