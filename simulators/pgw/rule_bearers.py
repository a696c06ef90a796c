"""Dedicated bearers of rules that a PCRF gives with a QoS of their own (TS 29.212 4.5.5.7, TS 23.203 6.1.1.4).

A rule is in force when its bearer stands, and no longer than that; one whose bearer cannot be had is reported. Rules of
one QCI and ARP share a bearer as far as its packet filters reach.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from simulators.pgw import dedicated_bearers
from simulators.pgw.config import GUARANTEED, BearerConfig, FilterConfig
from simwarden.runtime.diameter.pcc_rules import RuleError
from simwarden.wire.diameter.apps.gx import RuleFailureCode
from simwarden.wire.tft import MOST_FILTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.pgw.clients.gx_rules import Kind, Rules
    from simulators.pgw.core import Core
    from simulators.pgw.session import Session
    from simwarden.policy.flow_rule import FlowFilter, FlowRule, Quality

#: dedicated bearers of one session: identities 6 to 15
_MOST: Final = 10
_DIRECTIONS: Final = {(True, True): "both", (True, False): "uplink", (False, True): "downlink"}


async def follow(core: Core, session: Session, gx: Rules) -> None:
    """Have the bearers that a session's rules ask for, and no others of rules; one after the other."""
    if gx.bearing:
        return
    gx.bearing = True
    try:
        while session.gx is gx and await _step(core, session, gx):
            pass
    finally:
        gx.bearing = False


async def _step(core: Core, session: Session, gx: Rules) -> bool:
    """Do one thing of what is to be done; return whether there was any."""
    wanted = gx.sharing(MOST_FILTERS)
    gx.built = {kind: rules for kind, rules in gx.built.items() if kind in wanted or kind in gx.called}
    for kind in [each for each in gx.called if each not in wanted]:
        name = gx.called.pop(kind)
        gx.built.pop(kind, None)
        heir = next((new for new, rules in wanted.items() if new not in gx.called and _has(rules, name)), None)
        bearer = session.bearers.get(name)
        if heir is not None and bearer is not None:
            gx.called[heir] = name  # its rule has another QoS, and the bearer with it
        elif bearer is not None and bearer.sgw_user is not None:
            await dedicated_bearers.delete_bearer(core, session, bearer)
        return True
    for kind, rules in wanted.items():
        if gx.built.get(kind) != rules:
            await _have(core, session, gx, kind, rules)
            return True
    return False


def _has(rules: Mapping[bytes, FlowRule], name: str) -> bool:
    return any(rule.name == name for rule in rules.values())


async def _have(core: Core, session: Session, gx: Rules, kind: Kind, rules: dict[bytes, FlowRule]) -> None:
    """Set up or update the bearer of rules of one QCI and ARP, and report rules that it cannot carry."""
    new = [key for key, rule in rules.items() if gx.bearers.get(key) != rule]
    gx.bearers |= {key: rules[key] for key in new}
    for key in new:
        try:
            config_of(rules[key])
        except RuleError as error:
            _report(core, session, gx, {key: rules[key]}, error.failure)
            return
    gx.built[kind] = rules
    try:
        stands = await _set_up(core, session, gx, kind, rules)
        failure = None if stands else RuleFailureCode.RESOURCE_ALLOCATION_FAILURE
    except RuleError as error:
        failure = error.failure
    _report(core, session, gx, {key: rules[key] for key in new}, failure)


def _report(
    core: Core, session: Session, gx: Rules, rules: Mapping[bytes, FlowRule], failure: RuleFailureCode | None
) -> None:
    for key, rule in rules.items():
        if core.pcrf is not None and gx.bearers.get(key) == rule:
            core.pcrf.bound(session, gx, key, failure)


async def _set_up(core: Core, session: Session, gx: Rules, kind: Kind, rules: Mapping[bytes, FlowRule]) -> bool:
    config = _shared(tuple(rules.values()))
    (commanded, pti), gx.commanded = gx.commanded or (0, 0), None
    standing = session.bearers.get(gx.called.get(kind, ""))
    if standing is not None:
        return await dedicated_bearers.update_bearer(core, session, standing, config, commanded=commanded, pti=pti)
    name = next(iter(rules.values())).name
    if name in gx.called.values():  # of rules that it has left
        name = f"{name} (QCI {kind.qci}, ARP {kind.priority}, {kind.number})"
    if name in session.bearers or len(session.bearers) >= _MOST:
        raise RuleError(RuleFailureCode.MAX_NR_BEARERS_REACHED, f"a session has {_MOST} dedicated bearers at most")
    gx.called[kind] = name
    return await dedicated_bearers.create_bearer(core, session, name, config, commanded=commanded, pti=pti)


def _shared(rules: tuple[FlowRule, ...]) -> BearerConfig:
    """Return the bearer of rules of one QCI and ARP: the packets of all, and the sum of guaranteed rates."""
    configs = [config_of(rule) for rule in rules]
    rates = {
        name: tuple(map(sum, zip(*(getattr(each, name) for each in configs), strict=True)))
        for name in ("guaranteed", "maximum")
    }
    filters = tuple(each for config in configs for each in config.filters)
    return configs[0].model_copy(update={**rates, "filters": filters})


def config_of(rule: FlowRule) -> BearerConfig:
    """Return the bearer that a rule asks for. Raises RuleError for flows that no packet filter tells."""
    if rule.quality is None or len(rule.filters) > MOST_FILTERS:
        raise RuleError(RuleFailureCode.RESOURCES_LIMITATION, f"a bearer has {MOST_FILTERS} packet filters at most")
    if any(each.name or each.local_ports for each in rule.filters):
        raise RuleError(RuleFailureCode.NO_BEARER_BOUND, "names and own ports are no matter of packet filters here")
    try:
        return _config(rule, rule.quality)
    except ValidationError as error:
        reason = f"there is no such bearer: {error.errors()[0]['msg']}"
        raise RuleError(RuleFailureCode.UNSUCCESSFUL_QOS_VALIDATION, reason) from None


def _config(rule: FlowRule, quality: Quality) -> BearerConfig:
    rates = _rates(quality) if quality.qci in GUARANTEED else {}
    return BearerConfig(
        qci=quality.qci,
        priority=quality.priority,
        may_preempt=quality.may_preempt,
        preemptable=quality.preemptable,
        filters=tuple(_filter(each) for each in rule.filters),
        **rates,
    )


def _rates(quality: Quality) -> dict[str, tuple[int, int]]:
    """Return rates in kbit/s, no higher than those of the rule save below 1."""
    return {
        "guaranteed": (max(1, quality.guaranteed_up // 1000), max(1, quality.guaranteed_down // 1000)),
        "maximum": (max(1, quality.maximum_up // 1000), max(1, quality.maximum_down // 1000)),
    }


def _filter(each: FlowFilter) -> FilterConfig:
    remote = "0.0.0.0/0"
    if each.network is not None:
        start = each.network.start.to_bytes(each.network.width // 8)
        remote = str(ipaddress.ip_network((start, each.network.length)))
    ports = f"{each.ports[0]}-{each.ports[-1]}" if each.ports is not None else ""
    protocol = each.protocol if each.protocol is not None else ""
    told = {"direction": _DIRECTIONS[each.up, each.down], "remote": remote, "protocol": protocol, "ports": ports}
    return FilterConfig.model_validate(told)
