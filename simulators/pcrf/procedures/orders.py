"""What a PCRF orders of a PGW, and what that says could not be done (TS 29.212 4.5.2, 4.5.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.runtime.diameter.pcc_rules import readable
from simwarden.wire.diameter import first
from simwarden.wire.diameter.apps.gx import PccRuleStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.pcrf.card import GxSession
    from simulators.pcrf.core import Core
    from simulators.pcrf.rules import Rules
    from simwarden.wire.diameter import Avps, Message


def orders(rules: Rules, removed: Iterable[str] = ()) -> Avps:
    """Make the AVPs that remove and install rules (4.5.2)."""
    avps: Avps = []
    names: list[tuple[str, Any]] = [("Charging-Rule-Name", each.encode()) for each in removed]
    if names:
        avps.append(("Charging-Rule-Remove", names))
    return [*avps, *rules.install]


def failures(failed: tuple[str, ...], message: Message) -> tuple[str, ...]:
    """Return which rules a PGW could not install, by what it reported before and now (4.5.12)."""
    found = dict.fromkeys(failed)
    for report in message.all("Charging-Rule-Report"):
        names = [readable(value) for name, value in report if name == "Charging-Rule-Name"]
        for each in names:
            if first(report, "PCC-Rule-Status") == PccRuleStatus.ACTIVE:
                found.pop(each, None)
            else:
                found[each] = None
    return tuple(found)


def tell_lacking(core: Core, session: GxSession) -> None:
    """Tell the operator of entries that a PGW cannot be told."""
    if session.lacking:
        what = ", ".join(session.lacking)
        core.site.note(f"{session.host} cannot be told of {what}: not in force", imsi=session.imsi)
