"""Wireshark decodes every frame of every capture of the shipped scenarios, to the end and without a complaint."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import traces

from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.case_reference import capture_name, split_reference
from simwarden.scenario.registry import Registry
from simwarden.scenario.suite import find
from simwarden.trace.events import Frame
from simwarden.trace.pcapng import write_capture
from simwarden.wire.family import on_interface

TSHARK, MERGECAP = shutil.which("tshark") or "", shutil.which("mergecap") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not (TSHARK and MERGECAP), reason="tshark is not installed (apt install tshark)"),
]
SCENARIOS = Path(__file__).parents[2] / "scenarios"
CHECKS = [
    *("-o", "ip.check_checksum:TRUE"),
    *("-o", "tcp.check_checksum:TRUE"),
    *("-o", "sctp.checksum:CRC 32c"),
]
#: what the last layer of a frame may be, by interface: all else is payload that nobody decoded
DECODED = {name: frozenset().union(*(family.layers for family in on_interface(name))) for name in INTERFACES}
FIELDS = (
    "frame.number",
    "frame.interface_name",
    "frame.protocols",
    "_ws.expert.severity",
    "_ws.expert.message",
    "_ws.col.info",
    "ip.checksum.status",
    "tcp.checksum.status",
    "sctp.checksum.status",
)
#: where nearly all are packets of users, which leave no frame unless they are dropped; test_tshark_gtp.py has them
PACKETS = {"S5-U", "SGi"}
#: so that connections with the same addresses in two captures are not taken for one
APART = [*("-o", "protocols.conversation_deinterlacing_key:.MI"), *("-o", "sctp.tsn_analysis:FALSE")]
#: of an expert item (Wireshark's epan/proto.h)
WARNING = 0x600000
#: an IDR that only asks where a UE is has its Subscription-Data, which is mandatory, empty (TS 29.272 7.2.9);
#: who leaves it to an OCS how much it grants has an empty Requested-Service-Unit (RFC 8506 8.18: all of it is optional)
LAWFUL = {"Data is empty": ("3GPP-Insert-Subscriber-Data Request", "Credit-Control Request")}

#: what Wireshark takes for malformed, since it reads CMPP 3.0 alone; test_tshark_sms.py has what is alike in 2.0
OTHERWISE_IN_CMPP_3 = ("CMPP_CONNECT_RESP", "CMPP_SUBMIT", "CMPP_DELIVER")

#: stories in which a card refuses its terminal to read
REFUSED_READS = {"binding-card-wrong-pin"}
#: an operation of CAP with octets as argument
_OCTETS_OF_CAP = re.compile(r"\{[a-z-]+: \"?[0-9a-f]{2,}\"?[,}]")
#: captures that are merged into one
_TOGETHER = 100


class Row(NamedTuple):
    """What tshark says of one frame."""

    number: str
    interface: str
    protocols: str
    severities: str
    messages: str
    info: str
    ip: str
    tcp: str
    sctp: str

    @property
    def complaint(self) -> str:
        """Why this frame is not well, empty if it is."""
        if self.interface == "CMPP" and self.info.startswith(OTHERWISE_IN_CMPP_3):
            return ""
        lawful = sum(any(each in self.info for each in LAWFUL.get(told, ())) for told in self.messages.split(","))
        severe = sum(int(each) >= WARNING for each in self.severities.split(",") if each) > lawful
        last = self.protocols.rpartition(":")[2]
        if severe or last not in DECODED[self.interface] or "0" in (self.ip, self.tcp, self.sctp):
            return f"{self.number} {self.interface} {self.protocols}: {self.info} [{self.messages}]"
        return ""


def read(path: Path, *options: str) -> list[Row]:
    command = [TSHARK, "-2", "-n", "-r", str(path), *CHECKS, *options, "-T", "fields", "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - its own path
    if "Unknown preference" in done.stderr:
        pytest.skip("this tshark cannot tell merged captures apart by their interfaces; version 4.4 can")
    assert done.returncode == 0, done.stderr
    return [Row(*line.split("\t")) for line in done.stdout.splitlines()]


@pytest.fixture(name="captures", scope="module")
def _captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Play all scenarios, unless SUITE_REPORT says where the report of that is, as in CI."""
    if given := os.environ.get("SUITE_REPORT"):
        return sorted(Path(given) / capture_name(job.name) for job in find([str(SCENARIOS)]))
    report = tmp_path_factory.mktemp("suite")
    command = [sys.executable, "-m", "simwarden", "run", str(SCENARIOS), "-j", "2", "--report", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return sorted(report.glob("*.pcapng"))


def _of_terminals(captures: list[Path]) -> list[Path]:
    """Leave out stories in which octets are sent as the story writes them: tshark calls some malformed, as they are.

    So it calls a card's refusal without data, also where a terminal itself reads what its PIN does not open.
    """
    files = {Path(capture_name(job.name)).stem: split_reference(job.reference)[0] for job in find([str(SCENARIOS)])}
    texts = {name: Path(file).read_text("utf-8") for name, file in files.items()}
    odd = {
        name
        for name, text in texts.items()
        if name in REFUSED_READS
        or any(f"{verb}:" in text for verb in ("send_apdu", "send_s1ap", "send_dtap"))
        or ("send_nas" in text and "octets:" in text)
        or ("intruder" in text and _OCTETS_OF_CAP.search(text))
    }
    assert odd
    return [each for each in captures if each.stem not in odd]


@pytest.fixture(name="goes", scope="module")
def _goes(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[Path], list[Row]]]:
    """Read all captures in a few goes: they are merged, each with its own interfaces, of which a file has 65,535."""
    captures = _of_terminals(captures)
    goes, merged = [], tmp_path_factory.mktemp("merged") / "some.pcapng"
    for first in range(0, len(captures), _TOGETHER):
        some = captures[first : first + _TOGETHER]
        command = [MERGECAP, "-a", "-I", "none", "-w", str(merged), *map(str, some)]
        subprocess.run(command, check=True, timeout=60)  # noqa: S603 - mergecap by its own path
        goes.append((some, read(merged, *APART)))
    return goes


@pytest.fixture(name="rows", scope="module")
def _rows(goes: list[tuple[list[Path], list[Row]]]) -> list[Row]:
    return [row for _, rows in goes for row in rows]


def test_there_is_a_capture_of_every_scenario(captures: list[Path]) -> None:
    assert len(captures) == len(find([str(SCENARIOS)]))
    assert min(capture.stat().st_size for capture in captures) > 0


def test_nothing_is_malformed_or_left_undecoded(
    captures: list[Path], rows: list[Row], goes: list[tuple[list[Path], list[Row]]]
) -> None:
    assert len(rows) > 10 * len(captures)
    for some, of_some in goes:
        complaints = [row.complaint for row in of_some if row.complaint]
        if complaints:  # which capture that is takes a look at each
            bad = [f"{path.name}: {row.complaint}" for path in some for row in read(path) if row.complaint]
            pytest.fail("\n".join(bad or complaints))


def test_all_interfaces_are_among_them(rows: list[Row]) -> None:
    seen = Counter(row.interface for row in rows)
    registry = Registry.installed()
    declared = map(registry.declaration, registry.kinds)
    spoken = {interface for each in declared for interface in (*each.listens, *each.calls)}
    assert spoken - PACKETS <= set(seen) <= spoken
    assert min(count for interface, count in seen.items() if interface not in PACKETS) >= 10


@pytest.mark.parametrize("interface", ["S6a", "S1-MME"])
def test_a_spoilt_message_is_complained_of(tmp_path: Path, interface: str) -> None:
    frames = [event for event in traces.moved_card() if isinstance(event, Frame) and event.interface == interface]
    spoilt = replace(frames[2], data=frames[2].data[:-4] + b"\xff\x02", clear=None)
    path = tmp_path / "spoilt.pcapng"
    with path.open("wb") as stream:
        write_capture([*frames[:2], spoilt], stream, dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert [bool(row.complaint) for row in read(path)] == [False, False, True]
