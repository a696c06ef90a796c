"""Which NAS messages an MME takes without protection (TS 24.301 4.4.4.3)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from simulators.mme.dispatch.nas import _check_unprotected
from simwarden.errors import PeerError
from simwarden.wire.nas.enums import IdentityType, MessageType

_T = MessageType
_ALLOWED = {
    _T.IDENTITY_RESPONSE,
    _T.AUTHENTICATION_RESPONSE,
    _T.AUTHENTICATION_FAILURE,
    _T.SECURITY_MODE_REJECT,
    _T.ATTACH_REQUEST,
    _T.TRACKING_AREA_UPDATE_REQUEST,
    _T.DETACH_REQUEST,
    _T.DETACH_ACCEPT,
    _T.EXTENDED_SERVICE_REQUEST,
}


def _is_taken(kind: MessageType, asked_for: IdentityType) -> bool:
    conn: Any = SimpleNamespace(identity_asked=asked_for)
    message: Any = SimpleNamespace(type=kind)
    try:
        _check_unprotected(conn, message)
    except PeerError:
        return False
    return True


def test_what_is_taken_without_protection_is_what_begins_or_secures_an_exchange() -> None:
    assert {kind for kind in MessageType if _is_taken(kind, IdentityType.IMSI)} == _ALLOWED
    for asked_for in (IdentityType.IMEI, IdentityType.IMEISV, IdentityType.GUTI):
        assert {kind for kind in MessageType if _is_taken(kind, asked_for)} == _ALLOWED - {_T.IDENTITY_RESPONSE}
