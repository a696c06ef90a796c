"""A scripted eNB, and devices behind it, around an MME: S1AP and NAS, with no logic but what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwarden.machine.eps_keys import kasme
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.model.identity import Ecgi, Guti, Plmn, Tai
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing.diameter import AUTN, CK, IK, IMSI, PLMN, RES
from simwarden.wire import s1ap
from simwarden.wire.nas.elements import MobileIdentity, UeNetworkCapability
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message, decode, encode
from simwarden.wire.nas.security_header import SecurityHeaderType, header_type, split
from simwarden.wire.s1ap import CauseRadioNetwork, RrcEstablishmentCause
from simwarden.wire.s1ap.values import ErabTunnel, GlobalEnbId, MacroEnbId, STmsi, SupportedTa

if TYPE_CHECKING:
    from simwarden.runtime.link import Link

TAI = Tai(PLMN, 1)
IMEISV = "3569876500000101"
CAPABILITY = UeNetworkCapability(0xE0, 0xE0)


class ScriptedEnbConfig(ElementConfig):
    """Which eNB, at which MME."""

    identity: int = 1
    """Its macro eNB ID."""
    mme: str = "mme"
    """The element to which it connects."""


class ScriptedEnb(Element[ScriptedEnbConfig]):
    """An eNB that sets up S1 when told so, and contexts when asked (unless `auto` is off); it keeps what it hears.

    Devices are `ScriptedPhone`s: what comes for one is handed to it.
    """

    declaration = Declaration(
        kind="enb", title="eNB", lane=30, config=ScriptedEnbConfig, starts_after=("mme",), calls=("S1-MME",)
    )

    async def start(self) -> None:
        """Connect to the MME."""
        self.phones: dict[int, ScriptedPhone] = {}
        self.seen: list[s1ap.Message] = []
        self.auto = True
        self.link: Link = await self.site.connect("S1-MME", self.config.mme)
        self.link.on_receive = self.receive

    async def stop(self) -> None:
        """Leave the MME."""
        self.link.close()

    def setup(self, tac: int = 1, plmn: Plmn = PLMN) -> None:
        """Send S1 SETUP REQUEST, with one tracking area."""
        self.send(
            "s1-setup-request",
            global_enb_id=GlobalEnbId(PLMN, MacroEnbId(self.config.identity)),
            supported_tas=(SupportedTa(tac, (plmn,)),),
            default_paging_drx=s1ap.PagingDrx.V64,
        )

    def send(self, name: str, **ies: Any) -> None:
        """Send a message of S1AP."""
        self.link.send(s1ap.encode(s1ap.Message(name, ies)))

    def last(self, name: str) -> s1ap.Message:
        """Return the newest message of a name."""
        return next(message for message in reversed(self.seen) if message.name == name)

    def names(self) -> list[str]:
        """Return the names of what came so far."""
        return [message.name for message in self.seen]

    def receive(self, data: bytes, _stream: int) -> None:
        """Keep a message, and do as it says for the device that it is about."""
        message = s1ap.decode(data)
        self.seen.append(message)
        ids = message.get("ue_s1ap_ids")
        number = ids.enb_ue_s1ap_id if hasattr(ids, "enb_ue_s1ap_id") else message.get("enb_ue_s1ap_id")
        phone = self.phones.get(number)
        if phone is None:
            return
        phone.mme_id = message.get("mme_ue_s1ap_id") or getattr(ids, "mme_ue_s1ap_id", phone.mme_id)
        if self.auto and message.name == "ue-context-release-command":
            phone.released.append(message["cause"])
            phone.up("ue-context-release-complete")
            del self.phones[number]
        elif self.auto and message.name == "initial-context-setup-request":
            self._set_up(phone, message)
        elif self.auto and message.name == "e-rab-setup-request":
            self._add(phone, message)
        elif self.auto and message.name == "e-rab-modify-request":
            self._modify(phone, message)
        elif message.get("nas_pdu") is not None:
            phone.take(message["nas_pdu"])

    @staticmethod
    def _set_up(phone: ScriptedPhone, message: s1ap.Message) -> None:
        """Give a device its bearers, and the NAS message that came with the first."""
        items = message["e_rab_to_be_setup_list_ctxt_su_req"]
        tunnels = tuple(_tunnel(item.e_rab_id) for item in items)
        phone.up("initial-context-setup-response", e_rab_setup_list_ctxt_su_res=tunnels)
        pdu = items[0].nas_pdu
        if pdu is not None:
            phone.take(pdu)
        else:
            phone.bearers += 1

    @staticmethod
    def _add(phone: ScriptedPhone, message: s1ap.Message) -> None:
        """Give a device a further bearer, and the NAS message that came with it."""
        for item in message["e_rab_to_be_setup_list_bearer_su_req"]:
            phone.up("e-rab-setup-response", e_rab_setup_list_bearer_su_res=(_tunnel(item.e_rab_id),))
            phone.take(item.nas_pdu)

    @staticmethod
    def _modify(phone: ScriptedPhone, message: s1ap.Message) -> None:
        """Change bearers, and give the device the NAS messages that came with that."""
        for item in message["e_rab_to_be_modified_list_bearer_mod_req"]:
            phone.up("e-rab-modify-response", e_rab_modify_list_bearer_mod_res=(item.e_rab_id,))
            phone.take(item.nas_pdu)


def _tunnel(identity: int) -> ErabTunnel:
    return ErabTunnel(identity, bytes([192, 0, 2, 9]), 72 + identity)


Reply = Callable[["ScriptedPhone", Message], None]


@dataclass
class ScriptedPhone:
    """A device with a card: it does what the network asks, unless `replies` has another idea for a message type.

    `replies` maps the type of a NAS message to a function, or to None for no answer; what came is in `got`. Its keys
    are those of `ScriptedHss`.
    """

    radio: ScriptedEnb
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
        """Send a message of S1AP about this device."""
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
            **{"tai": TAI, "eutran_cgi": Ecgi(PLMN, self.radio.config.identity << 8 | 1)} | ies,
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
        cell = self.cell or Ecgi(PLMN, self.radio.config.identity << 8 | 1)
        self.up("uplink-nas-transport", nas_pdu=pdu, eutran_cgi=cell, tai=TAI)

    def attach_request(self, **fields: Any) -> Message:
        """Make an ATTACH REQUEST: with the GUTI, if it has one; `fields` are those that are to be otherwise."""
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
        """Begin to attach."""
        self.first(self.protected(self.attach_request(**fields)))
        self.secured = self.security is not None

    def update(self, kind: int = 0, **fields: Any) -> None:
        """Begin a tracking area update."""
        assert self.security is not None  # noqa: S101 - as above
        assert self.guti is not None  # noqa: S101 - as above
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
        """Ask for service."""
        assert self.security is not None  # noqa: S101 - as above
        self.first(self.security.service_request(), s_tmsi=True)
        self.secured = True

    def idle(self) -> None:
        """The eNB finds the device inactive."""
        self.up("ue-context-release-request", cause=CauseRadioNetwork.USER_INACTIVITY)

    def take(self, pdu: bytes) -> None:
        """Read a NAS message and answer it."""
        kind, plain = header_type(pdu), pdu
        if kind is SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT:
            self._new_context(decode(split(pdu).payload, uplink=False))
        if kind is not SecurityHeaderType.PLAIN:
            if self.security is None:
                return  # in a forged name: it has not the keys to read this with
            plain = self.security.unprotect(pdu)
        message = decode(plain, uplink=False)
        self.got.append(message)
        reply = self.replies.get(message.type, _DEFAULT.get(message.type))
        if reply is not None:
            reply(self, message)

    def _new_context(self, command: Message) -> None:
        """Take the algorithms of a SECURITY MODE COMMAND; without integrity (EIA0) there is no key."""
        chosen = command["selected_nas_security_algorithms"]
        key = kasme(CK, IK, PLMN, AUTN[:6]) if chosen.eia else bytes(32)
        ksi = command["nas_key_set_identifier"]
        self.security = NasSecurityContext(key, ksi=ksi, eia=chosen.eia, eea=chosen.eea, is_network=False)
        self.secured = True

    def take_again(self, message: Message) -> None:
        """Do at last what a message asked for that was only looked at."""
        _DEFAULT[message.type](self, message)

    def types(self) -> list[MessageType]:
        """Return the types of the NAS messages that came so far."""
        return [message.type for message in self.got]


def _authenticate(phone: ScriptedPhone, _message: Message) -> None:
    phone.send(Message(MessageType.AUTHENTICATION_RESPONSE, res=RES))


def _secure(phone: ScriptedPhone, message: Message) -> None:
    fields = {}
    if message.get("imeisv_request") and phone.imeisv:
        fields["imeisv"] = MobileIdentity(IdentityType.IMEISV, phone.imeisv)
    phone.send(Message(MessageType.SECURITY_MODE_COMPLETE, **fields))


def _identify(phone: ScriptedPhone, message: Message) -> None:
    kind = IdentityType(message["identity_type"])
    digits = {IdentityType.IMSI: phone.imsi, IdentityType.IMEISV: phone.imeisv, IdentityType.IMEI: phone.imei}[kind]
    identity = MobileIdentity(kind, digits) if digits else MobileIdentity(IdentityType.NO_IDENTITY, None)
    phone.send(Message(MessageType.IDENTITY_RESPONSE, mobile_identity=identity))


def _accepted(phone: ScriptedPhone, message: Message) -> None:
    phone.guti = message.get("guti") or phone.guti
    esm = decode(message["esm_message_container"], uplink=False)
    accept = Message(
        MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT,
        eps_bearer_identity=esm["eps_bearer_identity"],
        procedure_transaction_identity=0,
    )
    phone.send(Message(MessageType.ATTACH_COMPLETE, esm_message_container=encode(accept)))


def _updated(phone: ScriptedPhone, message: Message) -> None:
    if message.get("guti") is not None:
        phone.guti = message["guti"]
        phone.send(Message(MessageType.TRACKING_AREA_UPDATE_COMPLETE))


def _detached(phone: ScriptedPhone, _message: Message) -> None:
    phone.send(Message(MessageType.DETACH_ACCEPT))


def _accepting(kind: MessageType) -> Reply:
    def accept(phone: ScriptedPhone, message: Message) -> None:
        phone.send(Message(kind, eps_bearer_identity=message["eps_bearer_identity"]))

    return accept


_DEFAULT: dict[MessageType, Reply] = {
    MessageType.AUTHENTICATION_REQUEST: _authenticate,
    MessageType.SECURITY_MODE_COMMAND: _secure,
    MessageType.IDENTITY_REQUEST: _identify,
    MessageType.ATTACH_ACCEPT: _accepted,
    MessageType.TRACKING_AREA_UPDATE_ACCEPT: _updated,
    MessageType.DETACH_REQUEST: _detached,
    MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST: _accepting(
        MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT
    ),
    MessageType.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST: _accepting(
        MessageType.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT
    ),
    MessageType.MODIFY_EPS_BEARER_CONTEXT_REQUEST: _accepting(MessageType.MODIFY_EPS_BEARER_CONTEXT_ACCEPT),
    MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST: _accepting(MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT),
}
