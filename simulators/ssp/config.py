"""Settings of an SSP. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from simwarden.policy.numbers import party
from simwarden.runtime.declare import ElementConfig, Model, Names, Networks, PlmnText, Seconds, UtcOffset
from simwarden.runtime.sigtran.settings import Gateway, NodeNumber, Signalling, SignallingNode

Digits = Annotated[str, Field(pattern=r"^\+?[0-9]{1,15}$"), BeforeValidator(str)]


def _routes() -> dict[str, Gateway]:
    return {
        "hss": Gateway(routing_context=8, point_codes=(6,)),
        "eir": Gateway(routing_context=8, point_codes=(9,)),
        "scp": Gateway(routing_context=8, point_codes=(146,)),
    }


def _no_node(value: object) -> object:
    return None if value in ("", "none") else value


def _no_settings(value: object) -> object:
    return {} if value == "" else value


class SspSignalling(Signalling):
    """Where an SSP is in the signalling network, and whom it asks there."""

    point_code: Annotated[int, Field(ge=0, lt=1 << 14)] = 8
    """Its own point code, 14 bits."""
    number: NodeNumber = "8613800000008"
    """Its number: as MSC, VLR and GMSC it says this one."""
    routes: dict[str, Annotated[Gateway, BeforeValidator(_no_settings)]] = Field(default_factory=_routes)
    """Elements with which it makes an association (M3UA)."""
    hlr: SignallingNode = SignallingNode(number="8613800000006", point_code=6)
    """The HLR of the cards that it serves."""
    eir: Annotated[
        SignallingNode | None, BeforeValidator(_no_node, json_schema_input_type=SignallingNode | Literal["none"] | None)
    ] = SignallingNode(number="8613800000009", point_code=9)
    """The EIR that it asks about terminals; none: terminals are not looked up."""
    scfs: tuple[SignallingNode, ...] = (SignallingNode(number="8613800000146", point_code=146),)
    """The gsmSCFs that CSIs may name, each by its number."""


class Trunk(Model):
    """Another network, or another SSP, that calls go to by SIP."""

    prefixes: tuple[Annotated[str, Field(pattern=r"^\+?[0-9]*$"), BeforeValidator(str)], ...] = ("",)
    """Beginnings of the numbers that are reached there: `+86...` of a subscriber or fixed line, without `+` of a code.
    The longest one decides; an empty one is all others."""
    addresses: Networks = ()
    """Addresses and networks (`192.0.2.0/24`) that calls come from, in addition to the address of the element. A
    call from any other address is refused."""
    trusted: bool = True
    """True if it belongs to the trust domain of RFC 3325: its P-Asserted-Identity is believed, and restricted numbers
    are asserted to it."""


class SspConfig(ElementConfig):
    """Settings of an SSP: an MSC with its VLR, and a GMSC."""

    signalling: SspSignalling = SspSignalling()
    """Where it is in the signalling network."""
    plmn: PlmnText = "001-01"
    """The network that it is of."""
    location_area: Annotated[int, Field(ge=1, le=0xFFFD)] = 0x1001
    """The location area code of what would be its cells."""
    camel_phases: tuple[Annotated[int, Field(ge=1, le=4)], ...] = (1, 2, 3, 4)
    """The phases of CAMEL that it tells the HLR, and in which it asks a gsmSCF (from 2 on); none: it has no gsmSSF."""
    barring: bool = True
    """Whether it bars calls as the HLR says (ODB); one that cannot says so."""
    tssf: Annotated[Seconds, Field(gt=0)] = 2
    """How long it waits for an order (Tssf), from each order on."""
    tssf_interaction: Annotated[Seconds, Field(gt=0)] = 120
    """The same while a party hears an announcement."""
    utc_offset: UtcOffset | None = None
    """Hours by which the exchange's time is ahead of UTC; by default the operator's."""
    announcement: Annotated[Seconds, Field(gt=0)] = 3
    """How long an announcement is, where the gsmSCF does not say."""
    own_numbers: tuple[Digits, ...] = ("86144", "86146", "86148", "861410", "8610646", "8610647", "8610648", "8610649")
    """Beginnings of the numbers about which it asks the HLR as a GMSC."""
    roaming_numbers: Annotated[str, Field(pattern=r"^\+?[0-9]{3,11}$"), BeforeValidator(str)] = "861390000"
    """What its roaming numbers (MSRN) begin with, in international form; four digits follow."""
    roaming_number_time: Annotated[Seconds, Field(gt=0)] = 30
    """How long a roaming number waits for its call."""
    trunks: dict[Annotated[str, Names("element")], Annotated[Trunk, BeforeValidator(_no_settings)]] = Field(
        default_factory=dict
    )
    """Where calls go that are for nobody here, by the element at the other end."""
    emergency_numbers: tuple[Digits, ...] = ("110", "119", "120", "122")
    """Numbers of emergency services: as the whole number dialled they are connected without asking a gsmSCF."""
    emergency_centre: Digits = "110"
    """The number that an emergency call without one goes to."""
    emergency_without_card: bool = True
    """Whether a terminal without a card may make emergency calls."""
    paging: Annotated[Seconds, Field(gt=0)] = 5
    """How long a terminal has to answer a page (T3113)."""
    ringing: Annotated[Seconds, Field(gt=0)] = 60
    """How long a called terminal may ring, if the gsmSCF says no other time."""
    answer: Annotated[Seconds, Field(gt=0)] = 180
    """How long a call on a trunk waits for its answer, from each sign of life of the other network on (timer C)."""
    identity: Annotated[Seconds, Field(gt=0)] = 12
    """How long a terminal has to say who it is (T3270)."""
    admit_unknown_equipment: bool = False
    """Whether a terminal is served that the EIR does not know."""
    admit_without_verdict: bool = False
    """Whether a terminal is served without a verdict of the EIR, as while that cannot be reached."""

    @field_validator("emergency_numbers")
    @classmethod
    def _are_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            party(each)
        return value

    @property
    def cap_phases(self) -> tuple[int, ...]:
        """The phases in which a gsmSCF can be asked, the highest first."""
        return tuple(sorted((each for each in self.camel_phases if each > 1), reverse=True))
