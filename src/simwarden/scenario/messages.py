"""The names of the messages of each wire family, as expectations may name them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simwarden.trace.dissect import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@cache
def message_names(protocol: str) -> frozenset[str]:
    """Return the names that a family's dissections may have, with those of what they carry; empty: any name."""
    tell = _FAMILIES.get(protocol)
    return frozenset((*tell(), MALFORMED)) if tell is not None else frozenset()


def _diameter() -> Iterable[str]:
    from simwarden.wire.diameter.dictionary import COMMANDS  # noqa: PLC0415 - a family loads when it is named

    return (command.name for command in COMMANDS.values())


def _mqtt() -> Iterable[str]:
    from simwarden.wire.mqtt import PacketType  # noqa: PLC0415 - as above

    return (each.name.lower() for each in PacketType)


def _nas() -> Iterable[str]:
    from simwarden.wire.nas.dissect import name_of  # noqa: PLC0415 - as above
    from simwarden.wire.nas.enums import MessageType  # noqa: PLC0415

    return (*map(name_of, MessageType), "ciphered-nas", "malformed-nas")


def _s1ap() -> Iterable[str]:
    from simwarden.wire.s1ap.messages import SPECS  # noqa: PLC0415 - as above

    return (*SPECS, *_nas())


def _x2() -> Iterable[str]:
    from simwarden.wire.x2.messages import SPECS  # noqa: PLC0415 - as above

    return SPECS


def _uu() -> Iterable[str]:
    from simwarden.wire.uu import MESSAGES  # noqa: PLC0415 - as above

    return (*(message.name for message in MESSAGES.values()), *_nas())


def _apdu() -> Iterable[str]:
    from simwarden.wire.apdu.command import Ins  # noqa: PLC0415 - as above
    from simwarden.wire.apdu.control import Control  # noqa: PLC0415

    words = [each.name.lower().replace("_", "-") for each in (*Ins, *Control)]
    return (*words, *(f"{word}-response" for word in words), "response", "answer-to-reset", "insertion")


_FAMILIES: dict[str, Callable[[], Iterable[str]]] = {
    "apdu": _apdu,
    "diameter": _diameter,
    "mqtt": _mqtt,
    "s1ap": _s1ap,
    "uu": _uu,
    "x2": _x2,
}
