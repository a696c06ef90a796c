"""Kannel and smpplib as customers' platforms at our business gateway, which is bound at an SMSC; each a process.

They send and receive, with long UCS2 and receipts, and hear why what they may not send is refused.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import smpplib.client
import smpplib.exceptions
from business import CODE, OTHER_CODE
from kannel import INSTALLED, Hooks, kannel, send
from served_gateway import gateway
from smpp_centre import CARD, TEXT, Centre, in_parts, text_of
from waiting import until

from simwarden.wire.smpp import Address, ShortMessage, Status, Ton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.mark.skipif(not INSTALLED, reason="Kannel is not installed (apt install kannel)")
def test_kannel_sends_and_receives(tmp_path: Path) -> None:
    hooks = Hooks()
    with Centre() as centre, gateway(tmp_path, centre) as port, kannel(tmp_path, port, hooks) as ask:
        send(ask, hooks, CODE, CARD, TEXT)
        assert until(lambda: len(centre.submitted) > 1 and bool(hooks.of("/report")))
        assert text_of(centre.submitted) == TEXT
        assert {each.source for each in centre.submitted} == {Address(CODE, Ton.UNKNOWN, 1)}
        assert {each.destination for each in centre.submitted} == {Address(CARD, Ton.INTERNATIONAL, 1)}
        assert hooks.of("/report")[0]["what"] == "1"  # delivered
        for part in in_parts(TEXT, 9):
            centre.deliver(part)
        assert until(lambda: bool(hooks.of("/mo")))
        (came,) = hooks.of("/mo")
        assert came["from"].lstrip("+") == CARD
        assert came["text"].encode("latin-1").decode("utf-16-be") == TEXT
        assert centre.faults == []
        assert all(each.answer is not None and each.answer.status == 0 for each in centre.answered)


@pytest.mark.skipif(not INSTALLED, reason="Kannel is not installed (apt install kannel)")
def test_kannel_is_told_what_it_may_not_send(tmp_path: Path) -> None:
    hooks = Hooks()
    with Centre() as centre, gateway(tmp_path, centre) as port, kannel(tmp_path, port, hooks) as ask:
        send(ask, hooks, OTHER_CODE, CARD, "as somebody else")
        assert until(lambda: bool(hooks.of("/report")))
        assert hooks.of("/report")[0]["what"] == "16"  # rejected by the SMSC, which the gateway is to it
        assert centre.submitted == []


@contextmanager
def client(port: int, password: str = "s3cret") -> Iterator[smpplib.client.Client]:  # noqa: S107 - of a test
    made = smpplib.client.Client("127.0.0.1", port, timeout=30, allow_unknown_opt_params=True)
    made.connect()
    try:
        made.bind_transceiver(system_id="meters", password=password)
        yield made
    finally:
        made.disconnect()


def test_smpplib_sends_and_receives(tmp_path: Path) -> None:
    got: list[bytes] = []
    sent: list[Any] = []
    with Centre() as centre, gateway(tmp_path, centre) as port, client(port) as platform:
        platform.set_message_received_handler(lambda pdu: got.append(pdu.short_message))
        platform.set_message_sent_handler(lambda pdu, **_more: sent.append(pdu.message_id))
        message = {"destination_addr": CARD, "dest_addr_ton": 1, "short_message": b"read your meter"}
        platform.send_message(source_addr=f"+86{CODE}", **message, registered_delivery=True)
        while not got:
            platform.read_once()
        assert got[0].startswith(b"id:" + sent[0] + b" ")
        assert b"stat:DELIVRD" in got[0]
        assert centre.submitted[0].source == Address(CODE, 0, 1)
        centre.deliver(ShortMessage(source=Address(CARD, 1, 1), destination=Address(CODE), short_message=b"17 kWh"))
        while len(got) < 2:
            platform.read_once()
        assert got[1] == b"17 kWh"
        for refused, status in (
            ({"source_addr": "BANK", "source_addr_ton": 5}, Status.ESME_RINVSRCADR),
            ({"source_addr": CODE, "destination_addr": "13800000000"}, Status.ESME_RINVDSTADR),
            ({"source_addr": CODE, "data_coding": 4}, Status.ESME_RSUBMITFAIL),
        ):
            platform.send_message(**{**message, **refused})
            with pytest.raises(smpplib.exceptions.PDUError) as raised:
                platform.read_once()
            assert raised.value.args[1] == status
        assert len(centre.submitted) == 1
        platform.unbind()


def test_smpplib_is_told_of_a_wrong_password(tmp_path: Path) -> None:
    with Centre() as centre, gateway(tmp_path, centre) as port:
        with pytest.raises(smpplib.exceptions.PDUError) as raised, client(port, "guess"):
            pass
        assert raised.value.args[1] == Status.ESME_RINVPASWD
