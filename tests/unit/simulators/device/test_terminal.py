"""What a terminal says of itself, by what it is asked for."""

from __future__ import annotations

import pytest

from simulators.device.terminal import Terminal
from simwarden.model.identity import Imei
from simwarden.wire.nas import IdentityType, MobileIdentity

IMEI = Imei.parse("869901000000017")


@pytest.mark.parametrize(
    ("asked", "gives", "said"),
    [
        (IdentityType.IMEI, True, MobileIdentity(IdentityType.IMEI, "869901000000010")),
        (IdentityType.IMEISV, True, MobileIdentity(IdentityType.IMEISV, IMEI.imeisv)),
        (IdentityType.IMEI, False, MobileIdentity(IdentityType.NO_IDENTITY, None)),
        (IdentityType.IMEISV, False, MobileIdentity(IdentityType.NO_IDENTITY, None)),
    ],
)
def test_an_identity_is_the_one_that_was_asked_for(asked: IdentityType, said: MobileIdentity, *, gives: bool) -> None:
    """TS 24.301 5.4.4.3; the check digit of an IMEI is transmitted as 0 (TS 23.003 6.2.1)."""
    assert Terminal(IMEI, IMEI, IMEI, gives_imeisv=gives).identity(asked) == said
