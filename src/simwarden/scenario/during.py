"""Reads `during`: what is put in before a message arrives while a step is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from simwarden.model.interfaces import INTERFACES, Service
from simwarden.runtime.declare import Digits, Model
from simwarden.scenario.document import During, Mishap
from simwarden.scenario.validation import check, read_seconds, short
from simwarden.scenario.yamlfile import parts_of
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.interfaces import Interface
    from simwarden.scenario.document import Action
    from simwarden.scenario.expectation import ExpectationReader
    from simwarden.scenario.yamlfile import Spot

#: what may become of a frame on its way: words that take a time, and words that take none
LASTING, AT_ONCE = ("delay", "stall"), ("lose", "double", "repeat", "abort")
MISHAPS = (*LASTING, *AT_ONCE)
#: that it has other fields, which follow
ALTER = "alter"


class DuringModel(Model):
    """A `during`."""

    before: str
    nth: Digits = Field(default=1, ge=1, le=9999)
    do: Any


def is_lossy(interface: Interface) -> bool:
    """Whether frames may be lost, doubled or overtaken: of datagrams, and on the radio; SCTP and TCP keep them."""
    return interface.service is Service.DATAGRAMS or family_of(interface.protocol).radio


def mishaps_of(interface: Interface) -> tuple[str, ...]:
    """Return what may become of a frame on an interface; nothing between card and terminal, which are in one hand."""
    if family_of(interface.protocol).contacts:
        return ()
    if is_lossy(interface):
        # datagrams have no connection that could be aborted
        more = ("abort",) if interface.service is not Service.DATAGRAMS else ()
        return ("delay", "lose", "double", *more, *((ALTER,) if family_of(interface.protocol).alters else ()))
    return (*LASTING, "abort", *(("repeat",) if family_of(interface.protocol).repeats else ()))


class DuringReader:
    """Reads the value of a `during`: one, or a list of several."""

    def __init__(self, reader: ExpectationReader, action: Callable[[str, Any, Spot], Action | None]) -> None:
        """`action` reads a verb with its arguments."""
        self._reader, self._problems, self._action = reader, reader.problems, action

    def read(self, value: Any, spot: Spot) -> tuple[During, ...]:
        """Return what is to be put in."""
        found = (self._one(*pair) for pair in parts_of(value or "", spot))
        return tuple(each for each in found if each is not None)

    def _one(self, value: Any, spot: Spot) -> During | None:
        given = check(DuringModel, value, spot, self._problems)
        message = self._reader.message_named(given.before, spot / "before") if given else None
        if given is None or message is None:
            return None
        do = self._do(given.do, spot / "do", *message)
        return During(spot.place, *message, given.nth, do) if do else None

    def _do(self, value: Any, spot: Spot, interface: str, message: str) -> tuple[Action, ...] | Mishap | None:
        if isinstance(value, str):
            value = {value: ""}
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in (*MISHAPS, ALTER):
            return self._mishap(*next(iter(value.items())), spot, interface, message)
        found = []
        for part, here in parts_of(value or "", spot):
            verbs = {part: ""} if isinstance(part, str) and part else part
            if not isinstance(verbs, dict) or len(verbs) != 1:
                self._problems.add(f"do: one verb with its arguments is expected, not {short(part)}", here.place)
                continue
            verb, arguments = next(iter(verbs.items()))
            action = self._action(verb, arguments, here / verb if isinstance(part, dict) else here)
            found += [action] if action is not None else []
        return tuple(found) or None

    def _mishap(self, word: str, value: Any, spot: Spot, interface: str, message: str) -> Mishap | None:
        may_be = mishaps_of(INTERFACES[interface])
        if word not in may_be:
            self._problems.add(
                f"{word}: no frame of {interface} meets with that",
                spot.key,
                f"it may {', '.join(may_be)}" if may_be else "",
            )
            return None
        if word == ALTER:
            fields = self._reader.fields_to_be(interface, message, value, spot / word)
            return Mishap(word, message=message, fields=fields, place=(spot / word).key)
        if word in AT_ONCE:
            if value not in ("", "yes", "true"):
                self._problems.add(f"{word}: nothing is expected after it, not {short(value)}", (spot / word).place)
            return Mishap(word)
        duration = read_seconds(value, spot / word, self._problems, f"{word}: ")
        return None if duration is None else Mishap(word, duration)
