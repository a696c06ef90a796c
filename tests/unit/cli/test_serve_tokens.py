"""Tokens of a served element are changed without a restart."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import httpx
import pytest
from served import serve
from waiting import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_hangup_has_the_tokens_read_again(tmp_path: Path) -> None:
    settings = {"listen": {"S6a": "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "file:token"}}
    (tmp_path / "token").write_text("first")
    with serve(tmp_path, "hss", settings) as served:
        url = "http://{}:{}".format(*served.where["management"])

        def status(token: str) -> int:
            return httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code

        assert (status("first"), status("second")) == (200, 401)
        (tmp_path / "token").write_text("second")
        served.process.send_signal(signal.SIGHUP)
        assert until(lambda: status("second") == 200, 10)
        assert status("first") == 401
        (tmp_path / "hss.yaml").write_text(json.dumps({**settings, "tokens": {"operator": ""}}))
        served.process.send_signal(signal.SIGHUP)
        assert until(lambda: "the tokens stay as they are" in served.log.read_text(), 10)
        assert status("second") == 200
