"""The platform and the HSS in processes of their own: one tells the other over HTTP what becomes of a card."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from served import Client, serve
from waiting import LONG, reserved_port, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

IMSI, METER = "001010000000017", "9900010100000100"


def _call(where: tuple[str, int], method: str, path: str, body: Any = None) -> Any:
    url = f"http://{where[0]}:{where[1]}{path}"
    headers = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    with urllib.request.urlopen(asked, timeout=LONG) as answer:  # noqa: S310 - ours
        text = answer.read()
        return json.loads(text) if text else None


def _settings(folder: Path, interface: str, **more: Any) -> dict[str, Any]:
    own = {"listen": {interface: "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "secret"}}
    return own | {"store": f"sqlite:///{folder}/{interface}.sqlite"} | more


def _card(**sections: Any) -> dict[str, Any]:
    names = {"name": "card", "imsi": IMSI, "iccid": "8986000000000000017", "msisdn": "1440000000017"}
    keys = {"k": "00" * 16, "opc": "11" * 16, "profile": "meter", "form": "plug-in"}
    return {**names, **keys, "sections": sections}


def _managed(where: tuple[str, int]) -> dict[str, Any]:
    return {"managed": {"hss": {"url": f"http://{where[0]}:{where[1]}", "token": "secret"}}}


def test_a_suspension_travels_from_process_to_process_and_ends_what_runs(tmp_path: Path) -> None:
    patient = {"settings": {"answer_time": 0.3}}  # the MME does not answer its CLR, which the HSS goes on owing it
    with serve(tmp_path, "hss", _settings(tmp_path, "S6a", **patient)) as hss:
        register = hss.where["management"]
        with serve(tmp_path, "cmp", _settings(tmp_path, "S13", **_managed(register))) as cmp:
            platform = cmp.where["management"]
            _call(register, "PUT", f"/cards/{IMSI}", _card())
            _call(platform, "PUT", f"/cards/{IMSI}", _card(platform=[{"state": "active"}]))
            with Client(hss.where["S6a"]) as mme:
                assert mme.ask(mme.update(IMSI, METER)).success
                told = _call(
                    platform,
                    "POST",
                    f"/cards/{IMSI}/operations/suspend",
                    {"approver": "J. Okonedo", "reason": "contract", "form": "F-1"},
                )
                assert (told["state"], told["pending"]) == ("suspended", "")
                cancelled = mme.receive()
                assert (cancelled.name, cancelled.get("Cancellation-Type")) == ("cancel-location-request", 2)
                held = _call(register, "GET", f"/cards/{IMSI}")
                assert (held["suspended"], held["mme"]) == ("withdrawal", "")
                assert mme.ask(mme.update(IMSI, METER)).experimental_result == 5001
            audit = _call(register, "GET", f"/cards/{IMSI}/audit")
            callers = [each["caller"] for each in audit if each["action"] == "suspend"]
            assert callers == ["operator"], audit  # as its token says
            assert not hss.faults()
            assert not cmp.faults()


def test_a_register_that_is_started_later_hears_what_is_pending_for_it(tmp_path: Path) -> None:
    with reserved_port() as port:
        register = "127.0.0.1", port
        own = _settings(tmp_path, "S6a") | {"management": f"127.0.0.1:{port}"}
        with serve(tmp_path, "hss", own):
            _call(register, "PUT", f"/cards/{IMSI}", _card())
        settings = _settings(tmp_path, "S13", **_managed(register), settings={"retry": 0.2})
        with serve(tmp_path, "cmp", settings) as cmp:
            platform = cmp.where["management"]
            told = _call(platform, "PUT", f"/cards/{IMSI}", _card(platform=[{"state": "stock"}]))
            assert told["pending"] == "suspend"
            with serve(tmp_path, "hss", own):
                assert until(lambda: not _call(platform, "GET", f"/cards/{IMSI}")["pending"])
                assert _call(register, "GET", f"/cards/{IMSI}")["suspended"] == "withdrawal"
