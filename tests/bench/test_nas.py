"""What NAS costs: protection, and the messages of an attach.

`-s` prints the figures. Nothing here fails for being slow: a machine may be.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.machine.milenage import f1, f2345
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.nas import (
    IdentityType,
    Message,
    MessageType,
    MobileIdentity,
    SecurityHeaderType,
    UeNetworkCapability,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PLMN = Plmn("001", "01")
ATTACH_REQUEST = Message(
    MessageType.ATTACH_REQUEST,
    eps_attach_type=1,
    nas_key_set_identifier=7,
    eps_mobile_identity=MobileIdentity(IdentityType.IMSI, "001010000000001"),
    ue_network_capability=UeNetworkCapability(0xA0, 0x20),
    esm_message_container=bytes.fromhex("0201d011d1"),
)
ATTACH_ACCEPT = Message(
    MessageType.ATTACH_ACCEPT,
    eps_attach_result=1,
    t3412=3240.0,
    tai_list=[Tai(PLMN, 1)],
    esm_message_container=bytes.fromhex("5201c101090908696e7465726e65740501c0000207"),
    guti=Guti(PLMN, 0x8001, 1, 0xC0FFEE01),
)
SECURITY = NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=False)
KIND = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED
REQUEST, ACCEPT, PDU = encode(ATTACH_REQUEST), encode(ATTACH_ACCEPT), bytes(60)
KEY, RAND = bytes(range(16)), bytes(16)


@pytest.mark.parametrize(
    ("what", "work"),
    [
        ("protect 60 octets", lambda: SECURITY.protect(PDU, KIND)),
        ("encode ATTACH REQUEST", lambda: encode(ATTACH_REQUEST)),
        ("decode ATTACH REQUEST", lambda: decode(REQUEST)),
        ("encode ATTACH ACCEPT", lambda: encode(ATTACH_ACCEPT)),
        ("decode ATTACH ACCEPT", lambda: decode(ACCEPT)),
        ("Milenage", lambda: (f1(KEY, KEY, RAND, bytes(6), bytes(2)), f2345(KEY, KEY, RAND))),
    ],
)
def test_rate(what: str, work: Callable[[], Any]) -> None:
    best = 9.0
    for _ in range(5):
        start = time.process_time()
        for _ in range(3000):
            work()
        best = min(best, time.process_time() - start)
    rate = 3000 / best
    sys.stderr.write(f"\n{what}: {rate:,.0f}/s, {1e6 / rate:.1f} us")
