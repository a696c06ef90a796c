"""What an MME makes of NAS messages by their protection (TS 24.301 4.4.4.3), and of those that nothing waits for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.dispatch.nas import _check_unprotected
from simwarden.errors import PeerError
from simwarden.testing.diameter import IMSI
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType

_T = MessageType
_ALLOWED = {
    _T.IDENTITY_RESPONSE,
    _T.AUTHENTICATION_RESPONSE,
    _T.AUTHENTICATION_FAILURE,
    _T.SECURITY_MODE_REJECT,
    _T.ATTACH_REQUEST,
    _T.TRACKING_AREA_UPDATE_REQUEST,
    _T.DETACH_REQUEST,
    _T.DETACH_ACCEPT,
    _T.EXTENDED_SERVICE_REQUEST,
}


def _is_taken(kind: MessageType, asked_for: IdentityType) -> bool:
    conn: Any = SimpleNamespace(identity_asked=asked_for)
    message: Any = SimpleNamespace(type=kind)
    try:
        _check_unprotected(conn, message)
    except PeerError:
        return False
    return True


def test_what_is_taken_without_protection_is_what_begins_or_secures_an_exchange() -> None:
    assert {kind for kind in MessageType if _is_taken(kind, IdentityType.IMSI)} == _ALLOWED
    for asked_for in (IdentityType.IMEI, IdentityType.IMEISV, IdentityType.GUTI):
        assert {kind for kind in MessageType if _is_taken(kind, asked_for)} == _ALLOWED - {_T.IDENTITY_RESPONSE}


def _detach(identity: MobileIdentity, ksi: int = 0, kind: int = 1) -> Message:
    return Message(_T.DETACH_REQUEST, detach_type=kind, nas_key_set_identifier=ksi, eps_mobile_identity=identity)


@pytest.mark.parametrize("identity", ["imsi", "guti", "strange guti"])
async def test_a_detach_without_protection_detaches_nobody(run: Any, identity: str) -> None:
    async with run() as network:
        known = await network.attached_idle()
        other = network.phone(enb_id=60)
        named = MobileIdentity(IdentityType.IMSI, IMSI)
        if identity != "imsi":
            m_tmsi = known.guti.m_tmsi + (identity != "guti")
            named = MobileIdentity(IdentityType.GUTI, replace(known.guti, m_tmsi=m_tmsi))
        other.first(encode(_detach(named, kind=9)))
        await network.settle()
        assert other.released
        assert network.session()["state"] == "idle"
        assert network.mme.core.connections == {}


@pytest.mark.parametrize("on", ["a new connection", "the connection that it has"])
async def test_a_device_detaches_under_the_keys_that_it_has(run: Any, on: str) -> None:
    async with run() as network:
        phone = await network.attached()
        request = _detach(MobileIdentity(IdentityType.GUTI, phone.guti), phone.security.ksi)
        if on == "a new connection":
            phone.idle()
            await network.settle()
            phone.first(phone.protected(request))
            phone.secured = True
        else:
            phone.send(request)
        await network.settle()
        assert phone.types()[-1] is _T.DETACH_ACCEPT
        assert network.session() is None


async def test_a_device_detaches_instead_of_completing_the_security_mode(run: Any) -> None:
    async with run() as network:
        phone = network.phone()

        def give_up(self: Any, _message: Message) -> None:
            request = _detach(MobileIdentity(IdentityType.IMSI, IMSI), self.security.ksi)
            kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT
            self.raw(self.security.protect(encode(request), kind))

        phone.replies[_T.SECURITY_MODE_COMMAND] = give_up
        phone.attach()
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.SECURITY_MODE_COMMAND, _T.DETACH_ACCEPT]
        assert network.session() is None
        await network.sleep(60)
        assert phone.types().count(_T.SECURITY_MODE_COMMAND) == 1
        assert network.mme.core.connections == {}


async def test_what_crosses_the_release_of_a_connection_is_not_read(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        phone.idle()
        await network.settle()
        assert network.enb.names()[-1] == "ue-context-release-command"
        phone.send(_detach(MobileIdentity(IdentityType.GUTI, phone.guti), phone.security.ksi))
        await network.settle()
        assert network.session()["state"] == "idle"
        phone.up("ue-context-release-complete")
        await network.settle()
        assert network.mme.core.connections == {}


@pytest.mark.parametrize("kind", [_T.EMM_STATUS, _T.ESM_STATUS])
async def test_a_status_is_taken_note_of_and_not_answered(run: Any, kind: MessageType) -> None:
    async with run() as network:
        phone = await network.attached()
        fields = {"eps_bearer_identity": 5, "esm_cause": 81} if kind.is_esm else {"emm_cause": 111}
        got = len(phone.got)
        phone.send(Message(kind, **fields))
        await network.settle()
        assert f"{kind.name} from the device" in network.notes()
        assert network.peer_faults() == []
        assert phone.got[got:] == []
        assert network.session()["state"] == "connected"


async def test_a_device_that_has_lost_its_guti_detaches_when_it_has_proved_itself(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        phone = network.phone(enb_id=60)
        phone.first(encode(_detach(MobileIdentity(IdentityType.IMSI, IMSI), 7)))
        await network.settle()
        assert phone.types()[0] is _T.AUTHENTICATION_REQUEST
        assert phone.types()[-1] is _T.DETACH_ACCEPT
        assert network.session() is None


async def test_an_attach_by_the_imsi_is_authenticated_whatever_protects_it(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.attach(eps_mobile_identity=MobileIdentity(IdentityType.IMSI, IMSI))
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST]


@pytest.mark.parametrize("octets", ["075e", "17aabbccdd00075e", "27aabbccdd00075e", "17aabbccdd00074300035200c2"])
async def test_nobody_completes_the_security_mode_without_its_keys(run: Any, octets: str) -> None:
    async with run() as network:
        phone = network.phone(replies={_T.SECURITY_MODE_COMMAND: lambda self, _: self.raw(bytes.fromhex(octets))})
        phone.attach()
        await network.settle()
        assert network.session() is None
        assert network.peer_faults() == [
            "ATTACH_COMPLETE without protection: discarded"
            if octets.endswith("c2")
            else "SECURITY_MODE_COMPLETE without protection: discarded"
            if octets[0] == "0"
            else "SECURITY_MODE_COMPLETE that is not under the new security context: discarded"
        ]
        await network.sleep(60)
        assert phone.types().count(_T.SECURITY_MODE_COMMAND) == 5
        assert network.session() is None


async def test_a_faulty_message_under_the_keys_that_are_offered_is_answered_by_a_status(run: Any) -> None:
    def fault(phone: Any, _message: Message) -> None:
        kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT
        phone.raw(phone.security.protect(bytes.fromhex("074501"), kind))

    async with run() as network:
        phone = network.phone(replies={_T.SECURITY_MODE_COMMAND: fault})
        phone.attach()
        await network.settle()
        (reason,) = network.peer_faults()
        assert "DETACH_REQUEST" in reason
