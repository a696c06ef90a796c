"""Settings of the centre, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.operations.guessing import Guessing
from simwarden.policy.access_list import check_number
from simwarden.policy.held import ANYBODY, Held
from simwarden.policy.numbers import code_digits, party
from simwarden.runtime.declare import Model, Names, Seconds, no_entry
from simwarden.runtime.diameter.server import PeerEntry, ServerConfig

Entry = Annotated[PeerEntry, BeforeValidator(no_entry)]


def _is_number(value: str) -> str:
    party(value)
    if len(value) > 40:
        raise ValueError(f"{value!r} is longer than any number")
    return value


Number = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True), AfterValidator(_is_number)]


class Gateway(Model):
    """A gateway that may bind, by its system_id."""

    password: Annotated[str, Field(max_length=8)] = Field(default="", repr=False)
    """Its password, of at most 8 characters (SMPP 3.4 5.2.2); without one it cannot bind."""
    codes: tuple[Number, ...] = ()
    """The access codes that are its own: it sends by them, and gets what cards send to them; digits may follow. A code
    with and without its country code (8610658000) is one code, of one gateway."""
    ota: tuple[Number, ...] = ()
    """Those of them that are the operator's own, from which alone messages come that work on the card itself: binary
    ones, class 2 and 3, SIM data download (TP-PID 7F), application ports."""


class SmscSms(Model):
    """With whom a card exchanges short messages. A card that says nothing of it has none: SMS is off (3.2(1))."""

    by: Literal["smsc"] = "smsc"
    """Who checks."""
    numbers: tuple[Number, ...] = ()
    """The numbers of its platforms, in principle at most 5, for both directions together."""
    undirected: bool = False
    """Whether the other party is not limited (1.2(2)), which 3.2(1) allows no card to be opened for."""
    quota: Annotated[int, Field(ge=0)] = 0
    """Messages a month, both directions together; 0: none is set."""
    exception: Annotated[str, Field(max_length=100)] = ""
    """Reference of the approval by which it has more numbers, or one that is no platform's."""

    def held(self) -> Held:
        """Tell `classify` with whom it lets the card speak; with an empty list it is directed, to nobody."""
        if self.undirected:
            return Held(sms=(ANYBODY,))
        return Held(frozenset({"directed-sms"}), sms=tuple(map(check_number, self.numbers)))


class ListChange(Approval, SmscSms):
    """Body of `PUT /cards/{imsi}/sms`."""


class SmscConfig(ServerConfig):
    """Settings of a service centre."""

    number: Annotated[str, Field(pattern=r"^\+[0-9]{5,15}$")] = "+8613800100500"
    """Its own address (SC-Address): what devices send to, and what HSS and MMEs have it listed by."""
    peers: dict[str, Entry] = Field(default_factory=lambda: {"mme": PeerEntry()})
    """Nodes that may speak SGd to it, by Diameter identity; a name without a dot is one of the home network's realm."""
    hss: Annotated[str, Names("hss")] = "hss"
    """The HSS's name."""
    ocs: Annotated[str, Names("ocs")] = ""
    """The OCS that is asked for each message (Ro); empty: the centre counts by the quota in its own lists."""
    gateways: dict[Annotated[str, Field(max_length=15)], Gateway] = Field(default_factory=dict)
    """Gateways by system_id."""
    guessing: Guessing = Guessing()
    """How often somebody may try their passwords."""
    validity: Annotated[Seconds, Field(gt=0)] = 172800
    """How long a message is kept whose sender says nothing, and at most."""
    schedule: Seconds = 604_800
    """Longest time ahead for which a gateway may schedule the delivery of a message; 0 allows no scheduling."""
    retry: Annotated[tuple[Annotated[Seconds, Field(gt=0)], ...], Field(min_length=1)] = (60, 300, 900, 3600)
    """The pauses between attempts; the last one stays. An alert of the HSS comes before them."""
    answer_time: Annotated[Seconds, Field(gt=0)] = 50
    """How long an MME may take to deliver a message: it may have to page the device, and to wait for its answer."""
    list_changes: ChangeLimit = ChangeLimit()
    """How often the list that a card has may be changed or taken away."""
    ranges: str = ""
    """TOML file of number ranges to use instead of those shipped."""

    @field_validator("gateways")
    @classmethod
    def _have_codes_of_their_own(cls, value: dict[str, Gateway]) -> dict[str, Gateway]:
        codes = [code_digits(code) for each in value.values() for code in each.codes]
        if len(codes) != len(set(codes)):
            raise ValueError("an access code is that of one gateway, with and without its country code")
        return value
