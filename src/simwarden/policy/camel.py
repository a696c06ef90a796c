"""Guideline 2.2.3(1), 3.2(1): who may serve a card's calls, and that they do what its CAMEL subscription says.

A card with directed voice is served where its calls are asked about, or not at all: in a visited network that does not
offer what its CSIs need, nobody would ask the gsmSCF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simwarden.model.values import APN, NUMBER, one_of, shaped
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

O_CSI, VT_CSI, T_CSI = "o-csi", "vt-csi", "t-csi"
#: the phase since which there is a CSI (TS 23.078 4)
_SINCE: Final[Mapping[str, int]] = {O_CSI: 1, T_CSI: 1, VT_CSI: 3}
#: its bit in OfferedCamel4CSIs (TS 29.002 17.7.1)
_OFFERED: Final[Mapping[str, int]] = {O_CSI: 0, VT_CSI: 2, T_CSI: 3}
#: the operator identifier of an APN (TS 23.003 9.1.2)
_OPERATOR: Final = re.compile(r"\.mnc[0-9]{3}\.mcc[0-9]{3}\.gprs$")
_CSI: Final = one_of(O_CSI, T_CSI, VT_CSI)
#: a node of the signalling network
NODE: Final = shaped("the number of a node in international form, or its point code", r"[0-9]{1,15}")


def common_phase(csi: str, phases: Collection[int], supported: Collection[int], offered: Collection[int] = ()) -> int:
    """Return the highest phase in which a CSI is provisioned (`phases`) and can be sent to a node, 0 for none.

    A node that supports phase 4 says of each CSI whether it `offered` that in phase 4 (TS 23.078 3.1, Offered CAMEL4
    CSIs); of one that it did not it may still have a lower phase.
    """
    able = {each for each in supported if each < 4 or _OFFERED[csi] in offered}
    return max((each for each in able if each in phases and each >= _SINCE[csi]), default=0)


@tells(expected=NUMBER, seen=NUMBER, lacking=_CSI)
def judge_camel(
    *, csis: Collection[str], phases: Collection[int], supported: Collection[int], offered: Collection[int] = ()
) -> Ruling:
    """Rule on a node that is to act on a card's CSIs: it offers a phase of CAMEL in which each is provisioned."""
    lacking = sorted(each for each in csis if not common_phase(each, phases, supported, offered))
    facts = {"expected": sorted(phases), "seen": sorted(supported), "lacking": lacking}
    if lacking:
        return Ruling.refuse(f"the node does not offer CAMEL for {', '.join(lacking)}", **facts)
    return Ruling.admit("the node offers what the card's CSIs need", **facts)


@tells(seen=one_of("off", "on"))
def judge_voice(*, opened: bool) -> Ruling:
    """Rule whether a card may have calls: voice is off unless it was opened (3.2(1))."""
    if opened:
        return Ruling.admit("voice was opened for the card", seen="on")
    return Ruling.refuse("voice is off for the card", seen="off")


def leads_to_ims(apn: str) -> bool:
    """Whether an APN gives calls over IMS: the IMS well-known APN (GSMA IR.88), or a wildcard that holds it."""
    return apn == "*" or _OPERATOR.sub("", apn.lower()) == "ims"


@tells(seen=APN)
def judge_ims(*, apns: Collection[str], opened: bool, directed: bool) -> Ruling:
    """Rule on the APNs of a card by which it would have calls that no gsmSCF is asked about."""
    past = sorted(each for each in apns if leads_to_ims(each))
    if past and not opened:
        return Ruling.refuse(f"voice is off for the card, and {past[0]} leads to IMS", seen=past)
    if past and directed:
        return Ruling.refuse(f"the card's voice is directed, and {past[0]} leads past it to IMS", seen=past)
    return Ruling.admit("no APN leads past directed voice", seen=past)


@tells(expected=NODE, seen=NODE)
def judge_node(*, number: str, listed: Mapping[str, bool]) -> Ruling:
    """Rule on a node of the signalling network, by the number that it says or by the point code that it speaks from.

    `listed` are the numbers of known nodes, and whether who speaks does so from where the node with the number is.
    """
    facts = {"expected": sorted(listed), "seen": number}
    if number not in listed:
        return Ruling.refuse(f"{number} is no known node", **facts)
    if not listed[number]:
        return Ruling.refuse(f"whoever says to be {number} speaks from elsewhere", **facts)
    return Ruling.admit(f"{number} is a known node", **facts)


@tells(handling=one_of("release", "continue"))
def judge_without_orders(*, releases: bool, reason: str) -> Ruling:
    """Rule on a call for which the gsmSCF gives no orders (TS 23.078 4.3, Default Call Handling).

    `releases` is what its CSI provides for that; `reason` says why there are no orders.
    """
    if releases:
        return Ruling.refuse(f"{reason}, and the default call handling is to release", handling="release")
    return Ruling.admit(f"{reason}, and the default call handling is to continue", handling="continue")
