"""What an experiment may measure, as its file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from simwarden.runtime.declare import Model
from simwarden.wire.s1ap.family import S1_MME

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario

OUTCOMES = ("attach", "tau", "service_request")
"""The observables by which a device tells how its requests end."""


class Measure(Model):
    """Base of what a file says under `measure`. `steps` are those that the file must name."""

    steps: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = ""


class Delay(Measure):
    """From a change to the last message that was served although it should not have been."""

    steps: ClassVar[tuple[str, ...]] = ("change",)
    title: ClassVar[str] = "Delay: from a change to the last leaked message"
    card: str
    """The card whose use is no longer right after the step called `change`."""
    terminals: list[str] = Field(min_length=1)
    """The terminals that it is used in."""
    held: str
    """What the core holds of a card in use, as ELEMENT.OBSERVABLE, a record by IMSI (`mme.session`)."""


class Packets(Measure):
    """From a change to the last user packet that got through although it should not have."""

    steps: ClassVar[tuple[str, ...]] = ("change",)
    title: ClassVar[str] = "Packets: from a change to the last packet"
    terminals: list[str] = Field(min_length=1)
    """The terminals that send, and are sent to."""
    arrived: str
    """What the far end tells of each packet that came, as ELEMENT.OBSERVABLE, a record with its `source`."""


class Messages(Packets):
    """From a change to the last short message that got through although it should not have."""

    title: ClassVar[str] = "Messages: from a change to the last short message"
    arrived: str
    """What the platform tells of each message that came, as ELEMENT.OBSERVABLE."""


class Calls(Packets):
    """From a change to the last call that rang although it should not have, and until one in progress ended."""

    title: ClassVar[str] = "Calls: from a change to the last call"
    arrived: str
    """What the far end tells of each call that came, as ELEMENT.OBSERVABLE."""


class Blast(Measure):
    """Whom a decider hurts that fails from the step called `failed` to the one called `returned`."""

    steps: ClassVar[tuple[str, ...]] = ("failed", "returned")
    title: ClassVar[str] = "Blast radius: a decider fails"
    good: list[str] = Field(min_length=1)
    """Devices or platforms, or groups of them, whose use is right."""
    thieves: list[str] = Field(default_factory=list)
    """Devices, or groups of them, that no decider in force would let in."""
    requests: list[str] = Field(default_factory=lambda: list(OUTCOMES))
    """The observables by which they tell how their requests end."""


class Load(Measure):
    """What a fleet that is refused costs in signalling, from the step called `refused` to the one called `cured`.

    Those that are served after `cured` came back by themselves; those after `cycled`, if a step is called so, because
    they were switched off and on.
    """

    steps: ClassVar[tuple[str, ...]] = ("refused", "cured")
    title: ClassVar[str] = "Signalling load of each reject cause"
    fleet: list[str] = Field(min_length=1)
    """Devices, or groups of them."""
    at_once: bool = False
    """Whether the cause sends a device to attach again at once (#9, #10), so that it is served before `cured`."""
    core: str = S1_MME
    """The interface whose busiest second is told."""


MEASURES: dict[str, type[Measure]] = {
    "delay": Delay,
    "packets": Packets,
    "messages": Messages,
    "calls": Calls,
    "blast": Blast,
    "load": Load,
}


def members(names: list[str], scenario: Scenario) -> list[str]:
    """Return the instances that names of instances and of groups stand for."""
    return [each for name in names for each in scenario.groups.get(name, (name,))]
