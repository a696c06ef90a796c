"""Which NAS messages a UE may process without integrity protection (TS 24.301 4.4.4.2), as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType

if TYPE_CHECKING:
    from simwarden.wire.nas.message import Message


class _Exemption(NamedTuple):
    """A condition on a message that may be processed unprotected.

    `unless` names a field and the value with which the message needs protection; `only` one that it must have.
    """

    unless: tuple[str, int] | None = None
    only: tuple[str, int] | None = None


_NOT_CSG: Final = _Exemption(unless=("emm_cause", EmmCause.NOT_AUTHORIZED_FOR_THIS_CSG))

#: what a UE processes while no secure exchange of NAS messages is established: 4.4.4.2, a to g
_UE_PROCESSES: Final[dict[MessageType, _Exemption]] = {
    MessageType.IDENTITY_REQUEST: _Exemption(only=("identity_type", IdentityType.IMSI)),
    MessageType.AUTHENTICATION_REQUEST: _Exemption(),
    MessageType.AUTHENTICATION_REJECT: _Exemption(),
    MessageType.ATTACH_REJECT: _NOT_CSG,
    MessageType.DETACH_ACCEPT: _Exemption(),
    MessageType.TRACKING_AREA_UPDATE_REJECT: _NOT_CSG,
    MessageType.SERVICE_REJECT: _NOT_CSG,
}


def ue_may_process(message: Message) -> bool:
    """Return True if a UE may process a message although its integrity is not assured."""
    exemption = _UE_PROCESSES.get(message.type)
    if exemption is None:
        return False
    if exemption.unless and message.get(exemption.unless[0]) == exemption.unless[1]:
        return False
    return exemption.only is None or bool(message.get(exemption.only[0]) == exemption.only[1])
