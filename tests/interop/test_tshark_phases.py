"""What SSP and SCP say in a lower phase of CAP has nothing of a later one, as Wireshark reads the captures of calls.

The table is second-hand: what was read are Wireshark's ASN.1 of CAMEL (`CamelV2diff.asn` and comments) and what jss7
quotes in its sources, not TS 29.078 and TS 101 046 themselves. What is not listed is taken to be of all phases. That
SpecializedResourceReport is a NULL below phase 4 they do not tell; `tests/unit/wire/test_signalling.py` has its octets.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]
#: fields of Wireshark's by the first phase that has them
FIELDS: Final = {
    3: {
        *("cause", "cug_Index", "cug_Interlock", "cug_OutgoingAccess", "carrier", "forwardingDestinationNumber"),
        *("callForwarded", "oCSIApplicable", "callLegReleasedAtTcpExpiry", "continueWithArgumentArgExtension"),
        *("callReferenceNumber_gprs", "chargeNumber", "chargingIndicator"),
    },
    4: {
        *("iMEI", "ms_Classmark2", "supportedCamelPhases", "offeredCamel4Functionalities", "bearerCapability2"),
        *(
            "ext_basicServiceCode2",
            "highLayerCompatibility2",
            "lowLayerCompatibility",
            "enhancedDialledServicesAllowed",
        ),
        *("aChChargingAddress", "callSegmentID", "firstAnnouncementStarted"),
        *("playTone", "burstList", "audibleIndicator", "automaticRearm", "legOrCallSegment", "newCallSegment"),
        *("destinationAddress", "forwardedCall", "or_Call", "initialCallSegment"),
    },
}
WARNING: Final = 0x600000
#: operations by their codes, and events, by the first phase that has them
OPERATIONS: Final = {3: {88, 56}, 4: {90, 93, 94, 95, 96, 97}}
EVENTS: Final = {3: {3}, 4: {8, 16, 19, 27, 50, 51, 52, 53}}
#: announcements, digits, minutes that end, forwarding, calls both ways: all that is said between SSP and SCP
STORY: Final = """\
scenario: calls in CAP phase {phase}
network:
  hss: {{signalling: {{}}}}
  eir: {{signalling: {{}}}}
  scp: {{type: scp, phases: [{phase}], announcements: {{list: 7, pin: 8}}}}
  pstn: {{type: pstn, phones: {{room: {{number: "+8613800001111"}}, nurse: {{number: "+8613800002222"}}}}}}
  ssp: {{type: ssp, trunks: {{pstn: {{prefixes: [""]}}}}}}
cards:
  plain: {{profile: elevator-alarm, voice: {{by: scp, numbers: ["13800001111"], quota: 2}}}}
  guarded: {{profile: elevator-alarm, voice: {{by: scp, numbers: ["13800001111"], pin: "4711"}}}}
devices:
  lift: {{type: module, msc: ssp}}
  other: {{type: module, msc: ssp}}
steps:
  - insert: {{card: plain, into: lift}}
  - power_on: lift
  - insert: {{card: guarded, into: other}}
  - power_on: other
  - call: {{device: lift, to: "13800001111", lasts: 10}}
    expect: connected
  - call: {{device: lift, to: "13800003333"}}
  - call: {{pstn: pstn, phone: room, to: plain.msisdn, talks: 10}}
    expect: released
  - call: {{device: other, to: "13800001111", keys: ["4711"], lasts: 10}}
    expect: connected
  - call: {{device: lift, to: "13800001111", lasts: 10 min}}
    expect: released
"""


def leaves(tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, list):
        for each in tree:
            yield from leaves(each)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if isinstance(value, (dict, list)):
                yield name, ""
                yield from leaves(value)
            else:
                yield name, str(value)


def said(folder: Path, phase: int) -> Counter[tuple[str, str]]:
    """Return all that Wireshark finds between SSP and SCP of the story in a phase."""
    file = folder / f"phase-{phase}.yaml"
    file.write_text(STORY.format(phase=phase))
    command = [sys.executable, "-m", "simwarden", "run", str(file), "--report", str(folder / "report")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
    command = [TSHARK, "-n", "-r", str(folder / f"report/phase-{phase}.pcapng"), "-Y", "camel", "-T", "json"]
    done = subprocess.run(  # noqa: S603 - as above
        [*command, "--no-duplicate-keys"], capture_output=True, text=True, check=True, timeout=60
    )
    found: Counter[tuple[str, str]] = Counter()
    for packet in json.loads(done.stdout):
        row = list(leaves(packet["_source"]["layers"]))
        asks = any(name == "tcap.begin_element" for name, _ in row)
        if phase < 4 and asks and any(value.endswith("23.3.4") for _, value in row):
            continue  # what was asked in phase 4 first, and is refused
        found.update((name.removeprefix("camel."), value) for name, value in row if name.startswith(("camel.", "_ws.")))
    return found


@pytest.mark.parametrize("phase", [2, 3, 4])
def test_a_phase_has_nothing_of_a_later_one(tmp_path: Path, phase: int) -> None:
    found = said(tmp_path, phase)
    names = {name for name, _ in found}
    operations = {int(value) for name, value in found if name == "local"}
    events = {int(value) for name, value in found if name == "eventTypeBCSM"}
    assert operations >= {0, 18, 19, 20, 22, 23, 24, 31, 35, 36, 47, 48}
    assert events >= {2, 7, 9, 12, 15, 17}
    later = range(phase + 1, 5)
    assert not names & {name for each in later for name in (*FIELDS[each], *(f"{it}_element" for it in FIELDS[each]))}
    assert not operations & {code for each in later for code in OPERATIONS[each]}
    assert not events & {event for each in later for event in EVENTS[each]}
    assert "_ws.malformed" not in names
    assert all(int(value) < WARNING for name, value in found if name == "_ws.expert.severity")  # else our own remarks
    # a call ends with its time: phase 2 says so by a SEQUENCE, the others by a BOOLEAN
    assert ("releaseIfdurationExceeded_element" in names, "releaseIfdurationExceeded" in names) == (
        phase == 2,
        phase > 2,
    )


def test_the_table_finds_what_a_later_phase_has(tmp_path: Path) -> None:
    """Phase 4 has some of what the table forbids below it, or the test above could not fail."""
    names = {name for name, _ in said(tmp_path, 4)}
    assert names & FIELDS[4]
    assert names & {"callLegReleasedAtTcpExpiry_element", "callLegReleasedAtTcpExpiry"}
