"""Whatever octets a platform or a gateway sends: the sessions answer, tell of a fault or end, and nothing else."""

from __future__ import annotations

import random

import mutation
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpp_messages import BIND, CMPP, PDUS

from simwarden.machine.cmpp_session import CmppSession, End
from simwarden.machine.cmpp_session import State as CmppState
from simwarden.machine.smpp_session import SmppSession
from simwarden.machine.smpp_table import Role, State
from simwarden.machine.windowed_session import BindAsked
from simwarden.wire import cmpp, smpp

SMPP = [smpp.encode(pdu) for pdu in PDUS.values()]
CMPP_OCTETS = [cmpp.encode(message) for message in CMPP.values()]


def bound(role: Role) -> SmppSession:
    """Return a session that stands, with a request of its own under way."""
    session, peer = SmppSession(role, 0), SmppSession(role.other, 0)
    centre, esme = (session, peer) if role is Role.SMSC else (peer, session)
    esme.bind(smpp.Command.BIND_TRANSCEIVER, BIND, 0)
    centre.receive(b"".join(esme.data_to_send()), 0)
    (asked,) = centre.events()
    assert isinstance(asked, BindAsked)
    centre.accept(asked.pdu, "SMSC")
    esme.receive(b"".join(centre.data_to_send()), 0)
    session.events()
    session.ask(smpp.Command.SUBMIT_SM if role is Role.ESME else smpp.Command.DELIVER_SM, smpp.ShortMessage(), 0)
    session.data_to_send()
    assert session.state is State.BOUND_TRX
    return session


def connected(end: End) -> CmppSession:
    session = CmppSession(end, 0)
    connect = cmpp.Connect("900001", bytes(16))
    if end is End.GATEWAY:
        session.receive(cmpp.encode(cmpp.Message(cmpp.Command.CONNECT, 1, connect)), 0)
        (asked,) = session.events()
        assert isinstance(asked, BindAsked)
        session.accept(asked.pdu, "secret")
    else:
        session.connect(connect, 0)
        session.receive(cmpp.encode(cmpp.Message(cmpp.Command.CONNECT_RESP, 1, cmpp.Connected(0))), 0)
    session.data_to_send()
    session.events()
    assert session.state is CmppState.CONNECTED
    return session


def made(end: Role | End) -> SmppSession | CmppSession:
    return bound(end) if isinstance(end, Role) else connected(end)


@pytest.mark.parametrize("end", [*Role, *End])
@given(seed=st.integers(0, 1 << 32), times=st.integers(1, 20))
def test_damaged_messages(end: Role | End, seed: int, times: int) -> None:
    octets, read = (SMPP, smpp.decode) if isinstance(end, Role) else (CMPP_OCTETS, cmpp.decode)
    rng, session = random.Random(seed), made(end)
    for _ in range(times):
        session.receive(mutation.mutate(rng, rng.choice(octets), octets), 1)
        session.on_timer(2)
        for each in session.data_to_send():
            read(each)  # whatever is answered can be read
        session.events()
        assert (session.next_timer() is None) == (session.state.name == "CLOSED")


@pytest.mark.parametrize("end", [*Role, *End])
@given(noise=st.lists(st.binary(max_size=200), max_size=5))
def test_noise(end: Role | End, noise: list[bytes]) -> None:
    session = made(end)
    for each in noise:
        session.receive(each, 1)
    session.lost()
    assert session.next_timer() is None
