"""Which NAS messages a receiver may process without integrity protection (TS 24.301 4.4.4.2 and 4.4.4.3), as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType

if TYPE_CHECKING:
    from simwarden.wire.nas.message import Message


class Exemption(NamedTuple):
    """A message that may be processed unprotected, and when it may not after all.

    `unless` names a field and the value with which the message needs protection; `only` one that it must have.
    """

    clause: str
    unless: tuple[str, int] | None = None
    only: tuple[str, int] | None = None
    note: str = ""


_NOT_CSG = ("emm_cause", int(EmmCause.NOT_AUTHORIZED_FOR_THIS_CSG))

UE_PROCESSES: dict[MessageType, Exemption] = {
    MessageType.IDENTITY_REQUEST: Exemption("4.4.4.2 a", only=("identity_type", IdentityType.IMSI)),
    MessageType.AUTHENTICATION_REQUEST: Exemption("4.4.4.2 b"),
    MessageType.AUTHENTICATION_REJECT: Exemption("4.4.4.2 c", note="T3247 starts, see 5.4.2.5"),
    MessageType.ATTACH_REJECT: Exemption("4.4.4.2 d", unless=_NOT_CSG, note="see 5.3.7b"),
    MessageType.DETACH_ACCEPT: Exemption("4.4.4.2 e", note="for a detach other than switch off"),
    MessageType.TRACKING_AREA_UPDATE_REJECT: Exemption("4.4.4.2 f", unless=_NOT_CSG, note="see 5.3.7b"),
    MessageType.SERVICE_REJECT: Exemption("4.4.4.2 g", unless=_NOT_CSG, note="see 5.3.7b"),
}
"""What a UE processes while no secure exchange of NAS messages is established."""

NETWORK_PROCESSES: dict[MessageType, Exemption] = {
    MessageType.ATTACH_REQUEST: Exemption("4.4.4.3 a"),
    MessageType.IDENTITY_RESPONSE: Exemption("4.4.4.3 b", note="if the IMSI was asked for"),
    MessageType.AUTHENTICATION_RESPONSE: Exemption("4.4.4.3 c"),
    MessageType.AUTHENTICATION_FAILURE: Exemption("4.4.4.3 d"),
    MessageType.SECURITY_MODE_REJECT: Exemption("4.4.4.3 e"),
    MessageType.DETACH_REQUEST: Exemption("4.4.4.3 f"),
    MessageType.DETACH_ACCEPT: Exemption("4.4.4.3 g"),
    MessageType.TRACKING_AREA_UPDATE_REQUEST: Exemption("4.4.4.3 h"),
}
"""What an MME processes while no secure exchange of NAS messages is established."""

NETWORK_PROCESSES_DESPITE_BAD_MAC: dict[MessageType, Exemption] = {
    MessageType.ATTACH_REQUEST: Exemption("4.4.4.3", note="authenticate before going on"),
    MessageType.TRACKING_AREA_UPDATE_REQUEST: Exemption("4.4.4.3", note="authenticate, or reject with #9"),
    MessageType.SERVICE_REQUEST: Exemption("4.4.4.3", note="SERVICE REJECT #9, the context stays"),
    MessageType.EXTENDED_SERVICE_REQUEST: Exemption("4.4.4.3", note="SERVICE REJECT #9, the context stays"),
    MessageType.DETACH_REQUEST: Exemption("4.4.4.3", note="authenticate, or ignore if it is a switch off"),
    MessageType.AUTHENTICATION_RESPONSE: Exemption("4.4.4.3"),
    MessageType.AUTHENTICATION_FAILURE: Exemption("4.4.4.3"),
    MessageType.IDENTITY_RESPONSE: Exemption("4.4.4.3", note="if the IMSI was asked for"),
    MessageType.SECURITY_MODE_REJECT: Exemption("4.4.4.3"),
    MessageType.DETACH_ACCEPT: Exemption("4.4.4.3"),
}
"""What an MME processes although a secure exchange is established and the integrity check failed."""


def may_process(exemptions: dict[MessageType, Exemption], message: Message) -> bool:
    """Whether a message may be processed although its integrity is not assured."""
    exemption = exemptions.get(message.type)
    if exemption is None:
        return False
    if exemption.unless and message.get(exemption.unless[0]) == exemption.unless[1]:
        return False
    return exemption.only is None or bool(message.get(exemption.only[0]) == exemption.only[1])
