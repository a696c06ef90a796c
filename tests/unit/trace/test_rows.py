"""Rows: what is marked as refused."""

from __future__ import annotations

import pytest

from simwarden.trace.events import Frame
from simwarden.trace.rows import rows_of

BYE = """BYE sip:+12125550100@192.0.2.1 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:+12125550101@192.0.2.2>;tag=1
To: <sip:+12125550100@192.0.2.1>;tag=2
Call-ID: 1@192.0.2.2
CSeq: 2 BYE
Reason: Q.850;cause={cause}
Content-Length: 0

"""


@pytest.mark.parametrize(("cause", "refused"), [(16, False), (17, True), (21, True), (31, True)])
def test_a_call_that_is_cleared_normally_is_not_refused(cause: int, *, refused: bool) -> None:
    bye = BYE.format(cause=cause).replace("\n", "\r\n").encode()
    (row,) = rows_of([Frame(source="ssp", target="pstn", interface="SIP", protocol="sip", data=bye, number=1)])
    assert f"Q.850 cause {cause}" in row.text
    assert row.refused is refused
