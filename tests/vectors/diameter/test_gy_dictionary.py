"""Our dictionary against freeDiameter's: every AVP that a Gy request may carry is known, by code and by M bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwarden.wire.diameter.dictionary import BY_CODE

LISTED = Path(__file__).with_name("gy_ccr_avps.txt").read_text().splitlines()
AVPS = [tuple(line.split()) for line in LISTED if not line.startswith("#")]
#: AVPs whose M bit other applications of ours give in another way: TS 29.212 5.3, TS 29.229, TS 29.272, TS 29.338
OTHERWISE = frozenset(
    {
        *("RAT-Type", "Feature-List", "Feature-List-ID", "Allocation-Retention-Priority", "Priority-Level"),
        *("Pre-emption-Capability", "Pre-emption-Vulnerability", "PDP-Address", "External-Identifier"),
    }
)


@pytest.mark.parametrize(("vendor", "code", "flag", "name"), AVPS)
def test_each_avp_of_a_gy_request_is_known(vendor: str, code: str, flag: str, name: str) -> None:
    known = BY_CODE[int(vendor)].get(int(code))
    assert known is not None, name
    assert known.name.lower() == name.lower()
    assert flag == "?" or known.mandatory is (flag == "M") or name in OTHERWISE
