"""A card at the SCP, and with whom it has calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.scp.config import ScpVoice


@dataclass(frozen=True, slots=True)
class VoiceCard:
    """A card; `voice` None: it has no calls. `suspended` is why it is suspended, None if it is not."""

    imsi: str
    msisdn: str
    voice: ScpVoice | None = None
    suspended: str | None = None

    @property
    def terms(self) -> ScpVoice:
        """What holds for its calls, if a rule admits any."""
        return self.voice if self.voice is not None else ScpVoice()

    def listed(self, *, outgoing: bool) -> tuple[str, ...] | None:
        """Return the numbers of a direction, None where voice is off."""
        if self.voice is None:
            return None
        return (*self.voice.numbers, *(self.voice.outgoing if outgoing else self.voice.incoming))

    def tell(self) -> dict[str, Any]:
        """Tell of it, but not its PIN."""
        voice = None
        if self.voice is not None:
            shown = self.voice.model_dump(mode="json", exclude={"by"})
            voice = shown | {"pin": "set" if self.voice.pin else ""}
        return {"imsi": self.imsi, "msisdn": self.msisdn, "suspended": self.suspended, "voice": voice}
