"""What a terminal sends that no specification asks of it: NAS messages out of turn, unprotected, forged or repeated.

Whether the network is impressed is seen in its answers. To the card it says what a reader can, in whose hands it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import field_validator, model_validator

from simulators.device.clients.card import CardGoneError
from simulators.device.procedures import esm
from simulators.device.terminal import CAPABILITY
from simulators.device.verbs import DevicePart, OfDevice
from simwarden.errors import ManagementError
from simwarden.runtime.declare import DeviceName, Hexadecimal, VerbModel, verb
from simwarden.wire import nas
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.device.contexts import Emm

_PATIENCE = 5.0
"""Seconds to wait for what the network makes of a message that was not due; less than its own timers."""
_CIPHERED = nas.SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED
_NO_MAC = bytes(4)


def _claimed(emm: Emm, imsi: str) -> nas.MobileIdentity:
    """Whom a message names: the IMSI given, else the terminal's own registration."""
    if not imsi and emm.guti is not None:
        return nas.MobileIdentity(nas.IdentityType.GUTI, emm.guti)
    if not imsi and emm.card is not None:
        imsi = emm.card.imsi
    if not imsi:
        raise ManagementError(409, "the terminal has neither card nor GUTI: give imsi")
    return nas.MobileIdentity(nas.IdentityType.IMSI, imsi)


def _ksi(emm: Emm, imsi: str) -> int:
    return nas.NO_KEY if imsi else emm.ksi


def _attach_request(emm: Emm, imsi: str) -> nas.Message:
    return nas.Message(
        nas.MessageType.ATTACH_REQUEST,
        eps_attach_type=nas.AttachType.EPS_ATTACH,
        nas_key_set_identifier=_ksi(emm, imsi),
        eps_mobile_identity=_claimed(emm, imsi),
        ue_network_capability=CAPABILITY,
        esm_message_container=nas.encode(esm.pdn_connectivity_request(emm, nas.RequestType.INITIAL_REQUEST)),
    )


def _attach_complete(_emm: Emm, _imsi: str) -> nas.Message:
    accepted = nas.Message(
        nas.MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT,
        eps_bearer_identity=5,
        procedure_transaction_identity=0,
    )
    return nas.Message(nas.MessageType.ATTACH_COMPLETE, esm_message_container=nas.encode(accepted))


def _detach_request(emm: Emm, imsi: str) -> nas.Message:
    return nas.Message(
        nas.MessageType.DETACH_REQUEST,
        detach_type=nas.DetachType.SWITCH_OFF_EPS_DETACH,
        nas_key_set_identifier=_ksi(emm, imsi),
        eps_mobile_identity=_claimed(emm, imsi),
    )


def _tracking_area_update_request(emm: Emm, _imsi: str) -> nas.Message:
    if emm.guti is None:
        raise ManagementError(409, "the terminal has no GUTI to update a tracking area with")
    return nas.Message(
        nas.MessageType.TRACKING_AREA_UPDATE_REQUEST,
        eps_update_type=nas.UpdateType.TA_UPDATING,
        nas_key_set_identifier=emm.ksi,
        old_guti=emm.guti,
    )


def _identity_response(emm: Emm, imsi: str) -> nas.Message:
    identity = _claimed(emm, imsi) if imsi else emm.terminal.identity(nas.IdentityType.IMEISV)
    return nas.Message(nas.MessageType.IDENTITY_RESPONSE, mobile_identity=identity)


def _security_mode_complete(emm: Emm, _imsi: str) -> nas.Message:
    return nas.Message(nas.MessageType.SECURITY_MODE_COMPLETE, imeisv=emm.terminal.identity(nas.IdentityType.IMEISV))


def _authentication_response(_emm: Emm, _imsi: str) -> nas.Message:
    return nas.Message(nas.MessageType.AUTHENTICATION_RESPONSE, res=bytes(8))


MESSAGES: dict[str, Callable[[Emm, str], nas.Message]] = {
    "attach-request": _attach_request,
    "attach-complete": _attach_complete,
    "detach-request": _detach_request,
    "tracking-area-update-request": _tracking_area_update_request,
    "identity-response": _identity_response,
    "security-mode-complete": _security_mode_complete,
    "authentication-response": _authentication_response,
}
"""The messages that can be made up, by the spec's names: of the terminal's state and of the IMSI to be named."""


class SendNas(OfDevice):
    """Send a NAS message that is not due, or not as it is due."""

    message: str = ""
    """The message by its spec's name (`detach-request`)."""
    octets: Hexadecimal = ""
    """Or the message itself in hexadecimal, whatever it is (TS 24.301 8); blanks may stand between its parts."""
    protection: Literal["due", "none", "wrong-mac", "replayed"] = "due"
    """As it is due; none; a false message authentication code; or an earlier message of that name, octet by octet."""
    imsi: str = ""
    """Whom it names, if not whom the terminal is registered as."""

    @field_validator("message")
    @classmethod
    def _is_known(cls, value: str) -> str:
        name = value.lower().replace("_", "-")
        if name not in MESSAGES:
            raise ValueError(f"a terminal cannot make up {value!r}; it can: {', '.join(MESSAGES)}")
        return name

    @model_validator(mode="after")
    def _is_one(self) -> SendNas:
        if bool(self.message) == bool(self.octets):
            raise ValueError("give the message by its name, or its octets")
        if self.octets and self.protection == "replayed":
            raise ValueError("what is sent again was sent before: give its name")
        return self

    def plain(self, emm: Emm) -> bytes:
        """Return the message before it is protected."""
        return bytes.fromhex(self.octets) or nas.encode(MESSAGES[self.message](emm, self.imsi))


class SendApdu(VerbModel):
    """Send a command to the card that it was not asked for."""

    target = "device"
    device: DeviceName
    """The terminal that holds the card, and is switched on."""
    octets: Hexadecimal
    """The command APDU in hexadecimal (TS 102.221 10.1); blanks may stand between its parts."""


class SendDtap(VerbModel):
    """Say something to the MSC that is not due."""

    target = "device"
    device: DeviceName
    """The terminal, which is switched on."""
    octets: Hexadecimal
    """The message in hexadecimal, whatever it is (TS 24.008 9, 10); blanks may stand between its parts."""


class Misbehaviour(DevicePart):
    """What an honest terminal never does."""

    @verb("answered", "released", "no-answer")
    async def send_nas(self, arguments: SendNas) -> str:
        """Send a NAS message that is not due: `answered`, `released` or `no-answer`, whichever comes first."""
        emm = self.powered
        if arguments.protection == "replayed":
            pdu, clear = repeated(emm.sent, arguments.message)
        else:
            pdu, clear = protected(emm, arguments.plain(emm), arguments.protection)
        emm.radio.send_nas(pdu, clear, EstablishmentCause.MO_SIGNALLING)
        return await emm.heard("answered", "released", within=_PATIENCE) or "no-answer"

    @verb("sent", "no-cell")
    async def send_dtap(self, arguments: SendDtap) -> str:
        """Say something to the MSC as its radio leg carries it; `no-cell` where nothing is heard of an MSC."""
        if not self.powered.config.msc or not await self.emm.cs.listen() or self.emm.cs.link is None:
            return "no-cell"
        self.emm.cs.link.send(bytes.fromhex(arguments.octets))
        return "sent"

    @verb("answered", "no-answer")
    async def send_apdu(self, arguments: SendApdu) -> str:
        """Send a command to the card as from a reader: `answered` (with which status word, its response says)."""
        session = self.powered.session
        if session is None:
            raise ManagementError(409, f"{self.emm.site.name} holds no card")
        try:
            await session.say(bytes.fromhex(arguments.octets))
        except CardGoneError:
            return "no-answer"
        return "answered"


def protected(emm: Emm, plain: bytes, how: str) -> tuple[bytes, bytes | None]:
    """Return a message under its protection and what it was before ciphering; `how` is `due`, `none` or `wrong-mac`.

    Who has no keys can only put a false message authentication code before it.
    """
    if how == "none":
        return plain, None
    if emm.security is None:
        if how == "due":
            raise ManagementError(409, "the terminal has no keys to protect a message with")
        return bytes([nas.SecurityHeaderType.INTEGRITY_PROTECTED << 4 | 7]) + _NO_MAC + b"\0" + plain, None
    kind = _CIPHERED if emm.secure else nas.SecurityHeaderType.INTEGRITY_PROTECTED
    pdu = emm.security.protect(plain, kind)
    if how == "wrong-mac":
        emm.security.ul_count -= 1  # the network will not take it, so that the next message has this COUNT
        pdu = pdu[:1] + bytes(octet ^ 0xFF for octet in pdu[1:5]) + pdu[5:]
    return pdu, plain if kind.ciphered else None


def repeated(sent: Iterable[tuple[bytes, bytes | None]], message: str) -> tuple[bytes, bytes | None]:
    """Return the last protected message of a name that was sent. Raises ManagementError (409) if there was none."""
    wanted = nas.MessageType[message.upper().replace("-", "_")]
    found = None
    for pdu, clear in sent:
        if nas.header_type(pdu) is not nas.SecurityHeaderType.PLAIN and (clear or pdu[6:])[1:2] == bytes([wanted]):
            found = pdu, clear
    if found is None:
        raise ManagementError(409, f"no protected {message} was sent before")
    return found
