"""How much is fuzzed, and from which seed: FUZZ_CASES and FUZZ_SEED in the environment, else what `make test-all` runs.

Property tests (`@given`) draw from the same seed. Without FUZZ_SEED that is 1, so that a run of `make test` is like
the one before; `make fuzz` and CI choose one at random and give each property test more examples.
"""

from __future__ import annotations

import os

#: octet strings given to the decoders, all families together
WIRE_CASES = int(os.environ.get("FUZZ_CASES", "100000"))
#: whole attach flows in which something goes wrong
FLOWS = max(20, WIRE_CASES // 50)
SEED = int(os.environ.get("FUZZ_SEED", "1"))
_TIMES = max(1, WIRE_CASES // 10_000) if "FUZZ_SEED" in os.environ else 1


def examples(number: int) -> int:
    """How many examples a property test draws that draws so many in `make test`."""
    return number * _TIMES
