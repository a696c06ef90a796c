"""Authentication Information Retrieval (TS 29.272 5.2.3.1), with vectors by TS 33.401 6.1.2 and Milenage."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from simulators.hss.controls import Occasion
from simulators.hss.core import visited_plmn
from simwarden.machine import milenage
from simwarden.machine.eps_keys import kasme
from simwarden.wire.diameter import Avps, ExperimentalResult, Message, ResultCode, first

if TYPE_CHECKING:
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Subscriber
    from simwarden.model.identity import Plmn
    from simwarden.runtime.diameter import Peer

AMF = b"\x80\x00"
"""Authentication management field with the separation bit, which E-UTRAN asks for (TS 33.401 6.1.1)."""
_NO_AMF = b"\x00\x00"
_IND_BITS = 5
"""SQN = SEQ || IND, IND of 5 bits taken in turn (TS 33.102 C.1.1.1 and C.3.2)."""
_SEQ_LIMIT = 1 << 43


async def authentication_information(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer an AIR. The SQN is stored before the answer leaves, so that no restart gives one out twice."""
    subscriber = core.find(message, Occasion.VECTORS)
    if isinstance(subscriber, Message):
        return subscriber
    plmn = visited_plmn(message)
    wanted = message.get("Requested-EUTRAN-Authentication-Info")
    if wanted is None:
        return core.node.answer(message, ExperimentalResult.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE)
    resynchronisation = first(wanted, "Re-Synchronization-Info")
    seq = subscriber.seq
    if resynchronisation is not None:
        seq = resynchronised(subscriber, resynchronisation)
    number = max(1, min(core.config.vectors, first(wanted, "Number-Of-Requested-Vectors", 1)))
    k, opc = bytes.fromhex(subscriber.k), bytes.fromhex(subscriber.opc)
    vectors: Avps = []
    for item in range(1, number + 1):
        vector = make_vector(k, opc, seq + item, core.site.rng.randbytes(16), plmn)
        vectors.append(("E-UTRAN-Vector", [("Item-Number", item), *vector] if number > 1 else vector))
    origin, realm = message.get("Origin-Host"), message.get("Origin-Realm")
    core.store.set_seq(subscriber, seq + number, mme=origin, realm=realm)
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS, [("Authentication-Info", vectors)])


def sqn_of(seq: int) -> bytes:
    """Return the sequence number for a SEQ."""
    return ((seq % _SEQ_LIMIT) << _IND_BITS | seq % (1 << _IND_BITS)).to_bytes(6, "big")


def make_vector(k: bytes, opc: bytes, seq: int, rand: bytes, plmn: Plmn) -> list[tuple[str, Any]]:
    """Make the AVPs of an E-UTRAN-Vector (TS 33.401 6.1.2)."""
    sqn = sqn_of(seq)
    mac_a, _ = milenage.f1(k, opc, rand, sqn, AMF)
    xres, ck, ik, ak = milenage.f2345(k, opc, rand)
    concealed = _xor(sqn, ak)
    return [
        ("RAND", rand),
        ("XRES", xres),
        ("AUTN", concealed + AMF + mac_a),
        ("KASME", kasme(ck, ik, plmn, concealed)),
    ]


def resynchronised(subscriber: Subscriber, info: bytes) -> int:
    """Return the SEQ to go on from after a synchronisation failure (TS 33.102 6.3.5); `info` is RAND and AUTS.

    If the card would accept our next SQN, or the AUTS is not the card's, our own SEQ stays.
    """
    rand, concealed, mac_s = info[:16], info[16:22], info[22:]
    k, opc = bytes.fromhex(subscriber.k), bytes.fromhex(subscriber.opc)
    sqn_ms = _xor(concealed, milenage.f5_star(k, opc, rand))
    seq_ms = int.from_bytes(sqn_ms, "big") >> _IND_BITS
    _, expected = milenage.f1(k, opc, rand, sqn_ms, _NO_AMF)
    return max(subscriber.seq, seq_ms) if hmac.compare_digest(expected, mac_s) else subscriber.seq


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
