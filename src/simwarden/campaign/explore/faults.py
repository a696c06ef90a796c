"""What the carrier of frames and the elements of a story may suffer, by what they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.document import Fail, Mishap, Power, Wait
from simwarden.scenario.during import LASTING, MISHAPS, mishaps_of
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from simwarden.scenario.document import Action, Scenario

#: how long a frame is late, a connection carries nothing, an element is gone, silent or slow
_SECONDS = {"delay": 3.0, "stall": 30.0}
_GONE, _SILENT, _SLOW, _LATE = 10.0, 30.0, 60.0, 2.0


def frame_faults() -> dict[str, Mishap]:
    """Return what may become of a frame, by name."""
    return {word: Mishap(word, _SECONDS[word] if word in LASTING else 0.0) for word in MISHAPS}


def may_meet(interface: str, name: str) -> bool:
    """Whether a frame of an interface may meet with a fault: mishaps by what carries it, all else at any time."""
    return name not in MISHAPS or name in mishaps_of(INTERFACES[interface])


def element_faults(scenario: Scenario) -> dict[str, tuple[Action, ...]]:
    """Return what each element of a network may suffer and get over, as `killed-mme`."""
    found: dict[str, tuple[Action, ...]] = {}
    for name, each in scenario.instances.items():
        listens = scenario.registry.declaration(each.kind).listens
        if each.section or each.external is not None or not listens:
            continue
        found[f"restarted-{name}"] = (Power(name, "restart"),)
        found[f"killed-{name}"] = Power(name, "kill"), Wait(_GONE), Power(name, "start")
        if any(family_of(INTERFACES[interface].protocol).silenced for interface in listens):
            found[f"silent-{name}"] = Fail(name, 0), Wait(_SILENT), Power(name, "mend")
            found[f"slow-{name}"] = Fail(name, 0, after=_LATE), Wait(_SLOW), Power(name, "mend")
    return found
