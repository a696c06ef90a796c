"""CDRs in BER as pycrate's module of TS 32.298 reads them."""

from __future__ import annotations

from typing import Any


def read(octets: bytes) -> tuple[str, dict[str, Any]]:
    """Return what another implementation reads: the record's name and its fields."""
    from pycrate_asn1dir.CDR import GPRSChargingDataTypes

    kind = GPRSChargingDataTypes.GPRSRecord
    kind.from_ber(octets)
    name, fields = kind.get_val()
    assert kind.to_ber() == octets
    return name, dict(fields)
