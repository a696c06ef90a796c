"""The card that a request of SGd or S6c is about (User-Identifier, TS 29.336 6.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.diameter import Message, ResultCode, first

if TYPE_CHECKING:
    from simulators.smsc.card import CardList
    from simulators.smsc.core import Core


def find_card(core: Core, asked: Message) -> CardList | Message | None:
    """Return the card that MSISDN, User-Name or both name; None for an unknown card.

    Identities of two cards are an invalid value (RFC 6733 7.1.5): returns the answer that refuses the request.
    """
    user = asked.get("User-Identifier", ())
    msisdn, imsi = first(user, "MSISDN", ""), first(user, "User-Name", "")
    by_number = core.store.numbered(msisdn) if msisdn else None
    by_imsi = core.store.card(imsi) if imsi else None
    if msisdn and imsi and by_number is not by_imsi:
        reason = f"MSISDN {msisdn} and User-Name {imsi} are not of one card"
        core.site.note(f"{asked.name}: {reason}")
        failed = [("User-Identifier", user)]
        return core.node.answer(asked, ResultCode.DIAMETER_INVALID_AVP_VALUE, failed=failed, reason=reason)
    return by_number or by_imsi
