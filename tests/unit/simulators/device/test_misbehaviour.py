"""What a misbehaving terminal sends: octets as asked for, and nothing of it spoils what it sends properly after."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.device.parts.misbehaviour import MESSAGES, SendNas, protected, repeated
from simwarden.errors import ManagementError
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire.nas import SecurityHeaderType, header_type

PLAIN = bytes.fromhex("075501")


class Emm:
    """As much of the machine as protection needs."""

    secure = True
    guti = card = None

    def __init__(self, security: NasSecurityContext | None) -> None:
        self.security = security


def pair() -> tuple[Any, NasSecurityContext]:
    keys = {"ksi": 0, "eia": 2, "eea": 2}
    near = NasSecurityContext(bytes(32), is_network=False, **keys)
    return Emm(near), NasSecurityContext(bytes(32), is_network=True, **keys)


def test_a_false_code_is_not_taken_and_the_next_message_is() -> None:
    emm, network = pair()
    pdu, clear = protected(emm, PLAIN, "wrong-mac")
    assert clear == PLAIN
    with pytest.raises(Exception, match="does not verify"):
        network.unprotect(pdu)
    pdu, _ = protected(emm, PLAIN, "due")
    assert network.unprotect(pdu) == PLAIN


def test_without_keys_there_is_a_header_all_the_same() -> None:
    pdu, clear = protected(Emm(None), PLAIN, "wrong-mac")  # type: ignore[arg-type]
    assert header_type(pdu) is SecurityHeaderType.INTEGRITY_PROTECTED
    assert (pdu[6:], clear) == (PLAIN, None)
    with pytest.raises(ManagementError, match="no keys"):
        protected(Emm(None), PLAIN, "due")  # type: ignore[arg-type]


def test_the_last_protected_message_of_a_name_is_repeated() -> None:
    emm, _ = pair()
    sent: list[tuple[bytes, bytes | None]] = [(bytes.fromhex("0745"), None)]
    with pytest.raises(ManagementError, match="no protected detach-request"):
        repeated(sent, "detach-request")
    detach = bytes.fromhex("0745090800110000000000000f")
    sent += [protected(emm, detach, "due"), protected(emm, PLAIN, "due")]
    assert repeated(sent, "detach-request") == sent[1]


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_what_they_are_called(name: str) -> None:
    assert SendNas(device="phone", message=name.upper().replace("-", "_")).message == name


def test_a_message_that_it_cannot_make_up() -> None:
    with pytest.raises(ValueError, match="cannot make up"):
        SendNas(device="phone", message="attach-accept")
