"""Each M3UA message as pycrate reads it: the same octets, and the values that we meant."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pycrate_mobile.M3UA import M3UATag, parse_M3UA
from sigtran_messages import M3UAS

from simwarden.wire import m3ua

#: pycrate has this parameter in one octet; RFC 4666 3.3.1 in 32 bits
_NOT_COMPARED: Final = frozenset({"network_appearance"})


def values(message: Any) -> dict[int, Any]:
    return {each[0].get_val(): each[2].get_val() for each in message[1]}


@pytest.mark.parametrize("name", M3UAS)
def test_pycrate_reads_m3ua(name: str) -> None:
    message = M3UAS[name]
    octets = m3ua.encode(message)
    assert m3ua.decode(octets) == message
    theirs, error = parse_M3UA(octets)
    assert not error
    assert theirs.to_bytes() == octets
    head = theirs[0]
    assert head["Class"].get_val() << 8 | head["Type"].get_val() == message.type
    found = values(theirs)
    if message.protocol_data is not None:
        assert found[M3UATag.ProtocolData] == [*message.protocol_data]
    if message.routing_context:
        assert found[M3UATag.RoutingContext] == [*message.routing_context]
    if message.affected_point_code:
        affected = [[each.mask, each.point_code] for each in message.affected_point_code]
        assert found[M3UATag.AffectedPC] == affected
    if message.error_code is not None:
        assert found[M3UATag.ErrorCode] == message.error_code
    if message.status is not None:
        assert found[M3UATag.Status] == [message.status >> 16, message.status & 0xFFFF]
