"""How much is fuzzed, and from which seed: FUZZ_CASES and FUZZ_SEED in the environment, else what CI runs."""

from __future__ import annotations

import os

#: octet strings given to the decoders, all families together
WIRE_CASES = int(os.environ.get("FUZZ_CASES", "100000"))
#: whole attach flows in which something goes wrong
FLOWS = max(20, WIRE_CASES // 50)
SEED = int(os.environ.get("FUZZ_SEED", "1"))
