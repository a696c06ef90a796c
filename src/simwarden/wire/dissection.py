"""What every family's `dissect` returns: a message in the field's own words, for expectations, ladders and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Dissection:
    """One decoded message.

    `name` is the message's name by its spec in lower case with hyphens (`update-location-answer`, `attach-reject`,
    `initial-ue-message`); `fields` are its fields by the spec's names in snake case, values being str, int, bytes,
    IntEnum, list or a nested dict; `summary` is the one line of a ladder (`Attach reject, EMM cause 6 Illegal ME`);
    `cause` is the cause or failing result in words where the message carries one, else empty.
    `inner` are the dissections of what it carries (the NAS message in an S1AP one).
    """

    name: str
    summary: str
    fields: dict[str, Any] = field(default_factory=dict)
    cause: str = ""
    inner: tuple[Dissection, ...] = ()


def dissect_carried(dissect: Callable[[bytes], Dissection], octets: bytes, kind: str, title: str) -> Dissection:
    """Return the dissection of a carried message, or one that states why it is malformed."""
    try:
        return dissect(octets)
    except PeerError as error:
        return Dissection(f"malformed-{kind}", f"malformed {title}: {error.reason}", {"octets": octets})
