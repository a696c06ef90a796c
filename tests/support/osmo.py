"""osmo-auc-gen of libosmocore: an authentication centre that is not ours."""

from __future__ import annotations

import shutil
import subprocess

AUC_GEN = shutil.which("osmo-auc-gen") or ""


def quintuple(
    k: bytes, opc: bytes, rand: bytes, *, sqn: int = 0, amf: str = "8000", auts: bytes = b""
) -> dict[str, str]:
    """Return what it prints: RAND, AUTN, IK, CK, RES, SQN, and SQN.MS out of AUTS where one is given."""
    command = [AUC_GEN, "-3", "-a", "milenage", "-k", k.hex(), "-o", opc.hex(), "-r", rand.hex(), "-f", amf]
    command += ["-A", auts.hex()] if auts else ["-s", str(sqn)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    lines = (line.partition(":") for line in done.stdout.splitlines())
    return {name: value.strip() for name, colon, value in lines if colon}
