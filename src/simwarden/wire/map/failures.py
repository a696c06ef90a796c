"""Parameters of MAP's errors that say why (TS 29.002 17.7.7): those that calls need."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from simwarden.wire import ber

_ENUMERATED: Final = 0x0A
_REASON: Final = 0x80


class RoamingNotAllowedCause(IntEnum):
    """Why a subscriber may not be served."""

    PLMN_ROAMING_NOT_ALLOWED = 0
    OPERATOR_DETERMINED_BARRING = 3


class CallBarringCause(IntEnum):
    """Who has barred a call."""

    BARRING_SERVICE_ACTIVE = 0
    OPERATOR_BARRING = 1


class AbsentSubscriberReason(IntEnum):
    """Why a subscriber is not there."""

    IMSI_DETACH = 0
    RESTRICTED_AREA = 1
    NO_PAGE_RESPONSE = 2
    PURGED_MS = 3


def roaming_not_allowed(cause: RoamingNotAllowedCause) -> bytes:
    """Return RoamingNotAllowedParam, which the error always has."""
    return ber.put(ber.SEQUENCE, ber.put_integer(cause, _ENUMERATED))


def call_barred(cause: CallBarringCause) -> bytes:
    """Return CallBarredParam."""
    return ber.put_integer(cause, _ENUMERATED)


def absent_subscriber(reason: AbsentSubscriberReason) -> bytes:
    """Return AbsentSubscriberParam."""
    return ber.put(ber.SEQUENCE, ber.put_integer(reason, _REASON))
