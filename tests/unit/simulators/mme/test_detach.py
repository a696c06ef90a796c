"""Detach by a device that its keys do not prove, and by the network (TS 24.301 5.5.2, 4.4.4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simwarden.operations.management import Role
from simwarden.testing.diameter import IMSI
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode

_T = MessageType
IMEISV, IMEI = "3569876500000101", "356987650000019"


async def _asks_without_keys(network: Any, meter: Any, **fields: Any) -> Any:
    """Let a device with the meter's GUTI ask for a detach that nothing protects."""
    fresh: dict[str, Any] = {"security": None, "got": [], "released": [], "replies": {}}
    claims = replace(meter, radio=network.enb2, enb_id=70, **fresh | fields)
    request = Message(
        _T.DETACH_REQUEST,
        detach_type=1,
        nas_key_set_identifier=7,
        eps_mobile_identity=MobileIdentity(IdentityType.GUTI, meter.guti),
    )
    claims.first(encode(request))
    await network.settle()
    return claims


@pytest.mark.parametrize(
    ("imeisv", "asked"),
    [(IMEISV, []), ("", [IdentityType.IMEISV, IdentityType.IMEI])],
    ids=["IMEISV with the security mode", "IMEI when asked"],
)
async def test_a_device_proves_by_its_card_and_terminal_that_it_may_detach(
    run: Any, imeisv: str, asked: list[IdentityType]
) -> None:
    async with run() as network:
        meter = await network.attached()
        same = await _asks_without_keys(network, meter, imeisv=imeisv, imei=IMEI)
        kinds = [each["identity_type"] for each in same.got if each.type is _T.IDENTITY_REQUEST]
        assert kinds == asked
        assert same.got[-1].type is _T.DETACH_ACCEPT
        assert network.session() is None
        same.got.clear()
        same.attach()
        await network.settle()
        assert _T.AUTHENTICATION_REQUEST not in same.types(), "the keys by which it has proven itself are the card's"
        assert network.session() is not None


async def test_a_device_that_does_not_prove_its_card_detaches_nobody(run: Any) -> None:
    async with run() as network:
        meter = await network.attached()
        wrong = Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        before = network.session()
        replies = {_T.AUTHENTICATION_REQUEST: lambda phone, _: phone.send(wrong)}
        claims = await _asks_without_keys(network, meter, replies=replies)
        assert claims.types() == [_T.AUTHENTICATION_REQUEST, _T.AUTHENTICATION_REJECT]
        assert network.session() == before
        assert meter.released == []


async def test_a_device_that_has_to_attach_anew_is_called_once_and_may_attach_before_it_has_answered(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        phone.replies[_T.DETACH_REQUEST] = None
        phone.service()
        await network.settle()
        assert phone.types() == [_T.DETACH_REQUEST]
        again = replace(phone, got=[], released=[], replies={})
        again.attach()
        await network.settle()
        assert phone.released
        assert len(network.mme.core.connections) == 1
        await network.sleep(30)
        assert network.enb.names().count("paging") == 1
        assert "T3413 ran out" not in network.notes()
        assert phone.types().count(_T.DETACH_REQUEST) == 1
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize("by_device", [True, False])
async def test_the_hss_hears_of_the_purge_after_a_detach(run: Any, *, by_device: bool) -> None:
    async with run(timers={"purge": 60}) as network:
        phone = await network.attached()
        if by_device:
            identity = MobileIdentity(IdentityType.GUTI, phone.guti)
            fields = {"detach_type": 1, "nas_key_set_identifier": phone.security.ksi}
            phone.send(Message(_T.DETACH_REQUEST, **fields, eps_mobile_identity=identity))
        else:
            await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        assert network.session() is None
        network.hss.asked.clear()
        await network.sleep(60)
        assert network.hss.names() == ["purge-ue"]
        assert network.mme.core.by_imsi == {}
