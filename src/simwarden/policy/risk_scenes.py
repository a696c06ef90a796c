"""Scenes of risk by the three-digit codes that operators' platforms put into their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: code to what it means
SCENES: Mapping[str, str] = {
    "007": "used in a phone",
    "008": "short message off the whitelist",
    "009": "call off the whitelist",
    "010": "breaks its restriction of data",
    "011": "visits people's applications",
    "012": "card and terminal separated",
    "013": "used outside its area",
    "014": "over the threshold of short messages",
    "015": "roams to a sensitive area",
    "016": "abnormal short messages",
    "017": "abnormal traffic",
    "018": "undirected voice in a sensitive area",
    "019": "undirected voice in a phone",
    "020": "undirected data in a phone in a sensitive area",
}
#: a card in another terminal than its own
SEPARATED = "012"
#: a card outside its area
OUTSIDE_AREA = "013"
#: a card for machines in a phone
IN_PHONE = "007"
