"""What `classify` costs: 100,000 cards of a CSV, each with lists of its own. Time is a figure; memory is asserted."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CARDS = 100_000
HEAD = "imsi,msisdn,use,functions,data_list,sms_list,quota,binding,form,area,blacklist,monitoring"


def test_100_000_cards_are_classified_in_little_memory(tmp_path: Path) -> None:
    rng = random.Random(1)
    path = tmp_path / "cards.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEAD}\n")
        for number in range(CARDS):
            entries = " ".join(f"192.0.2.{rng.randrange(256)}:{rng.randrange(1, 65536)}" for _ in range(4))
            use = rng.choice(["smart-metering", "video-surveillance", "智能快递柜", "car"])
            file.write(f"00101{number:010d},1440{number:09d},{use},,{entries},1069012,30 MB,hss,esim,enb/1,yes,yes\n")
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "simwarden", "classify", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1
    assert f"{CARDS} cards: " in done.stdout
    assert "100000 of 100001 lines" in done.stderr
    took, memory = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024
    print(f"classify: {CARDS} cards in {took:.1f} s of processor time ({wall:.1f} s), {memory:.0f} MB")  # noqa: T201
    assert memory < 300
