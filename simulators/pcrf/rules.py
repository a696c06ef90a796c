"""The rules of a session: what a card's lists stand for, in words that its PGW understands."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from simulators.pcrf.qos import UNKNOWN_QOS
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import ALL_FLOWS, FlowRule, rules_of
from simwarden.runtime.diameter.pcc_rules import installation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from simulators.pcrf.config import PcrfConfig, PcrfData
    from simulators.pcrf.qos import SessionQos
    from simwarden.wire.diameter import Avps


class Rules(NamedTuple):
    """What a card's PGW is told: names of rules, entries that it cannot be told, and the AVP that installs all."""

    names: tuple[str, ...]
    lacking: tuple[str, ...]
    install: Avps


class _Told(NamedTuple):
    """Rules that are defined here (dynamic), names of those that the PGW has, and entries that neither can tell."""

    dynamic: tuple[FlowRule, ...] = ()
    predefined: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def leaves_open(failed: Iterable[str], rules: Collection[str]) -> bool:
    """Whether of rules, by their names, something denied failed to be installed where all else is open."""
    return ALL_FLOWS.name in rules and any(each in rules and each.startswith("not ") for each in failed)


def rules_for(
    data: PcrfData,
    use: str,
    config: PcrfConfig,
    *,
    directed: bool,
    adc: bool,
    open_: bool = True,
    qos: SessionQos = UNKNOWN_QOS,
) -> Rules:
    """Return the rules of the lists of a card of a use; `directed`: the whitelist holds, if there is one.

    Each rule says its QoS, that of the default bearer (`qos`) where none is configured for it.

    Where something denied cannot be told, or was not installed (not `open_`), there is no rule about all flows.

    A name or URL, also one of an address, is no Flow-Description: it goes as the application that stands for it, to a
    PGW that knows those (`adc`, TS 29.212 4b.5.14), or as a predefined rule (TS 29.212 4.5.2.1).
    """
    denied = tuple(map(Destination.parse, data.blacklist))
    allowed = tuple(map(Destination.parse, data.whitelist or ()))
    rules = rules_of(allowed if directed else None, denied)
    closed = _tell(rules[: len(denied)], denied, config, adc=adc)
    opened = _tell(rules[len(denied) :], allowed, config, adc=adc)
    apps = _no_apps(data, use, config, adc=adc)
    if not directed and (apps.lacking or closed.lacking or not open_):  # what is denied would pass by it
        opened = _Told((), (), tuple(each.name for each in rules[len(denied) :]))
    dynamic = tuple(_charged(each, config, qos) for each in (*apps.dynamic, *closed.dynamic, *opened.dynamic))
    predefined = (*apps.predefined, *closed.predefined, *opened.predefined)
    return Rules(
        (*(each.name for each in dynamic), *predefined),
        (*apps.lacking, *closed.lacking, *opened.lacking),
        installation(dynamic, predefined),
    )


def _no_apps(data: PcrfData, use: str, config: PcrfConfig, *, adc: bool) -> _Told:
    """Deny people's apps, by the lists of the PGW: it has the kinds, and what devices of a use need beside them."""
    named = [f"{each}@{use}" if use else each for each in data.apps]
    rules = [FlowRule(f"not {each}", (), up=False, down=False, application=each) for each in named]
    if adc:
        return _Told(tuple(rules))
    known = tuple(each.name for each in rules if each.name in config.predefined)
    return _Told((), known, tuple(each.name for each in rules if each.name not in known))


def _tell(rules: Sequence[FlowRule], entries: Sequence[Destination], config: PcrfConfig, *, adc: bool) -> _Told:
    """Say the rules of one list. An application is taken if the list has all that it stands for."""
    dynamic = [each for each in rules if not _is_shown(each)]
    named = {_meaning(entry): rule for entry, rule in zip(entries, rules, strict=False) if _is_shown(rule)}
    listed, covered, predefined = set(map(_meaning, entries)), set[Destination](), []
    for name, of in config.applications.items() if named else ():
        stands_for = _meanings(of)
        those = [named[each] for each in named if each in stands_for]
        if not those or not stands_for <= listed:
            continue
        first = min(those, key=lambda rule: rule.precedence)
        called = name if first.up else f"not {name}"
        if adc:
            dynamic.append(first._replace(name=called, application=name))
        elif called in config.predefined:
            predefined.append(called)
        else:
            continue
        covered |= stands_for
    lacking = tuple(rule.name for meaning, rule in named.items() if meaning not in covered)
    return _Told(tuple(dynamic), tuple(predefined), lacking)


def _is_shown(rule: FlowRule) -> bool:
    return any(each.shown for each in rule.filters)


def _meaning(entry: Destination) -> Destination:
    return entry._replace(text="")


@lru_cache(maxsize=1024)
def _meanings(entries: tuple[str, ...]) -> frozenset[Destination]:
    """Return what an application stands for."""
    return frozenset(_meaning(Destination.parse(each)) for each in entries)


def _charged(rule: FlowRule, config: PcrfConfig, qos: SessionQos) -> FlowRule:
    own = config.qos.get(rule.name)
    quality = own.quality() if own is not None else qos.default
    online = config.online if config.online is not None else qos.online or None
    return rule._replace(rating_group=config.rating_group, online=online, quality=quality)
