"""Terminal-Information (TS 29.272 7.3.3): which terminal a request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.identity import imei_key
from simwarden.wire.diameter.codes import ResultCode
from simwarden.wire.diameter.message import DiameterError

if TYPE_CHECKING:
    from simwarden.wire.diameter.message import Message


def terminal_of(message: Message) -> str:
    """Return the 14 digits of the IMEI in Terminal-Information, empty if there is none. Raises DiameterError (5004)."""
    imei = message.find("Terminal-Information", "IMEI")
    if not imei:
        return ""
    try:
        return imei_key(imei)
    except ValueError as wrong:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, str(wrong), [("IMEI", imei)]) from None


def required_terminal(message: Message) -> str:
    """Return the 14 digits of the IMEI, which an ECR must have (6.2.1.1). Raises DiameterError (5005 or 5004)."""
    if message.find("Terminal-Information", "IMEI") is None:
        raise DiameterError(ResultCode.DIAMETER_MISSING_AVP, "Terminal-Information lacks IMEI", [("IMEI", "")])
    found = terminal_of(message)
    if not found:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, "IMEI is empty", [("IMEI", "")])
    return found
