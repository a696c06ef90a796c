"""An X2AP message in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageInfo, Reading
from simwarden.wire.s1ap.reading import info_of, plain_fields, title_of
from simwarden.wire.x2.codec import decode
from simwarden.wire.x2.messages import SPECS, Procedure

if TYPE_CHECKING:
    from collections.abc import Iterable


def dissect(data: bytes) -> Dissection:
    """Show a message by the specification's names; keys read `***`. Raises PeerError."""
    message = decode(data)
    fields = plain_fields(message)
    cause = fields.get("cause", "")
    target = message.get("target_cell_id")
    about = ", ".join(part for part in (f"to cell {target}" if target else "", cause) if part)
    summary = f"{title_of(message.name)} ({about})" if about else title_of(message.name)
    return Dissection(message.name, summary, fields, cause)


class X2(Reading):
    """How X2AP is read."""

    read = staticmethod(dissect)

    def mask(self, data: bytes) -> bytes:
        """See Reading."""
        try:
            context = decode(data).get("ue_context_information")
        except PeerError:
            return data
        key = context.as_security_information.key_enodeb_star if context is not None else b""
        return data.replace(key, bytes(len(key))) if key else data

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return SPECS

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        spec = SPECS.get(name)
        return None if spec is None else info_of(spec, "X2AP", Procedure(spec.procedure), "TS 36.423")
