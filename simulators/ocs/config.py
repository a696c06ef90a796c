"""Settings of the OCS, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from simwarden.model.profile import find_use
from simwarden.model.units import octets as read_octets
from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.policy.held import Held
from simwarden.runtime.declare import Model, Seconds
from simwarden.runtime.diameter.server import Entry, PeerEntry, ServerConfig

#: octets that no card uses in a month, and that a counter in a database holds
MOST = 1 << 62
_A_MONTH = re.compile(r"\s+a\s+month$")
_VOLUME = r"^[0-9]+(\.[0-9]+)? *[kKmMgGtT]?[bB]?( a month)?$"


def _volume(value: Any) -> Any:
    return read_octets(_A_MONTH.sub("", value)) if isinstance(value, str) else value


def _known_use(value: str) -> str:
    use = find_use(value)
    if use is None:
        raise ValueError(f"no use is called {value!r}")
    return use.name


UseName = Annotated[str, AfterValidator(_known_use)]
#: a volume as people write it (`30 MB`, `1.5 GB a month`), in octets
Volume = Annotated[
    int,
    BeforeValidator(_volume),
    Field(ge=0, lt=MOST),
    WithJsonSchema({"type": ["integer", "string"], "minimum": 0, "pattern": _VOLUME}),
]
Count = Annotated[int, Field(ge=0, lt=1 << 31)]
Network = Literal["GERAN", "UTRAN", "E-UTRAN", "NB-IoT", "LTE-M"]
"""The kind of radio network that a card is in, as 3GPP-RAT-Type tells (TS 29.061 16.4.7.2)."""


class Amounts(Model):
    """What a card may use in a calendar month; of what is left out it has what a tier says, else nothing."""

    data: Volume | None = None
    """Octets, both directions (`30 MB`)."""
    sms: Count | None = None
    """Messages, both directions."""
    voice: Count | None = None
    """Minutes of calls, both directions."""


class OcsQuota(Amounts):
    """What a card may use in a month, by its contract; what it does not say is that of its tier."""

    by: Literal["ocs"] = "ocs"
    """Who counts."""

    def held(self) -> Held:
        """Tell `classify` that the card has a quota."""
        return Held(frozenset({"quota"}))


class QuotaChange(Approval, OcsQuota):
    """Body of `PUT /cards/{imsi}/quota`."""


class Tier(Amounts):
    """What cards may use in a month whose quota does not say it, by what they are for and where they are."""

    uses: tuple[UseName, ...] = ()
    """Uses of the guideline's appendix; none: any."""
    networks: tuple[Network, ...] = ()
    """Kinds of radio network; none: any, and where it is not known. What is used in one counts for all."""

    def fits(self, use: str, network: str) -> bool:
        """Whether it is the tier of cards for a use that are in a network."""
        return (not self.uses or use in self.uses) and (not self.networks or network in self.networks)


class FinalUnit(Model):
    """What becomes of data when the last octets of a quota are used (RFC 8506 5.6); by default they end."""

    redirect: str = ""
    """URL that HTTP is redirected to instead."""
    restrict: tuple[str, ...] = ()
    """Filter rules (IPFilterRule, RFC 6733 4.3.1) of what still passes instead."""


def _peers() -> dict[str, PeerEntry]:
    return {name: PeerEntry() for name in ("pgw", "smsc", "scp")}


class OcsConfig(ServerConfig):
    """Settings of an OCS."""

    peers: dict[str, Entry] = Field(default_factory=_peers)
    """Nodes that may ask it, by Diameter identity; a name without a dot is one of the home network's realm."""
    tiers: tuple[Tier, ...] = ()
    """What cards may use whose own quota does not say it: by the first that fits."""
    octets: Annotated[Volume, Field(ge=1)] = 1_000_000
    """How many octets are given at once, of which the card may lose what a killed gateway did not report."""
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """How many seconds of a call are given at once, at most."""
    threshold: Annotated[int, Field(ge=0, le=100)] = 20
    """At how much of given octets, in percent, a gateway asks for more (Volume-Quota-Threshold); 0: when none is
    left."""
    validity: Annotated[Seconds, Field(ge=1, le=31 * 86_400)] = 3600
    """How long what is given may be used at most (Validity-Time); it ends with the month. A session that says nothing
    for twice as long is given up, and what it had counts as used."""
    holding: Annotated[Seconds, Field(le=31 * 86_400)] = 0
    """After how long without traffic octets that are given come back (Quota-Holding-Time); 0: by their validity."""
    failure_handling: Literal["terminate", "continue", "retry-and-terminate"] = "terminate"
    """What it wants of sessions while it does not answer (Credit-Control-Failure-Handling, RFC 8506 8.14); whether
    that is done is for those that it grants. All but `terminate` is a leak."""
    final_unit: FinalUnit = FinalUnit()
    """What becomes of data at the end of a quota."""
    repeats: Annotated[Seconds, Field(ge=1)] = 300
    """For how long a request that ended a session, or had none, is known again when it is repeated."""
    quota_changes: ChangeLimit = ChangeLimit()
    """How often the quota that a card has may be changed or taken away."""

    def refuses(self, section: str, *, asked: bool) -> str:
        """Take no quotas that nobody would ask for."""
        del section
        return "" if asked else "nobody asks it (a PGW by apns: {NAME: {gy: OCS}}, an SMSC or SCP by ocs: OCS)"
