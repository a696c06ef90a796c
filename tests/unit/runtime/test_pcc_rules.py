"""PCC rules on Gx: what is written is installed as it was meant, and what cannot be is reported by its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.model.network import Network
from simwarden.policy.flow_rule import ALL_FLOWS, FlowFilter, FlowRule, Quality
from simwarden.runtime.diameter.pcc_rules import (
    MOST_FILTERS,
    Place,
    RuleError,
    common_rules,
    definition_of,
    installation,
    merge,
    predefined,
    report,
    rule_of,
)
from simwarden.wire.diameter import Message, decode, encode
from simwarden.wire.diameter.apps.gx import PccRuleStatus, RuleFailureCode

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

SITE = FlowFilter(name="upload.example.net", protocol=6, ports=range(443, 444))
CLOSED = {"upload": (SITE,), "social": ()}.get
PLACE = Place((Network.parse("10.64.0.1"), Network.parse("2001:db8:64::/64")), {"upload": (SITE,)}, CLOSED)
ONLY_4 = Place((Network.parse("10.64.0.1"),), {}, lambda _name: None)

PORTS = st.none() | st.tuples(st.integers(0, 65535), st.integers(0, 300)).map(
    lambda pair: range(pair[0], min(sum(pair), 65535) + 1)
)
NETWORKS = st.none() | st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda each: Network.parse(f"{each[0]}/{each[1]}")),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(lambda each: Network.parse(f"{each[0]}/{each[1]}")),
)
WAYS = st.sampled_from([(True, True), (True, False), (False, True)])
FILTERS = st.builds(
    lambda network, protocol, far, near, way: FlowFilter(network, protocol, far, near, *way),
    NETWORKS, st.none() | st.integers(0, 255), PORTS, PORTS, WAYS,
)  # fmt: skip
BIT_RATES = st.integers(1, 10**6)
#: of a bearer with guaranteed rates, and of one without
QUALITIES = st.one_of(
    st.tuples(st.integers(1, 4), st.integers(1, 15), st.booleans(), st.booleans(), BIT_RATES, BIT_RATES).map(
        lambda each: Quality(*each)._replace(guaranteed_up=each[4], guaranteed_down=1)
    ),
    st.tuples(st.integers(5, 9), st.integers(1, 15), st.booleans(), st.booleans()).map(lambda each: Quality(*each)),
)
RULES = st.builds(
    FlowRule,
    st.text(min_size=1, max_size=20),
    st.lists(FILTERS, min_size=1, max_size=10).map(tuple),
    st.integers(0, 0xFFFFFFFF),
    st.booleans(),
    st.booleans(),
    rating_group=st.integers(0, 0xFFFFFFFF),
    application=st.just(""),
    online=st.booleans(),
    quality=st.none() | QUALITIES,
)


def carried(definition: Avps) -> Avps:
    """Return a definition as it comes out of a Credit-Control-Answer."""
    sent = Message(272, 16777238, 0x40, 1, 1, [("Charging-Rule-Install", [("Charging-Rule-Definition", definition)])])
    found: Avps = decode(encode(sent)).find("Charging-Rule-Install", "Charging-Rule-Definition")
    return found


@settings(max_examples=budget.examples(60))
@given(rule=RULES)
def test_a_rule_is_installed_as_it_was_meant(rule: FlowRule) -> None:
    assert rule_of(carried(definition_of(rule)), PLACE) == rule


def test_an_application_is_told_by_its_identifier_alone() -> None:
    rule = FlowRule("a", (SITE,), precedence=7, down=False, application="upload")
    definition = carried(definition_of(rule))
    assert "Flow-Information" not in dict(definition)
    assert rule_of(definition, PLACE) == rule
    with pytest.raises(ValueError, match=r"upload\.example\.net"):
        definition_of(FlowRule("a", (SITE,)))


NAME = ("Charging-Rule-Name", b"r")


def defined(*avps: tuple[str, Any], described: str = "permit out ip from any to assigned", direction: int = 3) -> Avps:
    flow = [("Flow-Description", described), ("Flow-Direction", direction)]
    return [NAME, ("Flow-Information", flow), *avps]


@settings(max_examples=budget.examples(60))
@given(rules=st.lists(RULES, min_size=1, max_size=4, unique_by=lambda rule: rule.name))
def test_rules_read_together_are_those_that_are_read_by_themselves(rules: list[FlowRule]) -> None:
    applied = FlowRule("of an application", (), application="upload")
    group = decode(encode(Message(272, 16777238, 0x40, 1, 1, installation([*rules, applied], ())))).avps[0][1]
    for place in (PLACE, ONLY_4, PLACE):
        try:
            expected = {each[0][1]: rule_of(each, place) for _, each in group}
        except RuleError:
            assert common_rules(group, place) is None
        else:
            found = common_rules(group, place)
            assert found is not None
            assert (list(found[0].values()), list(found[1].items())) == (
                [each for _, each in group],
                [*expected.items()],
            )


@pytest.mark.parametrize(
    "group",
    [
        [],
        [("Charging-Rule-Definition", defined()), ("Charging-Rule-Name", b"upload")],
        [("Charging-Rule-Definition", defined()), ("Rule-Activation-Time", 1)],
        [("Charging-Rule-Definition", defined()), ("Charging-Rule-Definition", defined(("Precedence", 1)))],
        [("Charging-Rule-Definition", defined()[1:])],
        [("Charging-Rule-Definition", defined(described="permit out ip from any to 10.64.0.1"))],
        [("Charging-Rule-Definition", defined(("Flow-Status", 9)))],
    ],
)
def test_what_depends_on_a_session_or_fails_is_not_read_together(group: Avps) -> None:
    assert common_rules(group, PLACE) is None


@pytest.mark.parametrize(
    ("status", "gates"),
    [(0, (True, False)), (1, (False, True)), (2, (True, True)), (3, (False,) * 2)],
)
def test_gates_are_those_of_the_flow_status(status: int, gates: tuple[bool, bool]) -> None:
    rule = rule_of(defined(("Flow-Status", status)), PLACE)
    assert (rule.up, rule.down) == gates


def test_a_status_that_is_not_said_is_enabled() -> None:
    assert rule_of(defined(), PLACE).up


@pytest.mark.parametrize(
    ("direction", "ways"), [(0, (True, True)), (1, (False, True)), (2, (True, False)), (3, (True, True))]
)
def test_a_filter_is_for_its_direction(direction: int, ways: tuple[bool, bool]) -> None:
    (found,) = rule_of(defined(direction=direction), PLACE).filters
    assert (found.up, found.down) == ways


def test_lists_of_ports_are_so_many_filters() -> None:
    described = "permit out 6 from 192.0.2.0/24 443,8000-8001 to assigned 5000,6000"
    found = rule_of(defined(described=described), PLACE).filters
    network = Network.parse("192.0.2.0/24")
    assert found == tuple(
        FlowFilter(network, 6, far, near)
        for far in (range(443, 444), range(8000, 8002))
        for near in (range(5000, 5001), range(6000, 6001))
    )
    ports = ",".join("12345678")
    many = defined(described=f"permit out 6 from any {ports} to assigned {ports}")
    assert len(rule_of(many, PLACE).filters) == MOST_FILTERS


@pytest.mark.parametrize("near", ["10.64.0.1", "10.64.0.0/16", "0.0.0.0/0"])
def test_the_near_end_may_be_the_sessions_own_and_says_the_version(near: str) -> None:
    (found,) = rule_of(defined(described=f"permit out ip from any to {near}"), PLACE).filters
    assert found.network == Network(0, 0, 32)


CODES = RuleFailureCode
QOS = "QoS-Information"


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        ([NAME], CODES.MISSING_FLOW_INFORMATION),
        ([NAME, ("TDF-Application-Identifier", b"x")], CODES.TDF_APPLICATION_IDENTIFIER_ERROR),
        (defined(("TDF-Application-Identifier", b"upload")), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="deny out ip from any to assigned"), CODES.FILTER_RESTRICTIONS),
        (defined(described="permit in ip from any to assigned"), CODES.FILTER_RESTRICTIONS),
        (defined(described=""), CODES.FILTER_RESTRICTIONS),
        (defined(described="permit out ip from !192.0.2.1 to assigned"), CODES.FILTER_RESTRICTIONS),
        (defined(described="permit out ip from 2001:db8::1 to assigned"), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="permit out ip from any to 10.64.0.2"), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="permit out ip from any to ::/0"), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="permit out ip from 2001:db8::1 to 10.64.0.1"), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="permit out ip from assigned to assigned"), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(direction=4), CODES.INCORRECT_FLOW_INFORMATION),
        ([NAME, ("Flow-Information", [])], CODES.INCORRECT_FLOW_INFORMATION),
        (
            [
                ("Charging-Rule-Name", b"r"),
                ("Flow-Information", [("Flow-Description", "permit out ip from any to any")]),
            ],
            CODES.INCORRECT_FLOW_INFORMATION,
        ),
        (
            [*defined(), ("Flow-Information", [("ToS-Traffic-Class", b"\xb8\xfc"), ("Flow-Direction", 3)])],
            CODES.INCORRECT_FLOW_INFORMATION,
        ),
        (
            defined(described="permit out 6 from any 1,2,3,4,5 to assigned 1,2,3,4,5,6,7,8,9,10,11,12,13"),
            CODES.RESOURCES_LIMITATION,
        ),
        (
            [NAME, *(defined()[1:] * 65)],
            CODES.RESOURCES_LIMITATION,
        ),
        (defined(("Redirect-Information", [("Redirect-Support", 1)])), CODES.GW_PCEF_MALFUNCTION),
        (defined(("Flow-Status", 4)), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(("Flow-Status", 99)), CODES.INCORRECT_FLOW_INFORMATION),
        (defined(described="permit out ip from any to \xff"), CODES.FILTER_RESTRICTIONS),
        (defined(("Online", 1)), CODES.RATING_GROUP_ERROR),
        (defined(("Online", 1), ("Rating-Group", 1), ("Metering-Method", 0)), CODES.GW_PCEF_MALFUNCTION),
        (defined((QOS, [("QoS-Class-Identifier", 1)])), CODES.UNSUCCESSFUL_QOS_VALIDATION),
        (
            defined(
                (
                    QOS,
                    [
                        ("QoS-Class-Identifier", 1),
                        *((f"Guaranteed-Bitrate-{way}", 65) for way in ("UL", "DL")),
                        *((f"Max-Requested-Bandwidth-{way}", 64) for way in ("UL", "DL")),
                    ],
                )
            ),
            CODES.UNSUCCESSFUL_QOS_VALIDATION,
        ),
    ],
)
def test_what_cannot_be_installed_is_told_by_its_code(definition: Avps, code: RuleFailureCode) -> None:
    with pytest.raises(RuleError) as error:
        rule_of(definition, ONLY_4)
    assert error.value.failure is code


def test_a_rule_of_the_pgw_is_called_by_its_name() -> None:
    assert predefined("upload", PLACE).filters == (SITE,)
    closed = predefined("not upload", PLACE)
    assert (closed.filters, closed.denies, closed.precedence) == ((SITE,), True, 0)
    assert predefined("not social", PLACE).application == "social"
    for name, place in (("upload", ONLY_4), ("not upload", ONLY_4), ("social", PLACE)):
        with pytest.raises(RuleError) as error:
            predefined(name, place)
        assert error.value.failure is CODES.UNKNOWN_RULE_NAME


def test_peoples_apps_are_closed_and_never_opened() -> None:
    apps = [NAME, ("TDF-Application-Identifier", b"social")]
    assert rule_of([*apps, ("Flow-Status", 3)], PLACE).denies
    for status in (0, 1, 2):
        with pytest.raises(RuleError) as error:
            rule_of([*apps, ("Flow-Status", status)], PLACE)
        assert error.value.failure is CODES.TDF_APPLICATION_IDENTIFIER_ERROR


def test_what_is_told_again_replaces_and_the_rest_stays() -> None:
    before = definition_of(FlowRule("r", ALL_FLOWS.filters, precedence=7, rating_group=1))
    changed = rule_of(merge(before, [NAME, ("Flow-Status", 3)]), PLACE)
    assert (changed.up, changed.down, changed.precedence, changed.filters) == (False, False, 7, ALL_FLOWS.filters)
    moved = rule_of(merge(before, defined(described="permit out 6 from 192.0.2.1 to assigned")), PLACE)
    assert [each.protocol for each in moved.filters] == [6]


def test_one_definition_for_many_sessions_is_judged_for_each_by_its_own_address() -> None:
    own = carried(defined(described="permit out ip from any to 10.64.0.1"))
    other = Place((Network.parse("10.64.0.2"),), {}, lambda _name: None)
    only_6 = Place((Network.parse("2001:db8:64::/64"),), {}, lambda _name: None)
    far = carried(defined(described="permit out 6 from 192.0.2.1 to assigned"))
    for _ in range(2):  # the first is the one that reads it
        assert rule_of(own, PLACE).filters == rule_of(own, ONLY_4).filters
        assert rule_of(far, ONLY_4) is rule_of(far, other)
        for definition, place in ((own, other), (own, only_6), (far, only_6)):
            with pytest.raises(RuleError) as error:
                rule_of(definition, place)
            assert error.value.failure is CODES.INCORRECT_FLOW_INFORMATION


def test_a_far_end_of_another_version_may_be_closed_and_not_opened() -> None:
    only_6 = Place((Network.parse("2001:db8:64::/64"),), {}, lambda _name: None)
    for place, far in ((only_6, "192.0.2.1"), (ONLY_4, "2001:db8::1")):
        definition = defined(("Flow-Status", 3), described=f"permit out ip from {far} to assigned")
        assert rule_of(definition, place).denies
        with pytest.raises(RuleError, match="no packet goes to"):
            rule_of(defined(described=f"permit out ip from {far} to assigned"), place)


def test_one_definition_at_two_gateways_has_the_filters_of_each() -> None:
    definition = carried([NAME, ("TDF-Application-Identifier", b"upload")])
    elsewhere = FlowFilter(name="other.example.net", protocol=6)
    place = Place(ONLY_4.addresses, {"upload": (elsewhere,)}, lambda _name: None)
    for _ in range(2):
        assert rule_of(definition, PLACE).filters == (SITE,)
        assert rule_of(definition, place).filters == (elsewhere,)
        with pytest.raises(RuleError):
            rule_of(definition, ONLY_4)


@settings(max_examples=budget.examples(60))
@given(rules=st.lists(RULES, max_size=3), names=st.lists(st.text(min_size=1), max_size=2))
def test_rules_are_installed_as_they_are_defined(rules: list[FlowRule], names: list[str]) -> None:
    sent = decode(encode(Message(272, 16777238, 0x40, 1, 1, installation(rules, names))))
    installed = sent.get("Charging-Rule-Install", [])
    assert [value for name, value in installed if name == "Charging-Rule-Definition"] == [
        carried(definition_of(each)) for each in rules
    ]
    assert [value for name, value in installed if name == "Charging-Rule-Name"] == [each.encode() for each in names]
    assert bool(sent.avps) is bool(rules or names)


def test_a_report_names_the_rules_and_why() -> None:
    names = [("Charging-Rule-Name", b"a"), ("Charging-Rule-Base-Name", "b")]
    name, value = report(names, CODES.FILTER_RESTRICTIONS, PccRuleStatus.INACTIVE)
    sent = Message(272, 16777238, 0xC0, 1, 1, [(name, value)])
    assert decode(encode(sent)).get("Charging-Rule-Report") == [
        ("Charging-Rule-Name", b"a"),
        ("Charging-Rule-Base-Name", "b"),
        ("PCC-Rule-Status", 1),
        ("Rule-Failure-Code", 16),
    ]
