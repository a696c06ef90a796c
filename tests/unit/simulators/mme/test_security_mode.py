"""Security mode control (TS 24.301 5.4.3): which algorithms are chosen, and whose keys are in use after it."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.mme.config import Security
from simulators.mme.procedures.security_mode import choose_algorithms
from simwarden.wire.nas.elements import NasAlgorithms, UeNetworkCapability
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType

_NEW = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT


@pytest.mark.parametrize(
    ("eea", "eia", "chosen"),
    [
        (0xE0, 0xE0, NasAlgorithms(2, 1)),
        (0x40, 0x60, NasAlgorithms(1, 1)),
        (0xE0, 0x20, NasAlgorithms(2, 2)),
        (0x80, 0xE0, None),  # EEA0 alone, which this network does not have
        (0xE0, 0x80, None),  # EIA0 alone
    ],
)
def test_the_networks_first_algorithms_are_chosen_that_the_device_has(eea: int, eia: int, chosen: Any) -> None:
    policy = Security(integrity=(1, 2), ciphering=(2, 1))
    assert choose_algorithms(policy, UeNetworkCapability(eea, eia)) == chosen


async def test_a_security_mode_is_completed_once(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.raw(phone.security.protect(encode(Message(MessageType.SECURITY_MODE_COMPLETE)), _NEW))
        await network.settle()
        assert network.peer_faults()[-1] == "NAS message under a new security context that was not offered"
        assert network.session()["state"] == "connected"


async def test_an_emergency_call_under_null_algorithms_counts_its_messages_by_direction(run: Any) -> None:
    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        phone.send(Message(MessageType.EMM_STATUS, emm_cause=EmmCause.PROTOCOL_ERROR_UNSPECIFIED))
        await network.settle()
        (ue,) = network.mme.core.by_imsi.values()
        counts = ue.security.ul_count, ue.security.dl_count
        assert counts == (phone.security.ul_count, phone.security.dl_count) == (3, 2)
        assert (ue.security.eea, ue.security.eia) == (0, 0)
