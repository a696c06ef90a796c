"""Platforms of customers that are not ours: Kannel and smpplib send and receive, with long UCS2 and receipts.

They speak to our SMPP session and codec on a real socket.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
from kannel import INSTALLED, Hooks, kannel, send
from smpp_centre import CARD, CODE, TEXT, Centre, in_parts, text_of
from waiting import until

from simwarden.wire import smpp
from simwarden.wire.smpp import Address, ShortMessage, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.mark.skipif(not INSTALLED, reason="Kannel is not installed (apt install kannel)")
def test_kannel_sends_and_receives(tmp_path: Path) -> None:
    hooks = Hooks()
    with Centre() as centre, kannel(tmp_path, centre.port, hooks) as port:
        assert until(lambda: bool(centre.binds))
        assert centre.binds[0].interface_version == 0x34
        send(port, hooks, CODE, CARD, TEXT)
        assert until(lambda: len(centre.submitted) > 1 and bool(hooks.of("/report")))
        assert text_of(centre.submitted) == TEXT
        first = centre.submitted[0]
        assert (first.destination.number, first.destination.ton) == (CARD, smpp.Ton.INTERNATIONAL)
        assert (first.esm_class, first.data_coding, first.registered_delivery & 1) == (0x43, 8, 1)
        assert first.source.number == CODE
        assert hooks.of("/report")[0]["what"] == "1"  # delivered
        for part in in_parts(TEXT, 9):
            centre.deliver(part)
        assert until(lambda: bool(hooks.of("/mo")))
        (came,) = hooks.of("/mo")
        assert came["from"].lstrip("+") == CARD
        assert centre.faults == []
        assert all(each.answer is not None and each.answer.status == 0 for each in centre.answered)


# -- smpplib


@contextmanager
def client(centre: Centre, password: str) -> Iterator[smpplib.client.Client]:
    made = smpplib.client.Client("127.0.0.1", centre.port, timeout=30, allow_unknown_opt_params=True)
    made.connect()
    try:
        made.bind_transceiver(system_id="meters", password=password)
        yield made
    finally:
        made.disconnect()


def test_smpplib_sends_and_receives() -> None:
    got: list[bytes] = []
    with Centre() as centre, client(centre, "s3cret") as platform:
        platform.set_message_received_handler(lambda pdu: got.append(pdu.short_message))
        platform.set_message_sent_handler(lambda **_pdu: None)
        platform.send_message(
            source_addr=CODE,
            source_addr_ton=smpplib.consts.SMPP_TON_NWSPEC,
            destination_addr=CARD,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            short_message=b"read your meter",
            registered_delivery=True,
        )
        while not got:
            platform.read_once()
        assert smpp.parse_receipt(got[0].decode()).state is smpp.MessageState.DELIVERED
        assert centre.submitted[0].short_message == b"read your meter"
        assert centre.submitted[0].source == Address(CODE, smpp.Ton.NETWORK_SPECIFIC, 0)
        centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=b"17 kWh"))
        while len(got) < 2:
            platform.read_once()
        assert got[1] == b"17 kWh"
        platform.unbind()
        assert until(lambda: centre.closed == ["unbound by peer"])
        assert centre.faults == []


def test_smpplib_is_told_of_a_wrong_password() -> None:
    with Centre() as centre, pytest.raises(smpplib.exceptions.PDUError) as raised, client(centre, "guess"):
        pass
    assert raised.value.args[1] == Status.ESME_RINVPASWD
