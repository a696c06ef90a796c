"""A card at the OCS, and what it may use in a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.ocs.config import OcsQuota


@dataclass(frozen=True, slots=True)
class QuotaCard:
    """A card; `use` is what it is for, `large` whether that needs large data; `quota` None: it is given nothing."""

    imsi: str
    msisdn: str
    use: str
    large: bool = False
    quota: OcsQuota | None = None

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        quota = self.quota.model_dump(mode="json", exclude={"by"}) if self.quota is not None else None
        return {"imsi": self.imsi, "msisdn": self.msisdn, "use": self.use, "large": self.large, "quota": quota}
