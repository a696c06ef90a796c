"""How flashes are read."""

from __future__ import annotations

from heliograph.codec import FlashCause, decode
from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading


class Heliograph(Reading):
    """Flashes in words."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        del known
        flash = decode(data)
        if flash.cause is None:
            fields = {"text": flash.text, "password": "***"}
            return Dissection("flash-request", f"Flash request, {flash.text}", fields)
        refused = f"{int(flash.cause)} {flash.cause.name}" if flash.cause else ""
        return Dissection("flash-answer", f"Flash answer, {refused or 'seen'}", {"cause": flash.cause}, refused)

    def cut(self, stream: bytes) -> tuple[list[bytes], bytes]:
        """See Reading."""
        found = []
        while stream and len(stream) > stream[0]:
            found.append(stream[: stream[0] + 1])
            stream = stream[stream[0] + 1 :]
        return found, stream

    def mask(self, data: bytes) -> bytes:
        """See Reading."""
        try:
            length = len(decode(data).password)
        except PeerError:
            return data
        return data[:3] + bytes(length) + data[3 + length :] if length else data

    def messages(self) -> tuple[str, ...]:
        """See Reading."""
        return ("flash-request", "flash-answer")

    def short_names(self) -> dict[str, str]:
        """See Reading."""
        return {"FLR": "flash-request"}

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        cause = MessageField("cause", True, v.members(FlashCause), FlashCause)
        text = (MessageField("text", True, v.TEXT), MessageField("password", False, v.one_of("***")))
        fields = {"flash-request": text, "flash-answer": (cause,)}.get(name)
        return MessageInfo(f"heliograph, {name}", fields) if fields else None
