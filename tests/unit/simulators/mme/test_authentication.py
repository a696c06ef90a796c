"""Authentication of a device that is known by a GUTI, and may be another card's (TS 24.301 5.4.2.5, 5.4.2.7 d)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simwarden.testing.diameter import RES
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.nas.message import Message

_T = MessageType
IMSI, OTHER = "001010000000001", "001010000000002"
_MAC_FAILURE = Message(_T.AUTHENTICATION_FAILURE, emm_cause=EmmCause.MAC_FAILURE)
_WRONG = Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
_RIGHT = Message(_T.AUTHENTICATION_RESPONSE, res=RES)


@pytest.mark.parametrize("first", [_MAC_FAILURE, _WRONG])
@pytest.mark.parametrize(
    ("imsi", "then", "asked"),
    [(OTHER, _RIGHT, [IMSI, OTHER]), (OTHER, _MAC_FAILURE, [IMSI, OTHER]), (IMSI, _RIGHT, [IMSI])],
    ids=["another card", "another card that proves nothing either", "the same card"],
)
async def test_a_device_whose_guti_names_another_card_is_asked_for_its_own(
    run: Any, first: Message, imsi: str, then: Message, asked: list[str]
) -> None:
    answers, served = [first, then], imsi == OTHER and then is _RIGHT
    async with run() as network:
        known = await network.attached_idle()
        stranger = replace(known, imsi=imsi, enb_id=70, security=None, got=[], released=[])
        stranger.replies = {_T.AUTHENTICATION_REQUEST: lambda phone, _: phone.send(answers.pop(0))}
        stranger.attach()
        await network.settle()
        assert [each.get("User-Name") for each in network.hss.asked if "authentication" in each.name] == asked
        assert stranger.types().count(_T.IDENTITY_REQUEST) == 1
        assert stranger.types()[-1] is (_T.ATTACH_ACCEPT if served else _T.AUTHENTICATION_REJECT)
        assert (network.session(OTHER) is not None) == served
        assert network.session(IMSI) is not None, "the card that the GUTI names is served on"
