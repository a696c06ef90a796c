"""Settings of a business gateway. `profile.yaml` explains each with an example."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from simwarden.operations.access_codes import AllocatedCodes  # noqa: TC001 - pydantic needs them
from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.operations.guessing import Guessing
from simwarden.policy.access_list import check_number, open_number
from simwarden.policy.held import Held
from simwarden.runtime.declare import ElementConfig, Model, Names, Seconds


def _check_party(text: str) -> str:
    found = check_number(text)
    if open_number(found):
        raise ValueError(open_number(found))
    return text.strip()


_Party = Annotated[str, AfterValidator(_check_party)]
_ELEMENT = re.compile(r"[A-Za-z][\w-]*")


def _check_host(text: str) -> str:
    if _ELEMENT.fullmatch(text):
        return text
    try:
        return str(ip_network(text))
    except ValueError as error:
        hint = "an address, a network (192.0.2.0/24) or the name of an element"
        raise ValueError(f"expected {hint}, got {text!r}: {error}") from None


_Host = Annotated[str, AfterValidator(_check_host)]


class Account(Model):
    """A customer at the gateway: what its platforms prove to be it by, and what its contract allows."""

    system_id: Annotated[str, StringConstraints(max_length=15)] = ""
    """Its name in an SMPP bind (SMPP 3.4 5.2.1); empty: it has no SMPP."""
    password: Annotated[str, StringConstraints(max_length=200)] = Field(default="", repr=False)
    """Its SMPP password, of 8 characters at most, or `scrypt:SALT:HASH` of one. Only the hash is kept."""
    source_addr: Annotated[str, StringConstraints(max_length=6)] = ""
    """Its name in a CMPP_CONNECT (CMPP 2.0 7.4.1.1); empty: it has no CMPP."""
    secret: Annotated[str, StringConstraints(max_length=64)] = Field(default="", repr=False)
    """The secret of CMPP, which the gateway must know itself: it is kept as it is, in a file for its owner's eyes."""
    hosts: tuple[_Host, ...] = ()
    """Addresses, networks (`192.0.2.0/24`) or elements from which it may bind; by default any. An element of the same
    process has no address: name it."""
    rate: int = Field(default=0, ge=0)
    """Messages that it may submit in a second; 0: any number."""


class GatewayCard(Model):
    """Whose a card is, and with whom it exchanges messages."""

    by: Literal["sms_gateway"] = "sms_gateway"
    """Who checks."""
    account: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The customer whose card it is."""
    numbers: tuple[_Party, ...] = ()
    """The codes of its platforms, send and receive together; at most 5, unless that is approved."""

    def held(self) -> Held:
        """Tell `classify` with whom it lets the card speak."""
        return Held(frozenset({"directed-sms"}), sms=tuple(map(check_number, self.numbers)))


class ListChange(Approval, GatewayCard):
    """Body of `PUT /cards/{imsi}/sms`."""


class Customers(Model):
    """Bounds of what one customer may take up."""

    window: int = Field(default=32, ge=1)
    """Requests without answer on a bind, of either side (SMPP 3.4 2.9, CMPP 2.0 6.1)."""
    binds: int = Field(default=8, ge=1)
    """Binds of one account at a time."""
    queue: int = Field(default=10_000, ge=1)
    """Messages of one account that wait for the SMSC, and as many that wait for its platform."""
    quiet: Seconds = 30.0
    """Silence after which enquire_link or CMPP_ACTIVE_TEST is sent."""


class SmsGatewayConfig(ElementConfig):
    """Settings of a business gateway."""

    smsc: Annotated[str, Names("element")] = "smsc"
    """The element to which messages go, by SMPP; empty, or not there: they wait."""
    system_id: str = "gateway"
    """The gateway's own name in its bind at the SMSC."""
    password: str = Field(default="", repr=False)
    """Its password there."""
    accounts: dict[str, Account] = Field(default_factory=dict)
    """Customers by name, as long as management says nothing else of them."""
    codes: AllocatedCodes = Field(default_factory=dict)
    """Access codes, of a gateway whose list nobody else keeps (`keeper` empty)."""
    keeper: Annotated[str, Names("element")] = ""
    """The element that owns the list of access codes and tells this one (`cmp`); empty: `codes` are the list."""
    list_age: Seconds = 300.0
    """How old the keeper's last word on the list may be; after that messages are refused for now."""
    most_numbers: int = Field(default=5, ge=1)
    """Numbers of a card's list, send and receive together, more of which need an approval (guideline 1.2(1))."""
    list_changes: ChangeLimit = ChangeLimit()
    """How often a card's list may be changed."""
    customers: Customers = Customers()
    """Bounds of what one customer may take up."""
    guessing: Guessing = Guessing()
    """How often somebody may try passwords."""
    hold: Seconds = 60.0
    """How long the parts of a long message are held for those that are missing."""
    validity: Seconds = 86_400.0
    """How long a message is kept that says nothing of it, and at most."""
    schedule: Seconds = 604_800.0
    """Longest time ahead for which a platform may schedule the delivery of a message; 0 allows no scheduling."""
    retry: Seconds = 10.0
    """Time until a message that could not be taken is tried again, and until the SMSC is connected again; that doubles
    with each failure, up to `retry_longest`."""
    retry_longest: Seconds = 320.0
    """The longest time until the SMSC is connected again."""
