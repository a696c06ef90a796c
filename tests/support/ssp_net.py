"""An SSP between scripted neighbours: an HLR with an EIR, a gsmSCF, terminals without a card, and telephones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ssp.element import Ssp
from simwarden.machine.m3ua_gateway import ApplicationServer
from simwarden.machine.sip_events import Alerting, Answered, Incoming, Refused, Released
from simwarden.machine.tcap_events import Aborted, Begun, Continued, Ended
from simwarden.model.identity import Plmn
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.sigtran.map_node import MapError, MapNode
from simwarden.runtime.sigtran.point import SignallingPoint
from simwarden.runtime.sip import SipTrunk
from simwarden.testing import Bench
from simwarden.trace.records import ChargingRecord
from simwarden.wire import cap
from simwarden.wire import map as m
from simwarden.wire.dtap import CODING_GSM, Message, MessageType, decode, encode
from simwarden.wire.isup import Number
from simwarden.wire.nas import IdentityType, Lai, MobileIdentity
from simwarden.wire.q850 import Cause
from simwarden.wire.sccp import Address
from simwarden.wire.sip import NameAddress, Uri, describe
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Invoke, Reject, ReturnError

if TYPE_CHECKING:
    from types import TracebackType

    from simwarden.runtime.loop import TestbedLoop

SSP, HLR, EIR, SCF = 8, 6, 9, 146
IMSI, IMEISV, MSISDN = "001010000000001", "9900010100000117", "861440000000001"
LISTED, OTHER = "+8613800001111", "+8613800002222"
SCF_NUMBER = "8613800000146"
T, E, MODE = MessageType, cap.EventType, cap.MonitorMode
RELEASE, CONTINUE = m.DefaultCallHandling.RELEASE_CALL, m.DefaultCallHandling.CONTINUE_CALL
LAI = Lai(Plmn("001", "01"), 0xFFFE)


def o_csi(phase: int = 4, handling: m.DefaultCallHandling = RELEASE) -> m.OCsi:
    """Return an O-CSI that triggers on the dialled number."""
    trigger = m.OTriggerData(m.OTriggerPoint.COLLECTED_INFO, 1, AddressString(SCF_NUMBER), handling)
    return m.OCsi((trigger,), phase, active=True)


def t_csi(phase: int = 4, handling: m.DefaultCallHandling = RELEASE) -> m.TCsi:
    """Return a T-CSI or VT-CSI."""
    trigger = m.TTriggerData(m.TTriggerPoint.TERM_ATTEMPT_AUTHORIZED, 1, AddressString(SCF_NUMBER), handling)
    return m.TCsi((trigger,), phase, active=True)


class Settings(ElementConfig):
    """Where a point is."""

    point_code: int = HLR


class Point(Element[Settings]):
    """A signalling point that the SSP associates itself with."""

    point: SignallingPoint

    async def start(self) -> None:
        code = self.config.point_code
        self.point = SignallingPoint(self.site, code, servers=[ApplicationServer(SSP, SSP)])
        self.bring()
        await self.point.start()

    def bring(self) -> None:
        """Bring the users of TCAP."""

    async def stop(self) -> None:
        self.point.stop()

    async def killed(self) -> None:
        self.point.stop(kill=True)


class Hlr(Point):
    """An HLR of one card: what it says of it, and errors by which it fails operations."""

    declaration = Declaration(kind="hss", title="HLR", lane=80, config=Settings)
    o_csi: m.OCsi | None = None
    vt_csi: m.TCsi | None = None
    t_csi: m.TCsi | None = None

    def bring(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.fails: dict[str, int] = {}
        self.teleservices: tuple[bytes, ...] = (b"\x11", b"\x12")
        self.barred = False
        self.forwarded_to = ""
        #: what is told of routes, whatever was asked; whether that is nothing at all
        self.route: m.SendRoutingInfoResult | None = None
        self.speechless = False
        handlers: dict[Any, Any] = {m.UPDATE_LOCATION: self._update, m.SEND_ROUTING_INFO: self._route}
        self.node = MapNode(self.point, 6, handlers)

    def _take(self, name: str, asked: Any) -> None:
        self.heard.append((name, asked))
        if name in self.fails:
            raise MapError(self.fails[name])

    async def _update(self, asked: m.UpdateLocation, dialogue: Any) -> m.UpdateLocationResult:
        self._take("update", asked)
        status = m.SubscriberStatus(self.barred)
        data = m.InsertSubscriberData(
            msisdn=AddressString(MSISDN),
            subscriber_status=status,
            teleservices=self.teleservices,
            odb_data=m.OdbData((0,)) if self.barred else None,
            vlr_camel_subscription=m.VlrCamelSubscription(self.o_csi, self.vt_csi),
        )
        await dialogue.ask(m.INSERT_SUBSCRIBER_DATA, data)
        return m.UpdateLocationResult(AddressString("8613800000006"))

    async def _route(self, asked: m.SendRoutingInfo, _dialogue: Any) -> m.SendRoutingInfoResult | None:
        self._take("route", asked)
        if self.route is not None or self.speechless:
            return self.route
        if self.t_csi is not None and asked.camel_info is not None and not asked.camel_info.suppress_t_csi:
            camel = m.CamelRoutingInfo(m.GmscCamelSubscription(self.t_csi, self.o_csi))
            return m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(camel_routing_info=camel))
        if self.forwarded_to:
            data = m.ForwardingData(AddressString(self.forwarded_to))
            return m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(m.RoutingInfo(forwarding_data=data)))
        number = await self.roaming_number()
        return m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(m.RoutingInfo(number)))

    async def roaming_number(self) -> AddressString:
        """Ask the VLR for a roaming number."""
        asked = m.ProvideRoamingNumber(IMSI, AddressString("8613800000008"))
        told = await self.tell(m.ROAMING_NUMBER_ENQUIRY, m.PROVIDE_ROAMING_NUMBER, asked)
        found: AddressString = told.roaming_number
        return found

    async def tell(self, context: Any, operation: Any, asked: Any) -> Any:
        """Order something of the VLR."""

        return await self.node.ask(Address(7, SSP), context, operation, asked)


class Eir(Point):
    """An EIR that says one thing of all terminals, or fails."""

    declaration = Declaration(kind="eir", title="EIR", lane=80, config=Settings)

    def bring(self) -> None:
        self.status: m.EquipmentStatus | None = m.EquipmentStatus.WHITE_LISTED
        self.error: int | None = None
        self.speechless = False
        self.node = MapNode(self.point, 9, {m.CHECK_IMEI: self._check})

    async def _check(self, asked: m.CheckImei, _dialogue: Any) -> m.CheckImeiResult | None:
        self.asked = asked
        if self.error is not None:
            raise MapError(self.error)
        return None if self.speechless else m.CheckImeiResult(self.status)


class Scf(Point):
    """A gsmSCF. It answers a call that begins by `script`: rows of operations, or silence (None)."""

    declaration = Declaration(kind="scp", title="SCP", lane=90, config=Settings)

    def bring(self) -> None:
        self.script: list[tuple[Any, Any]] | None = [(cap.CONTINUE, None)]
        self.ends = True
        #: phases that it takes, and the one that it offers, else the first of these
        self.phases: tuple[cap.Phase, ...] = (cap.Phase.FOUR, cap.Phase.THREE, cap.Phase.TWO)
        self.offers: cap.Phase | None = None
        #: what was said to it, by the operations' names; answers to its own operations; how dialogues ended
        self.heard: list[tuple[str, Any]] = []
        self.answers: list[Any] = []
        self.ended: list[str] = []
        self.contexts: list[cap.Phase | None] = []
        self.dialogue = 0
        self.user = self.point.user(146, cap.CAP_USER, self.take)

    def take(self, event: Any) -> None:
        """Take what an SSP says."""
        match event:
            case Begun(dialogue, _, _, context, components):
                self.dialogue, phase = dialogue, cap.phase_of(context or ())
                self.contexts.append(phase)
                if phase not in self.phases:
                    self.user.tc.refuse(dialogue, cap.CONTEXTS[self.offers or self.phases[0]])
                    self.user.flush()
                    return
                self._hear(components, phase)
                if self.script is not None:
                    self.order(*self.script, end=self.ends)
            case Continued(_, components) | Ended(_, components):
                self._hear(components, self.contexts[-1])
                if isinstance(event, Ended):
                    self.ended.append("ended")
            case Aborted(_, reason):
                self.ended.append(reason)

    def _hear(self, components: Any, phase: cap.Phase | None) -> None:
        for each in components:
            if isinstance(each, Invoke):
                operation, argument = cap.decode_invoke(each, phase or cap.Phase.FOUR)
                self.heard.append((operation.name, argument))
            else:
                self.answers.append(each)

    def order(self, *orders: tuple[Any, Any], end: bool = False) -> None:
        """Order something in the dialogue that began last, all in one message."""
        for operation, argument in orders:
            octets = cap.CAP_USER.encode_argument(operation, argument)
            self.user.tc.invoke(self.dialogue, operation, octets, self.site.clock.now())
        (self.user.tc.end if end else self.user.tc.proceed)(self.dialogue)
        self.user.flush()

    def answer(self, component: ReturnError | Reject, *, end: bool = False) -> None:
        """Answer something in the dialogue that began last."""
        self.user.tc.answer(self.dialogue, component)
        (self.user.tc.end if end else self.user.tc.proceed)(self.dialogue)
        self.user.flush()

    def said(self, name: str) -> list[Any]:
        """Return the arguments of what was said by an operation."""
        return [argument for each, argument in self.heard if each == name]


def arm(*events: tuple[cap.EventType, cap.MonitorMode] | tuple[cap.EventType, cap.MonitorMode, int]) -> Any:
    """Return the order to tell of events."""
    armed = [cap.BcsmEvent(event, mode, cap.Leg(sending_side=leg[0]) if leg else None) for event, mode, *leg in events]
    return cap.REQUEST_REPORT_BCSM_EVENT, cap.RequestReportBCSMEvent(tuple(armed))


def charge(tenths: int, *, release: bool = False) -> Any:
    """Return the order to charge."""
    return cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(tenths, release))


def connect(number: str) -> Any:
    """Return the order to connect to a number."""
    return cap.CONNECT, cap.Connect((Number(number.removeprefix("+")),))


def release(cause: int = 21) -> Any:
    """Return the order to release."""
    return cap.RELEASE_CALL, cap.ReleaseCall(Cause(cause, 2))


GO_ON: Any = (cap.CONTINUE, None)


class Far(Element[ElementConfig]):
    """Telephones of another network: `does` says what becomes of a call to one."""

    declaration = Declaration(kind="pstn", title="PSTN", lane=97, config=ElementConfig)

    async def start(self) -> None:
        self.does = "answer"
        self.invited: list[Any] = []
        self.heard: list[Any] = []
        self.calls: list[int] = []
        self.trunk = SipTrunk(self.site, self._take)

    async def stop(self) -> None:
        self.trunk.stop()

    def _take(self, event: Any) -> None:
        self.heard.append(event)
        agent, now = self.trunk.agent, self.site.clock.now()
        if isinstance(event, Incoming):
            self.invited.append(event.request)
            self.calls.append(event.call)
            if self.does in ("answer", "ring"):
                agent.ring(event.call, now)
            if self.does == "answer":
                agent.accept(event.call, now, describe("192.0.2.1", 4000))
            elif self.does.isdecimal():
                agent.reject(event.call, int(self.does), now)
        self.trunk.flush()

    def hang_up(self, cause: int = 16) -> None:
        """End the last call."""
        self.trunk.agent.hang_up(self.calls[-1], self.site.clock.now(), cause)
        self.trunk.flush()

    def call(self, number: str, caller: str = LISTED, *more: tuple[str, str]) -> None:
        """Call a number."""
        host, port = self.site.address_of("ssp", "SIP")
        who = NameAddress(Uri(caller, "192.0.2.9"))
        call = self.trunk.agent.invite(f"sip:{number}@{host}:{port}", who, (host, port), self.site.clock.now(), *more)
        self.calls.append(call)
        self.trunk.flush()

    @property
    def outcome(self) -> str:
        """What became of the last call that it made."""
        for each in reversed(self.heard):
            match each:
                case Answered():
                    return "answered"
                case Refused(_, status, cause):
                    return f"{status} {cause}"
                case Released(_, cause):
                    return f"released {cause}"
        return "ringing" if any(isinstance(each, Alerting) for each in self.heard) else ""


class Ms(Element[ElementConfig]):
    """A terminal: it says what it is told to say, and answers as `quiet` allows."""

    declaration = Declaration(kind="device", title="MS", lane=10, config=ElementConfig, starts_after=("ssp",))

    async def start(self) -> None:
        self.heard: list[Message] = []
        self.imei, self.imsi = IMEISV, IMSI
        #: what it does not answer
        self.quiet: set[MessageType] = set()
        self.answers = True
        await self.join()

    async def stop(self) -> None:
        self.link.close()

    async def join(self) -> None:
        """Be a terminal at the SSP, and another one if it is one already."""
        self.link = await self.site.connect("Um", "ssp")
        self.link.on_receive = self._receive

    @property
    def identity(self) -> MobileIdentity:
        """Its card."""
        return MobileIdentity(IdentityType.IMSI, self.imsi)

    def say(self, kind: MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        """Say something."""
        self.link.send(encode(Message(kind, transaction, answering=answering, **fields)))

    def _receive(self, data: bytes, _stream: int) -> None:
        message = decode(data)
        self.heard.append(message)
        if message.type in self.quiet:
            return
        reply = not message.answering
        match message.type:
            case T.IDENTITY_REQUEST:
                asked = IdentityType(message["identity_type"])
                mine = self.identity if asked is IdentityType.IMSI else MobileIdentity(asked, self.imei)
                self.say(T.IDENTITY_RESPONSE, mobile_identity=mine)
            case T.PAGING_REQUEST_TYPE_1:
                self.answer_page(self.identity)
            case T.SETUP:
                self.say(T.CALL_CONFIRMED, answering=reply)
                self.say(T.ALERTING, answering=reply)
                if self.answers:
                    self.say(T.CONNECT, answering=reply)
            case T.CONNECT:
                self.say(T.CONNECT_ACKNOWLEDGE, message.transaction, answering=reply)
            case T.DISCONNECT:
                self.say(T.RELEASE, message.transaction, answering=reply)
            case T.RELEASE:
                self.say(T.RELEASE_COMPLETE, message.transaction, answering=reply)

    def answer_page(self, identity: MobileIdentity) -> None:
        """Answer a page as somebody."""
        classmark = b"\x30\x18\x00"
        key: dict[str, Any] = {"ciphering_key_sequence_number": 7}
        self.say(T.PAGING_RESPONSE, **key, mobile_station_classmark_2=classmark, mobile_identity=identity)

    def detach(self, identity: MobileIdentity | None = None) -> None:
        """Say that somebody, else its card, is switched off."""
        who = identity or self.identity
        self.say(T.IMSI_DETACH_INDICATION, mobile_station_classmark_1=b"\x30", mobile_identity=who)

    def register(self) -> None:
        """Ask to be registered."""
        self.say(
            T.LOCATION_UPDATING_REQUEST,
            location_updating_type=2,
            ciphering_key_sequence_number=7,
            location_area_identification=LAI,
            mobile_station_classmark_1=b"\x30",
            mobile_identity=self.identity,
        )

    def ask_service(self, purpose: int = 1, identity: MobileIdentity | None = None) -> None:
        """Ask for a connection."""
        self.say(
            T.CM_SERVICE_REQUEST,
            cm_service_type=purpose,
            ciphering_key_sequence_number=7,
            mobile_station_classmark_2=b"\x30\x18\x00",
            mobile_identity=identity or self.identity,
        )

    def call(self, number: str) -> None:
        """Ask for a connection, and call."""
        self.ask_service()
        dialled = AddressString(number.removeprefix("+"), int(number.startswith("+")))
        self.say(T.SETUP, bearer_capability=b"\xa0", called_party_bcd_number=dialled)

    def hang_up(self, *, answering: bool = False) -> None:
        """End the call."""
        self.say(T.DISCONNECT, answering=answering, cc_cause=Cause(16, 0, CODING_GSM))

    def names(self) -> list[str]:
        """Return what came."""
        return [each.type.name for each in self.heard]

    def last(self, kind: MessageType) -> Message:
        """Return the last message of a type."""
        return next(each for each in reversed(self.heard) if each.type is kind)

    @property
    def cause(self) -> int | None:
        """The cause by which its last call was cleared by the network."""
        kinds = (T.DISCONNECT, T.RELEASE_COMPLETE)
        found = [each["cc_cause"].value for each in self.heard if each.type in kinds and "cc_cause" in each]
        return found[-1] if found else None


class SspNet(Bench):
    """All of them. Keywords are settings of the SSP."""

    subject = "ssp"

    def __init__(self, loop: TestbedLoop, transport: str = "memory", **config: Any) -> None:
        super().__init__(loop, transport=transport)
        self.hlr = self.add("hss", Hlr, {"point_code": HLR})
        self.eir = self.add("eir", Eir, {"point_code": EIR})
        self.scf = self.add("scp", Scf, {"point_code": SCF})
        self.far = self.add("pstn", Far)
        self.ssp = self.add("ssp", Ssp, {"trunks": {"pstn": {"prefixes": [""]}}, **config})
        self.ms = self.add("ms", Ms)

    async def start(self) -> None:
        await super().start()
        await self.settle()

    async def registered(self, **csis: Any) -> None:
        """Have the terminal's card registered, with CSIs."""
        for name, csi in csis.items():
            setattr(self.hlr, name, csi)
        self.ms.register()
        await self.settle()
        assert "LOCATION_UPDATING_ACCEPT" in self.ms.names(), self.notes()

    async def mo(self, number: str = "13800001111") -> None:
        """Have the terminal call."""
        self.ms.call(number)
        await self.settle()

    def records(self) -> list[ChargingRecord]:
        """Return the records that were written."""
        return self.of(ChargingRecord)

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is None:
            await self.settle()
        await super().__aexit__(kind, _, __)

    def judge(self) -> None:
        """Nothing is left behind."""
        super().judge()
        core = self.ssp.core
        assert (core.calls, core.scfs, core.roaming, core.updating, len(core.trunks)) == ({}, {}, {}, {}, 0)
