"""Every GTPv2-C message against pycrate: its tables, and octets that it reads to the end and writes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import budget
import gtp_oracle as oracle
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simwarden.wire import gtpv2
from simwarden.wire.gtpv2.ies import IES
from simwarden.wire.gtpv2.messages import SPECS, Grammar, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = tuple(SPECS)
#: pycrate takes milliseconds for a message: to make a failing one smaller takes minutes
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
#: elements that pycrate 0.8 has as mandatory, or not, against the tables of TS 29.274 V17
OTHERWISE: set[tuple[str, str]] = set()


@pytest.mark.parametrize("name", MESSAGES)
@settings(max_examples=budget.examples(12), phases=UNSHRUNK)
@given(data=st.data())
def test_octets_are_read_and_written_the_same(name: str, data: st.DataObject) -> None:
    message = data.draw(oracle.messages(name))
    octets = gtpv2.encode(message)
    assert gtpv2.decode(octets) == message
    read = oracle.parsed(octets)
    assert not oracle.unread(read[1])
    assert read.to_bytes() == octets


@pytest.mark.parametrize("name", MESSAGES)
@settings(max_examples=budget.examples(4), phases=UNSHRUNK)
@given(data=st.data())
def test_octets_with_all_elements_and_with_the_least(name: str, data: st.DataObject) -> None:
    for every in (True, False):
        message = data.draw(oracle.messages(name, lambda _: every))  # noqa: B023 - drawn at once
        octets = gtpv2.encode(message)
        assert gtpv2.decode(octets) == message
        assert oracle.parsed(octets).to_bytes() == octets


def _compared(grammar: Grammar, mandatory: Any, others: Any) -> Iterator[tuple[Rule, str]]:
    """Yield the elements in which the tables differ, and how."""
    from pycrate_mobile import TS29274_GTPC as gtpc  # noqa: N811 - a module

    for rule in grammar.rules:
        key = rule.ie.number, rule.instance
        if key not in mandatory and key not in others:
            yield rule, "not there"
            continue
        if rule.mandatory is not (key in mandatory):
            yield rule, "presence"
        if rule.grammar is not None:
            group = (mandatory | others)[key][0]
            assert issubclass(group, gtpc.GTPCIEs)
            yield from _compared(rule.grammar, group.MAND, group.OPT)
    ours = {(rule.ie.number, rule.instance) for rule in grammar.rules}
    assert set(mandatory) <= ours


@pytest.mark.parametrize("name", MESSAGES)
def test_table_is_pycrates(name: str) -> None:
    spec = SPECS[name]
    differing = {(name, rule.name) for rule, _ in _compared(spec.grammar, *oracle.row(spec.type))}
    assert differing <= OTHERWISE


@pytest.mark.parametrize("name", MESSAGES)
def test_requests_have_pycrates_answers(name: str) -> None:
    from pycrate_mobile.TS29274_GTPC import GTPCReqResp

    spec = SPECS[name]
    answers = GTPCReqResp.get(spec.type, (None,))
    own = spec.answer if spec.role is not gtpv2.Role.COMMAND else ""  # which a request of the peer's follows
    assert (SPECS[own].type if own else None) == answers[0]


def test_all_elements_are_used() -> None:
    def names(grammar: Grammar) -> set[str]:
        inner = [names(rule.grammar) for rule in grammar.rules if rule.grammar is not None]
        return {rule.ie.name for rule in grammar.rules}.union(*inner)

    assert set().union(*(names(spec.grammar) for spec in SPECS.values())) == set(IES)


def test_causes_have_pycrates_numbers() -> None:
    from pycrate_mobile.TS29274_GTPC import Cause_dict

    named = {number for number, text in Cause_dict.items() if not text.startswith(("Shall not", "Reserved"))}
    assert {int(each) for each in gtpv2.Cause} == named
