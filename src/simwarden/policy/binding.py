"""Guideline 2.1.3(1) one: the HSS binds a card to a terminal, by an IMEI given beforehand or learned.

IMEIs are compared by TAC and serial number, 14 digits, whatever form they come in. An empty IMEI means that the serving
node gave none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simwarden.model.address import is_within
from simwarden.model.identity import Imei, imei_key, is_assigned
from simwarden.model.values import ADDRESS, HOST, IMEI, NETWORK, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: features of a serving node that a subscription may need (TS 29.272 7.3.10, TS 29.002 17.7.1)
FEATURE = one_of("ODB_ALL_APN", "ODB_ALL_OG", "REG_SUB")


def _compare(bound: str, seen: str, *, admit_unidentified: bool) -> Ruling:
    facts = {"expected": Imei(imei_key(bound)).imei, "seen": Imei(imei_key(seen)).imei if seen else ""}
    if not seen:
        reason = "the terminal's IMEI was not given"
        return Ruling.admit(reason, **facts) if admit_unidentified else Ruling.refuse(reason, **facts)
    if imei_key(seen) == imei_key(bound):
        return Ruling.admit("the terminal is the bound one", **facts)
    return Ruling.refuse("the terminal is not the bound one", **facts)


@tells(expected=IMEI, seen=IMEI.or_none())
def judge_given(*, bound: str, seen: str, admit_unidentified: bool = False) -> Ruling:
    """Rule on a registration of a card whose IMEI was given beforehand (bind.hss.given)."""
    return _compare(bound, seen, admit_unidentified=admit_unidentified)


class FirstUse(NamedTuple):
    """What is known of a registration before a binding: all of it must hold for the registration to teach an IMEI.

    A registration that lacks something may be in order all the same (a tracking area update by which the MME changes is
    no initial attach and needs no vectors), but what it says of the terminal is nobody's first use.
    """

    home_province: bool = False
    """It came from a node that is listed as one of the home province."""
    home_network: bool = False
    """Visited-PLMN-Id is the card's own network."""
    vectors: bool = False
    """This node was given authentication vectors of the card: it may have proved the card."""
    initial_attach: bool = False
    """The device attached; its terminal was not taken over from another MME."""

    @property
    def obstacle(self) -> str:
        """Why it teaches nothing; empty if it teaches."""
        reasons = {
            "outside the home province": self.home_province,
            "in a visited network": self.home_network,
            "by a node that was given no authentication vectors of the card": self.vectors,
            "that is no initial attach": self.initial_attach,
        }
        return next((reason for reason, holds in reasons.items() if not holds), "")


@tells(expected=IMEI, seen=IMEI.or_none(), teaches=IMEI.or_none())
def judge_learned(*, bound: str, seen: str, use: FirstUse, admit_unidentified: bool = False) -> Ruling:
    """Rule on a registration of a card that is bound by its first use (bind.hss.learned); `bound` is empty before it.

    A first use teaches the IMEI if all of `use` holds; another registration is served and teaches nothing. `teaches`
    in the details is the IMEI to be bound, empty if none is.
    """
    if bound:
        return _compare(bound, seen, admit_unidentified=admit_unidentified)
    imei = Imei(imei_key(seen)).imei if seen else ""
    if not seen:
        reason = "the terminal's IMEI was not given, so that the first use binds nothing"
        details = {"seen": "", "teaches": ""}
        return Ruling.admit(reason, **details) if admit_unidentified else Ruling.refuse(reason, **details)
    if not is_assigned(seen):
        return Ruling.refuse("no terminal has this IMEI, so that the first use binds nothing", seen=imei, teaches="")
    if use.obstacle:
        return Ruling.admit(f"a first use {use.obstacle} teaches nothing", seen=imei, teaches="")
    return Ruling.admit("the first use binds the card to this terminal", seen=imei, teaches=imei)


@tells(expected=HOST | ADDRESS | NETWORK, seen=HOST | ADDRESS)
def judge_peer(
    *,
    host: str,
    realm: str,
    listed: Mapping[str, str],
    through: str = "",
    relays: Collection[str] = (),
    address: str = "",
    pinned: Sequence[str] = (),
) -> Ruling:
    """Rule on a node that speaks to the HSS, so that a forged registration teaches no false binding.

    `listed` are the known nodes by Diameter identity, with their realms. `through` is the node at the far end of the
    connection, where the message names another: only `relays` may carry messages of `host`. `address` is where a node
    outside connects from, and `pinned` are the networks that one of its name connects from, if that is known.
    """
    facts = {"seen": host, "expected": sorted(listed)}
    if host not in listed:
        return Ruling.refuse(f"{host} is not a known node", **facts)
    if realm != listed[host]:
        return Ruling.refuse(f"{host} is of realm {listed[host]}, not {realm}", **facts)
    if pinned and address and not is_within(address, pinned):
        return Ruling.refuse(f"{host} connects from {address}, where it is not", seen=address, expected=list(pinned))
    if through and through != host and through not in relays:
        return Ruling.refuse(f"{through} speaks for {host} and is no relay of its messages", **facts)
    return Ruling.admit(f"{host} is a known node", **facts)


@tells()
def judge_subscriber(*, known: bool) -> Ruling:
    """Rule on a card that asks for service: it must be provisioned."""
    return Ruling.admit("the card is provisioned") if known else Ruling.refuse("the card is not provisioned")


@tells(expected=FEATURE, seen=FEATURE)
def judge_features(*, needed: Collection[str], supported: Collection[str]) -> Ruling:
    """Rule on a serving node that is to enforce what a subscription says: it must support the features for it."""
    lacking = sorted(set(needed) - set(supported))
    facts = {"expected": sorted(needed), "seen": sorted(supported)}
    if lacking:
        return Ruling.refuse(f"the serving node does not support {', '.join(lacking)}", **facts)
    return Ruling.admit("the serving node supports what it has to enforce", **facts)


@tells()
def judge_withdrawn(*, withdrawn: bool, reason: str = "") -> Ruling:
    """Rule on a card whose subscription the operator may have withdrawn for a time."""
    if withdrawn:
        return Ruling.refuse(f"the subscription is withdrawn: {reason}" if reason else "the subscription is withdrawn")
    return Ruling.admit("the subscription is in force")
