"""The card of a meter, as it is provisioned at the elements of a test's network."""

from __future__ import annotations

IMSI = "001010000000001"
CARD = {
    "name": "card",
    "imsi": IMSI,
    "iccid": "8900101000000000014",
    "msisdn": "1440000000001",
    "k": "00112233445566778899aabbccddeeff",
    "opc": "ffeeddccbbaa99887766554433221100",
    "profile": "meter",
    "form": "plug-in",
}
