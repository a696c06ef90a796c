"""GTPv2-C messages at random from the tables, and what pycrate makes of octets."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2.messages import SPECS, Grammar, Rule
from simwarden.wire.gtpv2.values import Ambr, Arp, BearerQos, CauseIe, FlowQos, FTeid, IeType, Paa, UeTimeZone, Uli

if TYPE_CHECKING:
    from collections.abc import Callable


def _made(kind: Any, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make a named tuple of its first parts; `builds` would draw those that have defaults as well."""
    return st.tuples(*parts).map(lambda found: kind(*found))


def _digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


PLMNS = st.sampled_from([Plmn("001", "01"), Plmn("460", "00"), Plmn("310", "410")])
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)
OCTET, U32, U40 = (st.integers(0, (1 << bits) - 1) for bits in (8, 32, 40))
ARPS = _made(Arp, st.integers(1, 15), st.booleans(), st.booleans())
TAIS = _made(Tai, PLMNS, st.integers(0, 0xFFFF))
CELLS = _made(Ecgi, PLMNS, st.integers(0, 0x0FFFFFFF))
PAAS = st.one_of(
    _made(Paa, st.just(gtpv2.PdnType.IPV4), V4),
    _made(Paa, st.just(gtpv2.PdnType.IPV6), st.just(""), V6, st.integers(0, 128)),
    _made(Paa, st.just(gtpv2.PdnType.IPV4V6), V4, V6, st.just(64)),
)
F_TEIDS = st.one_of(
    _made(FTeid, st.sampled_from(gtpv2.InterfaceType), U32, V4),
    _made(FTeid, st.sampled_from(gtpv2.InterfaceType), U32, st.just(""), V6),
    _made(FTeid, st.sampled_from(gtpv2.InterfaceType), U32, V4, V6),
)
CAUSES = _made(
    CauseIe,
    st.sampled_from(gtpv2.Cause),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | _made(IeType, st.integers(1, 200), st.integers(0, 15)),
)
FLAGS = st.sets(st.sampled_from(gtpv2.Indication)).map(lambda found: gtpv2.Indication(sum(found)))
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "imsi": _digits(6, 15),
    "cause": CAUSES,
    "recovery": OCTET,
    "apn": st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    "ambr": _made(Ambr, U32, U32),
    "ebi": st.integers(5, 15),
    "ip_address": V4 | V6,
    "mei": _digits(15, 16),
    "msisdn": _digits(5, 15),
    "indication": FLAGS,
    "pco": st.just(bytes.fromhex("80000d04c0000201")),
    "paa": PAAS,
    "bearer_qos": _made(BearerQos, OCTET, ARPS, U40, U40, U40, U40),
    "flow_qos": _made(FlowQos, OCTET, U40, U40, U40, U40),
    "tad": st.just(bytes.fromhex("2130ff023011")),
    "rat_type": st.sampled_from(gtpv2.RatType),
    "serving_network": PLMNS,
    "bearer_tft": st.just(bytes.fromhex("2130ff023011")),
    "uli": _made(
        Uli,
        st.none() | TAIS,
        st.none() | CELLS,
        *[st.none() | st.just(bytes.fromhex(part)) for part in ("00f11000070001", "00f11000070002", "00f110000705ff")],
        *[st.none() | st.just(bytes.fromhex(part)) for part in ("00f1100007", "00f110012345", "00f110812345")],
    ),
    "f_teid": F_TEIDS,
    "delay_value": OCTET,
    "charging_id": U32,
    "charging_characteristics": st.just(b"\x08\x00"),
    "bearer_flags": st.integers(0, 15),
    "pdn_type": st.sampled_from(gtpv2.PdnType),
    "pti": OCTET,
    "ue_time_zone": _made(UeTimeZone, st.sampled_from([0, 8, -5, 5.5, 12.75]), st.integers(0, 2)),
    "apn_restriction": OCTET,
    "selection_mode": st.sampled_from(gtpv2.SelectionMode),
    "change_reporting_action": st.sampled_from(gtpv2.ChangeReportingAction),
    "node_type": st.sampled_from(gtpv2.NodeType),
    "node_features": OCTET,
    "arp": ARPS,
    "epc_timer": OCTET,
    "uli_timestamp": U32,
    "ran_nas_cause": st.just(b"\x10\x15"),
}


def _value(rule: Rule, wanted: Callable[[Rule], bool] | None) -> st.SearchStrategy[Any]:
    one = _ies(rule.grammar, wanted) if rule.grammar is not None else VALUES[rule.ie.name]
    return st.lists(one, min_size=1, max_size=2).map(tuple) if rule.many else one


@st.composite
def _ies(draw: st.DrawFn, grammar: Grammar, wanted: Callable[[Rule], bool] | None) -> dict[str, Any]:
    found = {}
    for rule in grammar.rules:
        if rule.mandatory or (wanted(rule) if wanted else draw(st.booleans())):
            found[rule.name] = draw(_value(rule, wanted))
    return found


def messages(name: str, wanted: Callable[[Rule], bool] | None = None) -> st.SearchStrategy[gtpv2.Message]:
    """Draw a message of a type; `wanted` says which elements it has beside the mandatory ones, else any."""
    spec = SPECS[name]
    return st.builds(
        gtpv2.Message,
        st.just(name),
        _ies(spec.grammar, wanted),
        U32 if spec.addressed else st.just(0),
        st.integers(0, 0xFFFFFF),
        st.none() | st.integers(0, 15),
    )


@cache
def theirs() -> dict[int, type]:
    """Return pycrate's messages by type."""
    from pycrate_mobile import TS29274_GTPC as gtpc  # noqa: N811 - a module

    classes = [each for each in vars(gtpc).values() if isinstance(each, type) and issubclass(each, gtpc.GTPCMsg)]
    return {each()["GTPCHdr"]["Type"].get_val(): each for each in classes if each is not gtpc.GTPCMsg}


def parsed(octets: bytes) -> Any:
    """Return pycrate's message of octets. An element that it cannot read as what it is fails."""
    message = theirs()[octets[1]]()
    message.from_bytes(octets)
    return message


def unread(elements: Any) -> list[str]:
    """Return the elements of a message, or of a group, that pycrate has left as octets, or has not understood."""
    from pycrate_core.base import Buf
    from pycrate_mobile.TS29274_GTPC import GTPCIEs

    found = []
    for each in elements:
        if isinstance(each[1], GTPCIEs):
            found += unread(each[1])
        elif type(each[1]) is Buf:
            found.append(repr(each))
    return found


def row(number: int) -> tuple[dict[tuple[int, int], Any], dict[tuple[int, int], Any]]:
    """Return pycrate's elements of a message by type and instance: mandatory ones, others."""
    elements = theirs()[number]()[1]
    return elements.MAND, elements.OPT
