"""A scripted HSS, EIR and eNB with devices around a real MME, on memory links and virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from simulators.mme.config import MmeConfig
from simulators.mme.element import Mme
from simwarden.machine.eps_keys import kasme
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.model.identity import Ecgi, Guti, Plmn, Tai
from simwarden.operations.element import Element
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Decided, Fault, Note, PeerFault, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import s1ap
from simwarden.wire.diameter import Message as DiameterMessage
from simwarden.wire.diameter import ResultCode
from simwarden.wire.nas.elements import MobileIdentity, UeNetworkCapability
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message, decode, encode
from simwarden.wire.nas.security_header import SecurityHeaderType, header_type, split
from simwarden.wire.s1ap import CauseRadioNetwork, RrcEstablishmentCause
from simwarden.wire.s1ap.values import ErabTunnel, GlobalEnbId, MacroEnbId, STmsi, SupportedTa

if TYPE_CHECKING:
    from simwarden.policy.decision import Decision
    from simwarden.runtime.link import Link

PLMN = Plmn("001", "01")
TAI = Tai(PLMN, 1)
REALM = PLMN.realm
IMSI = "001010000000001"
IMEISV = "3569876500000101"
CK, IK = bytes(range(16)), bytes(range(16, 32))
RES = b"\x01\x02\x03\x04\x05\x06\x07\x08"
CAPABILITY = UeNetworkCapability(0xE0, 0xE0)


CHECK = "me-identity-check"


class Nothing(ElementConfig):
    """No settings."""


class Register(Element[Nothing]):
    """A scripted HSS or EIR: `answers` maps a request's name to a function, or to a result; all that came is kept."""

    declaration = Declaration(kind="register", title="Register", lane=60, config=Nothing)
    interface = "S6a"

    async def start(self) -> None:
        self.asked: list[DiameterMessage] = []
        names = ("authentication-information", "update-location", "notify", "purge-ue")
        handlers = {f"{name}-request": self.answer for name in (names if self.interface == "S6a" else [CHECK])}
        self.answers: dict[str, Any] = {}
        self.silent = False
        self.node = DiameterNode(self.site, LocalNode(f"{self.site.name}.{REALM}", REALM), {self.interface: handlers})
        await self.node.listen(self.interface)

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def answer(self, message: DiameterMessage, _peer: Peer) -> DiameterMessage:
        self.asked.append(message)
        if self.silent:
            await self.site.clock.sleep(60)
        made = self.answers.get(message.name.removesuffix("-request"))
        if made is None:
            made = getattr(self, message.name.removesuffix("-request").replace("-", "_"))(message)
        if isinstance(made, int):
            return self.node.answer(message, made, experimental=made in (5001, 5004, 5420, 5421, 5422))
        return self.node.answer(message, ResultCode.DIAMETER_SUCCESS, made)

    def authentication_information(self, _message: DiameterMessage) -> Any:
        vector = [("RAND", bytes(16)), ("XRES", RES), ("AUTN", bytes(16)), ("KASME", kasme(CK, IK, PLMN, bytes(6)))]
        return [("Authentication-Info", [("E-UTRAN-Vector", vector)])]

    def update_location(self, _message: DiameterMessage) -> Any:
        apn = [("Context-Identifier", 1), ("PDN-Type", 0), ("Service-Selection", "meters.example")]
        profile = [
            ("Context-Identifier", 1),
            ("All-APN-Configurations-Included-Indicator", 0),
            ("APN-Configuration", apn),
        ]
        data = [("Subscriber-Status", 0), ("MSISDN", "1064700000001"), ("APN-Configuration-Profile", profile)]
        return [("ULA-Flags", 1), ("Subscription-Data", data)]

    def notify(self, _message: DiameterMessage) -> Any:
        return []

    def purge_ue(self, _message: DiameterMessage) -> Any:
        return [("PUA-Flags", 1)]

    def me_identity_check(self, _message: DiameterMessage) -> Any:
        return [("Equipment-Status", 0)]

    async def order(self, name: str, avps: list[tuple[str, Any]]) -> DiameterMessage:
        """Send a request to the MME."""
        host = f"mme.{REALM}"
        return await self.node.ask(host, self.node.make(name, avps, realm=REALM, host=host))

    def names(self) -> list[str]:
        return [message.name.removesuffix("-request") for message in self.asked]


class EquipmentRegister(Register):
    """The scripted EIR."""

    interface = "S13"


class Radio(Element[Nothing]):
    """A scripted eNB: no logic but S1 setup and contexts set up and released; devices are `Phone`s."""

    declaration = Declaration(kind="radio", title="Radio", lane=30, config=Nothing)

    async def start(self) -> None:
        self.phones: dict[int, Phone] = {}
        self.seen: list[s1ap.Message] = []
        self.auto = True
        self.link: Link = await self.site.connect("S1-MME", "mme")
        self.link.on_receive = self.receive

    async def stop(self) -> None:
        self.link.close()

    @property
    def identity(self) -> int:
        return 1 if self.site.name == "enb" else 2

    def setup(self, tac: int = 1, plmn: Plmn = PLMN) -> None:
        self.send(
            "s1-setup-request",
            global_enb_id=GlobalEnbId(PLMN, MacroEnbId(self.identity)),
            supported_tas=(SupportedTa(tac, (plmn,)),),
            default_paging_drx=s1ap.PagingDrx.V64,
        )

    def send(self, name: str, **ies: Any) -> None:
        self.link.send(s1ap.encode(s1ap.Message(name, ies)))

    def last(self, name: str) -> s1ap.Message:
        return next(message for message in reversed(self.seen) if message.name == name)

    def names(self) -> list[str]:
        return [message.name for message in self.seen]

    def receive(self, data: bytes, _stream: int) -> None:
        message = s1ap.decode(data)
        self.seen.append(message)
        ids = message.get("ue_s1ap_ids")
        number = ids.enb_ue_s1ap_id if hasattr(ids, "enb_ue_s1ap_id") else message.get("enb_ue_s1ap_id")
        phone = self.phones.get(number)
        if phone is None:
            return
        phone.mme_id = message.get("mme_ue_s1ap_id") or getattr(ids, "mme_ue_s1ap_id", phone.mme_id)
        if message.name == "ue-context-release-command" and self.auto:
            phone.released.append(message["cause"])
            phone.up("ue-context-release-complete")
            del self.phones[number]
        elif message.name == "initial-context-setup-request" and self.auto:
            items = message["e_rab_to_be_setup_list_ctxt_su_req"]
            phone.up(
                "initial-context-setup-response",
                e_rab_setup_list_ctxt_su_res=(ErabTunnel(5, bytes([192, 0, 2, 9]), 77),),
            )
            if items[0].nas_pdu is not None:
                phone.take(items[0].nas_pdu)
            else:
                phone.bearers += 1
        elif message.get("nas_pdu") is not None:
            phone.take(message["nas_pdu"])


Reply = Callable[["Phone", Message], None]


@dataclass
class Phone:
    """A scripted device: it does what the network asks, unless `replies` has another idea for a message type."""

    radio: Radio
    imsi: str = IMSI
    imeisv: str = IMEISV
    imei: str = ""
    enb_id: int = 1
    mme_id: int = 0
    cell: Ecgi | None = None
    guti: Guti | None = None
    security: NasSecurityContext | None = None
    secured: bool = False
    bearers: int = 0
    got: list[Message] = field(default_factory=list)
    released: list[Any] = field(default_factory=list)
    replies: dict[MessageType, Reply | None] = field(default_factory=dict)

    def up(self, name: str, **ies: Any) -> None:
        self.radio.send(name, mme_ue_s1ap_id=self.mme_id, enb_ue_s1ap_id=self.enb_id, **ies)

    def first(self, pdu: bytes, *, s_tmsi: bool = False, **ies: Any) -> None:
        """Send the first NAS message of a new connection."""
        while self.enb_id in self.radio.phones:
            self.enb_id += 1
        self.radio.phones[self.enb_id] = self
        self.secured = False
        if s_tmsi and self.guti is not None:
            ies["s_tmsi"] = STmsi(self.guti.mme_code, self.guti.m_tmsi)
        self.radio.send(
            "initial-ue-message",
            enb_ue_s1ap_id=self.enb_id,
            nas_pdu=pdu,
            **{"tai": TAI, "eutran_cgi": Ecgi(PLMN, self.radio.identity << 8 | 1)} | ies,
            rrc_establishment_cause=RrcEstablishmentCause.MO_SIGNALLING,
        )

    def send(self, message: Message) -> None:
        """Send a NAS message, protected if there is security on this connection."""
        plain = encode(message)
        if self.secured and self.security is not None:
            kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED
            if message.type is MessageType.SECURITY_MODE_COMPLETE:
                kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT
            plain = self.security.protect(plain, kind)
        self.raw(plain)

    def raw(self, pdu: bytes) -> None:
        """Send octets in an UPLINK NAS TRANSPORT."""
        cell = self.cell or Ecgi(PLMN, self.radio.identity << 8 | 1)
        self.up("uplink-nas-transport", nas_pdu=pdu, eutran_cgi=cell, tai=TAI)

    def attach_request(self, **fields: Any) -> Message:
        identity = MobileIdentity(IdentityType.IMSI, self.imsi)
        if self.guti is not None:
            identity = MobileIdentity(IdentityType.GUTI, self.guti)
        pdn = Message(
            MessageType.PDN_CONNECTIVITY_REQUEST,
            eps_bearer_identity=0,
            procedure_transaction_identity=1,
            request_type=1,
            pdn_type=1,
            **{key: fields.pop(key) for key in ("access_point_name", "esm_information_transfer_flag") if key in fields},
        )
        return Message(
            MessageType.ATTACH_REQUEST,
            **{
                "eps_attach_type": 1,
                "nas_key_set_identifier": self.security.ksi if self.security else 7,
                "eps_mobile_identity": identity,
                "ue_network_capability": CAPABILITY,
                "esm_message_container": encode(pdn),
            }
            | fields,
        )

    def protected(self, message: Message) -> bytes:
        """Protect an initial message, if there are keys: integrity only."""
        plain = encode(message)
        if self.security is None:
            return plain
        return self.security.protect(plain, SecurityHeaderType.INTEGRITY_PROTECTED)

    def attach(self, **fields: Any) -> None:
        self.first(self.protected(self.attach_request(**fields)))
        self.secured = self.security is not None

    def update(self, kind: int = 0, **fields: Any) -> None:
        assert self.security is not None
        assert self.guti is not None
        request = Message(
            MessageType.TRACKING_AREA_UPDATE_REQUEST,
            eps_update_type=kind,
            nas_key_set_identifier=self.security.ksi,
            old_guti=self.guti,
            **fields,
        )
        self.first(self.protected(request))
        self.secured = True

    def service(self) -> None:
        assert self.security is not None
        self.first(self.security.service_request(), s_tmsi=True)
        self.secured = True

    def idle(self) -> None:
        """The eNB finds the device inactive."""
        self.up("ue-context-release-request", cause=CauseRadioNetwork.USER_INACTIVITY)

    def take(self, pdu: bytes) -> None:
        plain = pdu
        if header_type(pdu) is not SecurityHeaderType.PLAIN:
            kind = header_type(pdu)
            if kind is SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT:
                command = decode(split(pdu).payload, uplink=False)
                chosen = command["selected_nas_security_algorithms"]
                key = kasme(CK, IK, PLMN, bytes(6)) if chosen.eia else bytes(32)
                ksi = command["nas_key_set_identifier"]
                self.security = NasSecurityContext(key, ksi=ksi, eia=chosen.eia, eea=chosen.eea, is_network=False)
                self.secured = True
            assert self.security is not None
            plain = self.security.unprotect(pdu)
        message = decode(plain, uplink=False)
        self.got.append(message)
        if message.type in self.replies:
            reply = self.replies[message.type]
            if reply is not None:
                reply(self, message)
            return
        default = _DEFAULT.get(message.type)
        if default is not None:
            default(self, message)

    def take_again(self, message: Message) -> None:
        """Do at last what a message asked for that was only looked at."""
        _DEFAULT[message.type](self, message)

    def types(self) -> list[MessageType]:
        return [message.type for message in self.got]


def _authenticate(phone: Phone, _message: Message) -> None:
    phone.send(Message(MessageType.AUTHENTICATION_RESPONSE, res=RES))


def _secure(phone: Phone, message: Message) -> None:
    fields = {}
    if message.get("imeisv_request") and phone.imeisv:
        fields["imeisv"] = MobileIdentity(IdentityType.IMEISV, phone.imeisv)
    phone.send(Message(MessageType.SECURITY_MODE_COMPLETE, **fields))


def _identify(phone: Phone, message: Message) -> None:
    kind = IdentityType(message["identity_type"])
    digits = {IdentityType.IMSI: phone.imsi, IdentityType.IMEISV: phone.imeisv, IdentityType.IMEI: phone.imei}[kind]
    identity = MobileIdentity(kind, digits) if digits else MobileIdentity(IdentityType.NO_IDENTITY, None)
    phone.send(Message(MessageType.IDENTITY_RESPONSE, mobile_identity=identity))


def _accepted(phone: Phone, message: Message) -> None:
    phone.guti = message.get("guti") or phone.guti
    esm = decode(message["esm_message_container"], uplink=False)
    accept = Message(
        MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT,
        eps_bearer_identity=esm["eps_bearer_identity"],
        procedure_transaction_identity=0,
    )
    phone.send(Message(MessageType.ATTACH_COMPLETE, esm_message_container=encode(accept)))


def _updated(phone: Phone, message: Message) -> None:
    if message.get("guti") is not None:
        phone.guti = message["guti"]
        phone.send(Message(MessageType.TRACKING_AREA_UPDATE_COMPLETE))


def _detached(phone: Phone, _message: Message) -> None:
    phone.send(Message(MessageType.DETACH_ACCEPT))


_DEFAULT: dict[MessageType, Reply] = {
    MessageType.AUTHENTICATION_REQUEST: _authenticate,
    MessageType.SECURITY_MODE_COMMAND: _secure,
    MessageType.IDENTITY_REQUEST: _identify,
    MessageType.ATTACH_ACCEPT: _accepted,
    MessageType.TRACKING_AREA_UPDATE_ACCEPT: _updated,
    MessageType.DETACH_REQUEST: _detached,
}


class Network:
    """An MME between scripted neighbours."""

    def __init__(self, loop: TestbedLoop, config: MmeConfig, switches: dict[str, str]) -> None:
        clock = Clock(loop)
        self.host = Host(loop, clock, Trace(clock.now), HostSettings(switches=switches))
        self.hss: Register = self.host.add("hss", Register, Nothing())  # type: ignore[assignment]
        self.eir: Register = self.host.add("eir", EquipmentRegister, Nothing())  # type: ignore[assignment]
        self.mme: Mme = self.host.add("mme", Mme, config)  # type: ignore[assignment]
        self.enb: Radio = self.host.add("enb", Radio, Nothing())  # type: ignore[assignment]
        self.enb2: Radio = self.host.add("enb2", Radio, Nothing())  # type: ignore[assignment]

    async def start(self) -> None:
        for name in ("hss", "eir", "mme", "enb", "enb2"):
            await self.host.start(name)
        self.enb.setup()
        self.enb2.setup()
        await self.settle()

    async def settle(self) -> None:
        await self.host.clock.settle()

    async def pass_time(self, seconds: float) -> None:
        await self.host.clock.sleep(seconds)
        await self.settle()

    def phone(self, **fields: Any) -> Phone:
        return Phone(self.enb, **fields)

    async def attached(self, **fields: Any) -> Phone:
        phone = self.phone(**fields)
        phone.attach()
        await self.settle()
        assert self.session(phone.imsi) is not None
        return phone

    async def attached_idle(self, **fields: Any) -> Phone:
        phone = await self.attached(**fields)
        phone.idle()
        await self.settle()
        phone.got.clear()
        self.hss.asked.clear()
        self.eir.asked.clear()
        return phone

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.host.trace.events if isinstance(event, kind)]

    def session(self, imsi: str = IMSI) -> dict[str, Any] | None:
        changes = [event for event in self.of(StateChange) if event.observable == "session" and event.key == imsi]
        return changes[-1].value if changes else None

    def reject(self, imsi: str = IMSI) -> dict[str, Any]:
        changes = [event for event in self.of(StateChange) if event.observable == "reject" and event.key == imsi]
        return dict(changes[-1].value)

    def decisions(self, control: str) -> list[Decision]:
        return [event.decision for event in self.of(Decided) if event.decision.control.id == control]

    def faults(self) -> list[str]:
        return [event.reason for event in self.of(PeerFault)]

    def notes(self) -> list[str]:
        return [event.text for event in self.of(Note)]

    def bugs(self) -> list[str]:
        return [event.detail or event.reason for event in self.of(Fault)]


Story = Callable[[Network], Coroutine[Any, Any, None]]
Run = Callable[..., None]


@pytest.fixture
def run() -> Iterator[Run]:
    """Run a story in a network; every run must end without a bug of ours."""
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Story, switches: dict[str, str] | None = None, **config: Any) -> None:
        network = Network(loop, MmeConfig.model_validate(config), switches or {})

        async def whole() -> None:
            await network.start()
            await story(network)
            await network.host.close()

        loop.run_until_complete(asyncio.wait_for(whole(), None))
        assert network.bugs() == []

    yield carry_out
    loop.close()
