"""Platform and business gateway, each a process: a code is usable within a second, and withdrawn as fast."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from business import ACCOUNTS, APPROVAL, CODE, IMSI, provision
from served import serve
from smpp_centre import CARD
from smpp_sender import Sender, message
from waiting import until

from simwarden.wire.smpp import Command, Pdu, Status

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
OPERATOR = {"Authorization": "Bearer o"}


def submitted(sender: Sender, sequence: int) -> int:
    sender.send(Pdu(Command.SUBMIT_SM, sequence, 0, message(b"read")))
    return sender.receive()[0].status


def test_a_code_is_usable_within_a_second_and_withdrawn_as_fast(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [provision(IMSI, CARD)]}))
    common: dict[str, Any] = {"management": "127.0.0.1:0", "tokens": {"operator": "o"}}
    gateway_settings = {
        **common,
        "settings": {"smsc": "", "keeper": "cmp", "accounts": ACCOUNTS},
        "listen": {"SMPP": "127.0.0.1:0", "CMPP": "127.0.0.1:0"},
        "store": f"sqlite:///{tmp_path / 'gateway.db'}",
        "subscribers": "cards.json",
    }
    with serve(tmp_path, "sms_gateway", gateway_settings) as gateway:
        url = "http://{}:{}".format(*gateway.where["management"])
        cmp_settings = {
            **common,
            "settings": {"hss": "off", "codes": {"gateways": ["sms_gateway"]}},
            "listen": {"S13": "127.0.0.1:0"},
            "store": f"sqlite:///{tmp_path / 'cmp.db'}",
            "managed": {"sms_gateway": {"url": url, "token": "o"}},
        }
        with (
            serve(tmp_path, "cmp", cmp_settings) as cmp,
            httpx.Client(base_url="http://{}:{}".format(*cmp.where["management"]), headers=OPERATOR) as operator,
        ):
            assert until(lambda: httpx.get(f"{url}/codes", headers=OPERATOR).json()["age"] < 300)
            sender = Sender(gateway.where["SMPP"])
            assert submitted(sender, 2) == Status.ESME_RINVSRCADR
            for body, asked, wanted, sequence in (
                ({"account": "waterworks", **APPROVAL}, "PUT", Status.ESME_ROK, 3),
                (APPROVAL, "DELETE", Status.ESME_RINVSRCADR, 4),
            ):
                begun = time.monotonic()
                assert operator.request(asked, f"/codes/{CODE}", json=body).status_code == 200
                status = submitted(sender, sequence)
                took = time.monotonic() - begun
                assert status == wanted
                assert took < 1, f"{asked} took {took:.2f} s"
            sender.close()
            assert cmp.faults() + gateway.faults() == ""
