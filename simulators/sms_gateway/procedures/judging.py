"""Whether a message may go its way: asked when it is submitted, when it goes to the SMSC, and when a card's arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.sms_gateway import controls
from simulators.sms_gateway.messages import Card, in_full
from simwarden.policy.numbers import Party, PartyKind, known_code, party

#: stands for a card that is none here
NO_CARD: Final = Card("", "", "", opened=False, numbers=())
#: the party of a message without a number
NOBODY: Final = Party(PartyKind.TEXT, "nobody")

if TYPE_CHECKING:
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer
    from simwarden.policy.decision import Control


def read_code(core: Core, number: str, ton: int) -> Party:
    """Return the access code that a number of a message is, with or without country code; else its party."""
    return known_code(number, ton, core.codes) if number.strip() else NOBODY


def find_card(core: Core, number: str, ton: int) -> Card:
    """Return the card that a number of a message is; for one that is none here a card that is nobody's."""
    found = party(number, ton) if number.strip() else NOBODY
    return core.by_number.get(found) or Card("", in_full(found), "", opened=False, numbers=())


def judge_route(core: Core, account: str, code: Party, card: Card, on: str) -> str:
    """Decide about code, card and list; return the id of the control that refuses, or nothing.

    `account` empty: a card's message, which is of whoever has the code.
    """
    subject, owner = card.imsi, core.owner_of(code)
    return (
        _refusal(core, controls.CODE, subject, on, account=account, owner=owner, number=code)
        or _refusal(core, controls.OWNER, subject, on, account=account or owner, owner=card.account)
        or _refusal(core, controls.LISTED, subject, on, opened=card.opened, number=code, listed=card.parties)
    )


def judge_list(core: Core, subject: str, on: str) -> str:
    """Decide whether the list of codes is young enough."""
    facts = {"age": min(core.list_age, 1e9), "most": core.config.list_age}
    return _refusal(core, controls.LIST_AGE, subject, on, **facts)


def judge_rate(core: Core, customer: Customer, subject: str) -> str:
    """Decide whether a customer is within its rate, and count the message that is."""
    second = int(core.site.clock.now())
    if second != customer.second:
        customer.second, customer.sent = second, 0
    facts = {"sent": customer.sent, "most": customer.account.rate}
    refusal = _refusal(core, controls.RATE, subject, controls.SUBMIT, **facts)
    customer.sent += not refusal
    return refusal


def judge_content(core: Core, code: Party, subject: str, beyond_text: str) -> str:
    """Decide about what is in a message."""
    held = core.codes.get(code)
    facts = {"beyond_text": beyond_text, "ota": held is not None and held.ota}
    return _refusal(core, controls.CONTENT, subject, controls.SUBMIT, **facts)


def _refusal(core: Core, control: Control, subject: str, on: str, **facts: object) -> str:
    """Evaluate a control; return its id if it refuses, or nothing."""
    return "" if core.site.decide(control, subject, on=on, **facts).admitted else control.id
