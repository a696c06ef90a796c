"""Guideline 1.2 and 2.2.3(2) at the business gateway: whose code and card a message is of, and what may be in one.

An access code is allocated to one customer. What the customer sends comes from its code, goes to its own cards, which
must list the code, and is a text: what works on the card itself (binary data, class 2, SIM data download) is the
operator's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import GIVEN, NUMBER, PARTY, TEXT, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells
from simwarden.policy.numbers import PartyKind, code_digits, known_code, party

if TYPE_CHECKING:
    from collections.abc import Collection

    from simwarden.policy.numbers import Party


def check_code(text: str) -> str:
    """Return an access code by its digits, without the country code. Raises ValueError for what is none."""
    kind, digits = party(text).kind, code_digits(text)
    if kind is not PartyKind.CODE or not digits:
        raise ValueError(f"{text!r} is a {kind.value}, and no access code")
    return digits


@tells(seen=one_of("right", "wrong", "too many", "another address"))
def judge_bind(*, account: str, proven: bool, tries: int, most: int, here: bool) -> Ruling:
    """Rule on a bind: who binds proves to be the account, from where that may, before too many `tries` from there.

    What is refused for a wrong name reads as for a wrong password.
    """
    if tries >= most:
        return Ruling.refuse(f"{tries} binds from there failed: none is tried for a while", seen="too many")
    if not proven:
        return Ruling.refuse("there is no such account with this password or secret", seen="wrong")
    if not here:
        return Ruling.refuse(f"{account} may not bind from there", seen="another address")
    return Ruling.admit(f"it is {account}", seen="right")


@tells(expected=GIVEN | one_of("a code of the list"), seen=PARTY | GIVEN)
def judge_code(*, account: str, owner: str, number: Party) -> Ruling:
    """Rule on the code that a message is from or to: it is allocated to the account; `owner` empty: to nobody."""
    facts = {"expected": account or "a code of the list", "seen": str(number)}
    if owner and account in ("", owner):
        return Ruling.admit(f"{number} is a code of {owner}", **facts)
    whose = f"no code of {account}" if account else "nobody's code"
    return Ruling.refuse(f"{number} is {whose}", **facts)


@tells(expected=GIVEN, seen=GIVEN)
def judge_own_code(*, code: Party, number: Party) -> Ruling:
    """Rule at a platform on a card's message: it is for the code that is configured there."""
    facts = {"expected": str(code), "seen": str(number)}
    if number == code:
        return Ruling.admit(f"{number} is its own code", **facts)
    return Ruling.refuse(f"{number} is not its code {code}", **facts)


@tells(expected=GIVEN, seen=NUMBER)
def judge_list_age(*, age: float, most: float) -> Ruling:
    """Rule whether a list of codes is young enough to go by, in seconds; if not, that is for now."""
    facts = {"expected": most, "seen": age}
    if age > most:
        return Ruling.refuse(f"the list of codes was confirmed {age:.0f} s ago", **facts)
    return Ruling.admit("the list of codes is young enough", **facts)


@tells(expected=GIVEN, seen=GIVEN)
def judge_card_owner(*, account: str, owner: str) -> Ruling:
    """Rule whether a card is a customer's own; what is refused is the same for somebody else's card and for none."""
    if owner and owner == account:
        return Ruling.admit(f"the card is {account}'s own", expected=account, seen=owner)
    return Ruling.refuse(f"the card is none of {account}'s", expected=account, seen="another's or none")


@tells(expected=TEXT, seen=TEXT)
def judge_listed(*, opened: bool, number: Party, listed: Collection[Party]) -> Ruling:
    """Rule whether a card and a number may exchange messages: SMS is opened, and its list has the number (1.2(1))."""
    facts = {"expected": sorted(map(str, listed)), "seen": str(number)}
    if not opened:
        return Ruling.refuse("the card is not opened for SMS", **facts)
    if number in listed or (number.kind is PartyKind.CODE and known_code(number.number, 0, listed) in listed):
        return Ruling.admit(f"{number} is on the card's list", **facts)
    return Ruling.refuse(f"{number} is not on the card's list", **facts)


@tells(seen=TEXT)
def judge_content(*, beyond_text: str, ota: bool) -> Ruling:
    """Rule on what is in a message; `beyond_text` says what makes it more than a text, empty where nothing does."""
    if not beyond_text:
        return Ruling.admit("it is a text", seen="text")
    if ota:
        return Ruling.admit(f"{beyond_text}, from the operator's own code", seen=beyond_text)
    return Ruling.refuse(f"{beyond_text} is for the operator's own code only", seen=beyond_text)


@tells(expected=NUMBER, seen=NUMBER)
def judge_rate(*, sent: int, most: int) -> Ruling:
    """Rule on one more message of a customer in a second; `most` 0: any number."""
    facts = {"expected": most, "seen": sent}
    if most and sent >= most:
        return Ruling.refuse(f"{sent} messages in this second, and the contract has {most}", **facts)
    return Ruling.admit("it is within the contract's rate", **facts)
