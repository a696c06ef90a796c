"""The figures of docs/performance.md: benches tell them, and a whole run of the benches writes them into the page.

`make bench` prints them. `make figures` also writes them, with day and machine; nothing else does, and a test holds the
page against `ROWS`.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import sys
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"
MARK: Final = "<!-- Written by `make figures`. -->\n"
_HEAD: Final = "\n| what | figure | goal | how |\n|---|---|---|---|\n"

#: What is measured, with the goal and how.
ROWS: Final[dict[str, tuple[str, str]]] = {
    "`simwarden --help`": ("0.4 s", "test_command.py, CPU, median of 5"),
    "command to first verdict and report": (
        "2 s",
        "test_command.py, CPU, median of 5, `run scenarios/demo/moved-card.yaml`",
    ),
    "shipped suite, a scenario, `-j 1`": ("0.1 s", "test_command.py, wall time without start-up and report"),
    "shipped suite, a scenario, `-j 2`": ("0.1 s", "the same"),
    "a first attach in all elements, full trace": ("5 ms", "test_attach.py, CPU, best of 3"),
    "the same, beside one on a stub of the gateways": ("1.6 times", "test_attach.py, CPU, in turn, best of 5"),
    "the same with four checks of areas, data of its own": ("1 ms more", "test_attach.py, in turn, best of 5"),
    "the same with four checks of areas, data of a pool": ("1 ms more", "the same"),
    "user packets from endpoint to endpoint, in memory": (
        "",
        "test_packets.py, CPU of both ends, batches of 32, best of 3",
    ),
    "user packets from endpoint to endpoint, over UDP": ("", "the same"),
    "sessions set up and ended at SGW and PGW, in memory": ("600/s", "test_gateways.py, CPU, one at a time, best of 3"),
    "sessions set up and ended at SGW and PGW, over UDP": ("400/s", "the same"),
    "user packets through the PGW, in memory": ("60,000/s", "test_gateways.py, CPU, batches of 32, best of 3"),
    "user packets through the PGW, over UDP": ("", "the same"),
    "user packets of a card with ten destinations through the PGW, in memory": ("60,000/s", "the same"),
    "user packets of a card with ten destinations through the PGW, over UDP": ("", "the same"),
    "new flows of a card with ten destinations decided at the PGW": (
        "5,000/s",
        "test_gateways.py, CPU, half of them refused, best of 3",
    ),
    "sessions set up with Gx and Gy, OCS durable, equal lists": (
        "400/s",
        "test_gateways.py, CPU of SGW, PGW, PCRF and OCS, one at a time, SQLite, best of 3",
    ),
    "sessions set up with Gx and Gy, OCS durable, lists that differ": (
        "400/s",
        "the same; seven destinations of ten are no other card's",
    ),
    "user packets of a card with ten destinations and a running quota through the PGW": (
        "60,000/s",
        "test_gateways.py, CPU of PGW, PCRF and OCS, batches of 32, best of 3",
    ),
    "memory of an idle session in SGW, PGW, PCRF and OCS": (
        "16 KiB",
        "test_gateways.py, tracemalloc, ten destinations",
    ),
    "user packets through SGW and PGW, in memory": (
        "",
        "test_gateways.py, CPU, eNB's end of the tunnel in it, best of 3",
    ),
    "user packets through SGW and PGW, over UDP": ("10,000/s", "the same"),
    "calls connected by an SCP, both ends, in memory": (
        "500/s",
        "test_scp.py, CPU of both ends, three operations in one message, best of 3",
    ),
    "a served SCP at 300 dialogues/s": (
        "p99 40 ms",
        "test_scp.py, by the clock, InitialDP to Connect on TCP, time kept on SQLite",
    ),
    "calls of terminals through SSP and SCP": (
        "150/s",
        "test_calls.py, CPU of SSP, SCP, HLR, terminals and telephones together, in memory",
    ),
    "calls to terminals through SSP and SCP": ("80/s", "the same; GMSC and MSC are one SSP"),
    "InitialDP to Connect, at the SSP and back": ("500/s", "the same, without terminals and telephones"),
    "messages into the service centre": ("1,500/s", "test_smsc.py, CPU of it, a window of 32, SQLite, no HSS there"),
    "messages through the business gateway": ("1,500/s", "test_sms_gateway.py, CPU of it, a window of 32, SQLite"),
    "messages through gateway and service centre": (
        "1,500/s",
        "test_messages.py, CPU of the busier one with all it does, a window of 32",
    ),
    "messages into connected devices": (
        "400/s",
        "test_messages.py, CPU of the busiest, and of smsc, mme and hss together; SGd, S1AP, ciphered NAS",
    ),
    "a message from the platform into a device": ("", "the same: CPU of each process"),
    "the platform's check behind the EIR": ("1 ms more", "test_platform.py, CPU, best of 3"),
    "100,000 cards with bindings brought to the platform over HTTP": ("20 s, 300 MB", "test_platform.py"),
    "longest wait of a check beside work on 100,000 cards, sqlite": (
        "100 ms",
        "test_platform.py, the client in Python too",
    ),
    "longest wait of a check beside work on 100,000 cards, postgresql": ("100 ms", "the same"),
    "shutdown of a batch of 10,000 registered cards": ("20 s", "test_platform.py, CPU to the last CLR answered"),
    "memory of an attached device": ("45 kB", "test_fleet.py, with its session"),
    "`wait: 90 days`, ten idle cards": ("0.3 s", "test_fleet.py, CPU"),
    "10,000 cards on the live page, begun and attached": (
        "as one of 100",
        "test_live.py, CPU of server and network; what a page is told and shows, in Chromium",
    ),
    "AIR over TCP, sqlite": ("2,000/s", "test_served.py: `simwarden serve hss`, 32 outstanding"),
    "ULR over TCP, sqlite": ("2,000/s", "the same; one in twelve is a first use"),
    "ECR over TCP, sqlite": ("4,000/s", "the same with `simwarden serve eir`"),
    "AIR over TCP, postgresql": ("", "the same; PostgreSQL waits for no disk"),
    "ULR over TCP, postgresql": ("", "the same"),
    "ECR over TCP, postgresql": ("", "the same"),
    "a refused ULR, no broker": ("", "test_events.py, CPU, best of 3"),
    "a refused ULR, broker down": ("", "the same; its two events are kept"),
    "a refused ULR, broker up": ("", "the same; both ends of MQTT in the process"),
    "an event kept behind many that wait": ("", "test_events.py, CPU"),
}

_told: dict[str, str] = {}


def tell(what: str, figure: str) -> None:
    """Print a figure of `ROWS` and remember it. Raises KeyError for one that the page has no row for."""
    if what not in ROWS:
        raise KeyError(what)
    _told[what] = figure
    sys.stderr.write(f"\n{what}: {figure}" + (f" (goal {ROWS[what][0]})" if ROWS[what][0] else ""))


def measured() -> dict[str, str]:
    """Return the figures of this run by their rows."""
    return dict(_told)


def table(head: str, figures: dict[str, str]) -> str:
    """Return the part of the page that is written: the head, and a row for each figure."""
    rows = [f"| {what} | {figures[what]} | {goal} | {how} |\n" for what, (goal, how) in ROWS.items()]
    return f"{MARK}{head}\n{_HEAD}{''.join(rows)}"


def written() -> tuple[str, dict[str, str], str]:
    """Return head and figures of the page, and the part of it that they were read from."""
    part = re.search(rf"{re.escape(MARK)}(.*)\n{re.escape(_HEAD)}((?:\|.*\n)*)", PAGE.read_text("utf-8"))
    assert part, f"{PAGE} has no table written by `make figures`"
    cells = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in part[2].splitlines()]
    return part[1], {row[0]: row[1] for row in cells}, part[0]


def write() -> None:
    """Write the figures that were told into the page. Raises KeyError where a bench of `ROWS` has not run."""
    head = f"Measured on {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {_machine()}."
    _, _, part = written()
    PAGE.write_text(PAGE.read_text("utf-8").replace(part, table(head, _told)), "utf-8")


def _machine() -> str:
    """Return processors, Python, and how busy the machine was beside: who reads figures has to know."""
    info = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    cores = f"{os.cpu_count()} cores of {named[1] if named else platform.machine()}"
    return f"{cores}, Python {platform.python_version()}, load average {os.getloadavg()[2]:.1f}"
