"""Settings of the PCRF, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.operations.data_lists import DataLists, DestinationText
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import ALL_FLOWS, Quality, rules_of
from simwarden.runtime.declare import Model, Seconds
from simwarden.runtime.diameter.server import Entry, PeerEntry, ServerConfig

Kbits = Annotated[int, Field(ge=1, le=10_000_000)]
KbitsOrAny = Annotated[int, Field(ge=0, le=10_000_000)]
Trigger = Literal["USER_LOCATION_CHANGE", "RAT_CHANGE", "UE_TIME_ZONE_CHANGE", "SGSN_CHANGE", "PLMN_CHANGE"]
"""What a PGW may be asked to report (TS 29.212 5.3.7)."""


class PcrfData(DataLists):
    """With whom a card exchanges packets, by the rules that its PGW is told."""

    by: Literal["pcrf"] = "pcrf"
    """Who decides; the PGW makes it so."""


class ListChange(Approval, PcrfData):
    """Body of `PUT /cards/{imsi}/data`."""


class RuleQos(Model):
    """The QoS of a rule (TS 29.212 5.3.16); one that is not the default bearer's makes a bearer of its own."""

    qci: Annotated[int, Field(ge=1, le=254)] = 9
    """QoS class identifier (TS 23.203 table 6.1.7); of 1 to 4, 65 to 67 and 75 rates are guaranteed."""
    priority: Annotated[int, Field(ge=1, le=15)] = 8
    """Priority level of allocation and retention; 1 is the highest."""
    may_preempt: bool = False
    """Whether its bearer may take the place of those of lower priority."""
    preemptable: bool = True
    """Whether those of higher priority may take its place."""
    guaranteed: tuple[int, int] = (0, 0)
    """Guaranteed kbit/s, uplink and downlink."""
    maximum: tuple[int, int] = (0, 0)
    """Most kbit/s, uplink and downlink."""

    def quality(self) -> Quality:
        """Return it as rules have it, in bit/s."""
        rates = (each * 1000 for each in (*self.maximum, *self.guaranteed))
        return Quality(self.qci, self.priority, self.may_preempt, self.preemptable, *rates)


class SlowerRate(Model):
    """The APN-AMBR of a card that has used a volume in a month (usage monitoring on Gx, TS 29.212 4.5.16)."""

    after: Annotated[int, Field(ge=1)]
    """Octets of a calendar month, both directions, as PGWs report them."""
    rate: tuple[Kbits, Kbits]
    """Kbit/s from then on, uplink and downlink."""


class PcrfConfig(ServerConfig):
    """Settings of a PCRF."""

    peers: dict[str, Entry] = Field(default_factory=lambda: {"pgw": PeerEntry()})
    """Nodes that may speak Gx to it, by Diameter identity; a name without a dot is one of the home network's realm."""
    applications: dict[
        Annotated[str, Field(min_length=1)], Annotated[tuple[DestinationText, ...], Field(min_length=1)]
    ] = Field(default_factory=dict)
    """What PGWs know by their filter files: identifiers, with the destinations that each stands for. Names and URLs of
    cards are told by them alone; one that none of them stands for is not in force."""
    predefined: tuple[str, ...] = ()
    """Names of predefined rules of PGWs without ADC: an application's own opens its flows, `not` and its identifier, or
    that of people's apps (`not social@meter`), closes them."""
    triggers: tuple[Trigger, ...] = ("USER_LOCATION_CHANGE", "RAT_CHANGE", "UE_TIME_ZONE_CHANGE")
    """What PGWs report of a session."""
    qos: dict[str, RuleQos] = Field(default_factory=dict)
    """The QoS of rules for some destinations (addresses and ports), as they are written in the lists of cards, or of
    `all flows`; that of others is the default bearer's."""
    rating_group: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    """The rating group of its rules."""
    online: bool | None = None
    """Whether what its rules let pass is charged online. By default the PGW's own default charging method holds: rules
    say Online 1 to a PGW that announces it, as one with an OCS does, and say nothing to others. `false` is a leak for
    cards with a quota: no octets are asked of the OCS."""
    apn_ambr: tuple[KbitsOrAny, KbitsOrAny] = (0, 0)
    """The greatest APN-AMBR of a session in kbit/s, uplink and downlink; 0: the one that the PGW asks for."""
    slower: SlowerRate | None = None
    """A slower rate for cards that have used a volume in a month. It is a leak: the guideline has the service suspended
    (2.2.2), and here data goes on."""
    usage_report: Annotated[int, Field(ge=0)] = 0
    """Octets of a session after which its PGW reports its use, each time anew; 0: it does not."""
    retry: Annotated[Seconds, Field(gt=0)] = 5
    """When a PGW that has not answered is told again of changed rules; twice as late each time."""
    list_changes: ChangeLimit = ChangeLimit()
    """How often the lists that a card has may be changed or taken away."""

    @field_validator("qos")
    @classmethod
    def _are_told_by_headers(cls, value: dict[str, RuleQos]) -> dict[str, RuleQos]:
        """Bearers are for what a traffic flow template tells, which has no names and no paths (TS 24.008 10.5.6.12)."""
        for text in value:
            if text != ALL_FLOWS.name and any(each.shown for each in rules_of((Destination.parse(text),))[0].filters):
                raise ValueError(f"{text} is told by what its flows show, for which there is no bearer of its own")
        return value

    def refuses(self, section: str, *, asked: bool) -> str:
        """Take no lists that nobody would ask for."""
        del section
        return "" if asked else "nobody asks it: no APN of the card names it at a PGW (apns: {NAME: {gx: PCRF}})"
