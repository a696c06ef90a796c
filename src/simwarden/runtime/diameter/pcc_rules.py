"""PCC rules on Gx: what a PCRF writes of a flow rule, and what a PGW makes of it (TS 29.212 4.5.2, 5.3.4).

What a PGW cannot install raises RuleError with the code by which it reports that (5.3.38): it lets nothing pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.model.network import Network
from simwarden.policy.flow_rule import FlowFilter, FlowRule, Quality
from simwarden.runtime.diameter.gx_qos import qos_information, quality_of
from simwarden.wire.diameter import RawAvp, first
from simwarden.wire.diameter.apps.gx import FlowDirection, FlowStatus, PccRuleStatus, RuleFailureCode
from simwarden.wire.diameter.codec import encode_avps
from simwarden.wire.diameter.dictionary import AVPS
from simwarden.wire.diameter.filter_rule import FilterRule
from simwarden.wire.diameter.message import read_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from simwarden.wire.diameter import Avps
    from simwarden.wire.diameter.apps.credit import FinalUnitAction

#: filters of one rule
MOST_FILTERS: Final = 64
#: QCIs of bearers with a guaranteed bit rate (TS 23.203 table 6.1.7)
GUARANTEED: Final = frozenset({1, 2, 3, 4, 65, 66, 67, 75})
#: Metering-Method (TS 29.212 5.3.8): what counts octets
_VOLUME, _DURATION_AND_VOLUME = 1, 2
#: Online (TS 29.212 5.3.10): DISABLE_ONLINE
_DISABLED: Final = 0
#: AVPs of Flow-Information that ask for marks of packets, by which no rule here tells flows
_MARKS: Final = frozenset({"ToS-Traffic-Class", "Security-Parameter-Index", "Flow-Label"})
#: Redirect-Support (TS 29.212 5.3.83): REDIRECTION_ENABLED
_REDIRECTED: Final = 1
#: with what the name of a predefined rule begins that closes what it is about
_NOT: Final = "not "
_BOTH, _UP, _DOWN = (True, True), (True, False), (False, True)
#: the filter of no direction is for packets both ways (5.3.65)
_WAYS: Final[Mapping[int | None, tuple[bool, bool]]] = {
    FlowDirection.UNSPECIFIED: _BOTH,
    FlowDirection.DOWNLINK: _DOWN,
    FlowDirection.UPLINK: _UP,
    FlowDirection.BIDIRECTIONAL: _BOTH,
}
_GATES: Final[Mapping[int, tuple[bool, bool]]] = {
    FlowStatus.ENABLED: _BOTH,
    FlowStatus.ENABLED_UPLINK: _UP,
    FlowStatus.ENABLED_DOWNLINK: _DOWN,
    FlowStatus.DISABLED: (False, False),
}
_STATUS: Final = {gates: status for status, gates in _GATES.items()}


class RuleError(PeerError):
    """A rule cannot be installed; `failure` is the Rule-Failure-Code."""

    def __init__(self, failure: RuleFailureCode, reason: str) -> None:
        super().__init__(reason, code=int(failure))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Place:
    """Where rules are installed: a session's addresses (of IPv6 its prefix), and the PGW's filters of applications.

    `closed` tells those by which an application is closed: none of one that the PGW tells by other means than filters;
    None of one that it does not know.
    """

    addresses: tuple[Network, ...]
    applications: Mapping[str, tuple[FlowFilter, ...]]
    closed: Callable[[str], tuple[FlowFilter, ...] | None]


# -- as the PCRF writes them


def definition_of(rule: FlowRule) -> Avps:
    """Make the value of a Charging-Rule-Definition; what flows show is told by applications only."""
    avps: Avps = [("Charging-Rule-Name", rule.name.encode())]
    if rule.rating_group is not None:
        avps.append(("Rating-Group", rule.rating_group))
    if rule.application:
        avps.append(("TDF-Application-Identifier", rule.application.encode()))
    else:
        avps += [("Flow-Information", _information(each)) for each in rule.filters]
    avps.append(("Flow-Status", int(_STATUS[rule.up, rule.down])))
    if rule.quality is not None:
        avps.append(qos_information(rule.quality))
    if rule.online is not None:
        avps += [("Online", int(rule.online)), ("Offline", int(not rule.online))]
    if rule.rating_group is not None:
        avps.append(("Metering-Method", _VOLUME))
    if rule.monitoring_key:
        avps.append(("Monitoring-Key", rule.monitoring_key))
    return [*avps, ("Precedence", rule.precedence)]


def installation(rules: Iterable[FlowRule], predefined: Iterable[str]) -> Avps:
    """Make the Charging-Rule-Install of rules and names of rules, as octets, to be sent many times; none for none."""
    content: Avps = [("Charging-Rule-Definition", definition_of(each)) for each in rules]
    content += [("Charging-Rule-Name", each.encode()) for each in predefined]
    kind = AVPS["Charging-Rule-Install"]
    raw = RawAvp(kind.code, kind.vendor, kind.word >> 24, encode_avps(content))
    return [(kind.name, raw)] if content else []


def _information(each: FlowFilter) -> Avps:
    if each.shown:
        raise ValueError(f"{each} is told by an application, not by a Flow-Description")
    ports, local = ((each.ports,) if each.ports else ()), ((each.local_ports,) if each.local_ports else ())
    direction = {_BOTH: FlowDirection.BIDIRECTIONAL, _UP: FlowDirection.UPLINK, _DOWN: FlowDirection.DOWNLINK}
    described = str(FilterRule(each.protocol, each.network, ports, "assigned", local))
    return [("Flow-Description", described), ("Flow-Direction", int(direction[each.up, each.down]))]


# -- as the PGW reads them


def merge(before: Iterable[tuple[str, Any]], now: Avps) -> Avps:
    """Change a definition by another one of the same rule: what is not told again stays (5.3.4)."""
    told = {name for name, _ in now}
    stays = [each for each in before if each[0] not in told]
    return stays + now if stays else now


def name_of(definition: Avps) -> bytes:
    """Return the Charging-Rule-Name of a definition; empty: it has none."""
    name: bytes = first(definition, "Charging-Rule-Name", b"")
    return name


def readable(octets: bytes) -> str:
    """Return a rule's or application's name for people."""
    return octets.decode("utf-8", "backslashreplace")


class _Told(NamedTuple):
    """What a definition says by itself: its rule, with the filters of its flows, and the ends of these.

    `application` has filters of the PGW's own, which are not among these.
    """

    rule: FlowRule
    ends: tuple[FilterRule, ...]
    application: str | None


def rule_of(definition: Avps, place: Place) -> FlowRule:
    """Make the rule of a definition. Raises RuleError."""
    told = read_group(definition, _told)  # once for the sessions of cards with the same lists
    if told.application is not None:
        filters = _of_application(told.application, place, closed=told.rule.denies)
        return _same(told.rule._replace(filters=filters))
    for ends in told.ends:
        _check_ends(ends, place, closed=told.rule.denies)
    return told.rule


class _Common(NamedTuple):
    """The rules of a Charging-Rule-Install by name, as far as they are the same for all sessions.

    `applied` names those with filters of the PGW's own; `widths` are those of the addresses that open flows are for.
    """

    definitions: Mapping[bytes, Avps]
    rules: Mapping[bytes, FlowRule]
    applied: tuple[bytes, ...]
    widths: frozenset[int]


def common_rules(group: Avps, place: Place) -> tuple[Mapping[bytes, Avps], Mapping[bytes, FlowRule]] | None:
    """Return the definitions and the rules of a Charging-Rule-Install by name, if it contains nothing else.

    Return None if a rule depends on the session's address or cannot be installed: each is then read by itself.
    """
    common = read_group(group, _common)
    if common is None or not common.widths <= {each.width for each in place.addresses}:
        return None
    try:
        applied = {name: rule_of(common.definitions[name], place) for name in common.applied}
    except RuleError:
        return None
    return common.definitions, {**common.rules, **applied}


def _common(group: Avps) -> _Common | None:
    definitions = {name_of(value): value for name, value in group if name == "Charging-Rule-Definition"}
    if not definitions or b"" in definitions or len(definitions) < len(group):
        return None
    try:
        told = {name: read_group(each, _told) for name, each in definitions.items()}
    except RuleError:
        return None
    ends = [(each, one.rule.denies) for one in told.values() for each in one.ends]
    if any(isinstance(each.local, Network) for each, _ in ends):
        return None
    widths = (each.remote.width for each, closed in ends if not closed and isinstance(each.remote, Network))
    applied = tuple(name for name, one in told.items() if one.application is not None)
    return _Common(definitions, {name: one.rule for name, one in told.items()}, applied, frozenset(widths))


def _told(definition: Avps) -> _Told:
    flows = [value for name, value in definition if name == "Flow-Information"]
    says = _firsts(definition)
    application = says.get("TDF-Application-Identifier")
    up, down = _gates(says)
    if first(says.get("Redirect-Information", []), "Redirect-Support") == _REDIRECTED:
        raise RuleError(RuleFailureCode.GW_PCEF_MALFUNCTION, "nothing is redirected here")
    filters, ends = _filters(flows, application)
    rule = FlowRule(
        readable(name_of(definition)),
        filters,
        precedence=says.get("Precedence", 0xFFFFFFFF),
        up=up,
        down=down,
        application=readable(application) if application is not None else "",
        **_charging(says),
        quality=_quality(says.get("QoS-Information", [])),
    )
    return _Told(rule, ends, rule.application if application is not None else None)


def _firsts(avps: Avps) -> dict[str, Any]:
    """Return the first of each AVP by its name."""
    return dict(reversed(avps))


@lru_cache(maxsize=4096)
def _same(rule: FlowRule) -> FlowRule:
    """Return one of what is equal."""
    return rule


def predefined(name: str, place: Place) -> FlowRule:
    """Make the rule that the PGW has of a name: the flows of the application that is called so; after `not`, closed.

    Raises RuleError.
    """
    application, closed = name.removeprefix(_NOT), name.startswith(_NOT)
    filters = (place.closed if closed else place.applications.get)(application)
    if filters is None:
        raise RuleError(RuleFailureCode.UNKNOWN_RULE_NAME, f"no rule is called {name!r} here")
    precedence = 0 if closed else 0xFFFFFFFF
    return _same(FlowRule(name, filters, precedence, up=not closed, down=not closed, application=application))


def _gates(says: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return whether packets pass up and down. Raises RuleError for a status that nobody knows, and for REMOVED, of Rx.

    One that is not said is ENABLED, as TS 29.512 has it for the same rules (5.6.2.10).
    """
    status = says.get("Flow-Status", FlowStatus.ENABLED)
    if status not in _GATES:
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, f"there is no Flow-Status {status} on Gx")
    return _GATES[status]


def _filters(flows: Sequence[Avps], application: bytes | None) -> tuple[tuple[FlowFilter, ...], tuple[FilterRule, ...]]:
    """Return the filters of flows, and the ends that they are between."""
    if application is None and not flows:
        raise RuleError(RuleFailureCode.MISSING_FLOW_INFORMATION, "neither flows nor an application are given")
    if application is not None and flows:  # either of both (5.3.4)
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, "both flows and an application are given")
    found: list[FlowFilter] = []
    ends = tuple(_of_flow(flow, found) for flow in flows)
    if len(found) > MOST_FILTERS:
        raise RuleError(RuleFailureCode.RESOURCES_LIMITATION, f"more than {MOST_FILTERS} filters in one rule")
    return tuple(found), ends


def _of_application(application: str, place: Place, *, closed: bool) -> tuple[FlowFilter, ...]:
    known = (place.closed if closed else place.applications.get)(application)
    if known is None:
        reason = f"no application that is {'closed' if closed else 'open'} is called {application!r} here"
        raise RuleError(RuleFailureCode.TDF_APPLICATION_IDENTIFIER_ERROR, reason)
    return known


def _of_flow(flow: Avps, found: list[FlowFilter]) -> FilterRule:
    """Add the filters of a flow to those that are `found`; return its ends."""
    says = _firsts(flow)
    described, way, marks = says.get("Flow-Description"), _WAYS.get(says.get("Flow-Direction")), _MARKS & says.keys()
    if marks or described is None or way is None:
        what = min(marks) if marks else "a flow without a description or a direction"
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, f"{what} is not supported")
    try:
        rule = FilterRule.parse(described)
    except PeerError as error:
        raise RuleError(RuleFailureCode.FILTER_RESTRICTIONS, error.reason) from None
    up, down = way
    network = _remote(rule)
    pairs = product(rule.remote_ports or (None,), rule.local_ports or (None,))
    few = islice(pairs, MOST_FILTERS + 1)  # more are too many for the rule
    found += [FlowFilter(network, rule.protocol, far, near, up=up, down=down) for far, near in few]
    return rule


def _remote(rule: FilterRule) -> Network | None:
    """Return the far end's network."""
    if rule.remote == "assigned":
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, "the far end is not the device")
    if rule.remote is not None:
        return rule.remote
    # flows of one version only, where the near end says so
    return Network(0, 0, rule.local.width) if isinstance(rule.local, Network) else None


def _check_ends(rule: FilterRule, place: Place, *, closed: bool) -> None:
    """The near end must be the session's own, and both of a version that it has.

    But a far end that is `closed` may be of another one: nothing is asked of it, and IPv6 has addresses that stand for
    those of IPv4 (RFC 6052).
    """
    local = rule.local if rule.local != "assigned" else None
    # all packets of an address of the session are of that end: what is narrower cannot be told here
    if local is not None and not any(each.within(local) for each in place.addresses):
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, f"{local} is not the device's address")
    widths = {each.width for each in place.addresses} if local is None else {local.width}
    if not closed and isinstance(rule.remote, Network) and rule.remote.width not in widths:
        raise RuleError(RuleFailureCode.INCORRECT_FLOW_INFORMATION, f"no packet goes to {rule.remote} from there")


def online_of(online: int | None) -> bool | None:
    """Read an Online AVP; without it the default charging method holds (5.3.10).

    A value that the specification does not have makes no octets free.
    """
    return None if online is None else online != _DISABLED


def _charging(says: Mapping[str, Any]) -> dict[str, Any]:
    group, online = says.get("Rating-Group"), online_of(says.get("Online"))
    if online and group is None:
        raise RuleError(RuleFailureCode.RATING_GROUP_ERROR, "what is charged online has a rating group")
    if online and says.get("Metering-Method", _VOLUME) not in (_VOLUME, _DURATION_AND_VOLUME):
        raise RuleError(RuleFailureCode.GW_PCEF_MALFUNCTION, "octets alone are metered here")
    return {"rating_group": group, "online": online, "monitoring_key": says.get("Monitoring-Key", b"")}


def _quality(avps: Avps) -> Quality | None:
    quality = quality_of(avps)
    if quality is None:
        return None
    guaranteed = ((quality.guaranteed_up, quality.maximum_up), (quality.guaranteed_down, quality.maximum_down))
    if quality.qci in GUARANTEED and not all(0 < rate <= most for rate, most in guaranteed):
        reason = f"of QCI {quality.qci} rates are guaranteed, and no higher than the most"
        raise RuleError(RuleFailureCode.UNSUCCESSFUL_QOS_VALIDATION, reason)
    return quality


def report(
    names: Iterable[tuple[str, Any]],
    failure: RuleFailureCode | None,
    status: PccRuleStatus,
    *,
    final: FinalUnitAction | None = None,
) -> tuple[str, Any]:
    """Build the Charging-Rule-Report of rules (Charging-Rule-Name) and groups (Charging-Rule-Base-Name) (4.5.12).

    `final` is the termination action of rules that are out of credit (5.3.18).
    """
    avps: Avps = [*names, ("PCC-Rule-Status", int(status))]
    if failure is not None:
        avps.append(("Rule-Failure-Code", int(failure)))
    if final is not None:
        avps.append(("Final-Unit-Indication", [("Final-Unit-Action", int(final))]))
    return "Charging-Rule-Report", avps
