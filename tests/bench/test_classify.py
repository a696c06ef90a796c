"""What `classify` costs: 100,000 cards of a CSV, each with lists of its own. Time is a figure; memory is asserted."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CARDS = 100_000
HEAD = "imsi,msisdn,use,functions,data_list,sms_list,quota,binding,form,area,blacklist,monitoring"
#: runs a command and writes seconds and MiB that it took; a small process of its own, since a child's greatest size
#: begins with that of the process which it came from
MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}")
sys.exit(status)
"""


def test_100_000_cards_are_classified_in_little_memory(tmp_path: Path) -> None:
    rng = random.Random(1)
    path = tmp_path / "cards.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEAD}\n")
        for number in range(CARDS):
            entries = " ".join(f"192.0.2.{rng.randrange(256)}:{rng.randrange(1, 65536)}" for _ in range(4))
            use = rng.choice(["smart-metering", "video-surveillance", "智能快递柜", "car"])
            file.write(f"00101{number:010d},1440{number:09d},{use},,{entries},1069012,30 MB,hss,esim,enb/1,yes,yes\n")
    begun, out, err, measured = time.monotonic(), tmp_path / "out", tmp_path / "err", tmp_path / "measured"
    command = [sys.executable, "-c", MEASURE, str(measured), sys.executable, "-m", "simwarden", "classify", str(path)]
    with out.open("w") as told, err.open("w") as wrong:
        done = subprocess.run(command, stdout=told, stderr=wrong, check=False)  # noqa: S603
    wall = time.monotonic() - begun
    assert done.returncode == 1
    assert f"{CARDS} cards: " in out.read_text()
    assert "100000 of 100001 lines" in err.read_text()
    took, memory = map(float, measured.read_text().split())
    print(f"classify: {CARDS} cards in {took:.1f} s of processor time ({wall:.1f} s), {memory:.0f} MB")  # noqa: T201
    assert memory < 300
