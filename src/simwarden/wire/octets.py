"""Octets of a protocol that no installed family declares: only counted."""

from __future__ import annotations

from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, Reading


class Octets(Reading):
    """Octets that nobody here reads."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        del known
        return Dissection("octets", f"{len(data)} octets", {"octets": data})
