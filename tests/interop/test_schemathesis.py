"""Both APIs of a served platform, and management of others, against OpenAPI documents by a generator: Schemathesis.

Every call gets an answer that its document knows, with a body of the form given there; what breaks the document is
refused, and so is a call without a token. The seed is fixed. What is not checked, and why:

- `positive_data_acceptance`: the documents have rules that their schemas cannot tell. CAMARA asks for 422 where neither
  request nor token names a device, and for 400 where a credential has expired; ours for 400 where an IMEI
  has 13 digits, where neither `imei` nor `learn` is given, or where the IMSI of a body is not that of the path.
- NUL in texts (400 by design, since PostgreSQL keeps none): `tests/unit/runtime/test_http.py` has it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from served import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMARA = Path(__file__).parent / "camara"
PREVENTION, SUBSCRIPTIONS = "iot-sim-fraud-prevention", "iot-sim-fraud-prevention-subscriptions"
SCOPES = [f"{PREVENTION}:{each}" for each in ("bind", "unbind", "query")]
SCOPES += [f"{SUBSCRIPTIONS}:{each}" for each in ("subscribe", "read", "delete")]
#: sinks are made up by the generator: no name may become an address, so that no event leaves the machine
NO_NAMES = """
import socket
import simwarden.operations.refusal_limit
simwarden.operations.refusal_limit.MOST_REFUSALS = 1 << 30  # a generator tries more than a person may
known = socket.getaddrinfo
def getaddrinfo(host, *more, **named):
    if host not in ("127.0.0.1", None):
        raise socket.gaierror(-2, "names are not looked up in this test")
    return known(host, *more, **named)
socket.getaddrinfo = getaddrinfo
"""
IMSI, NUMBER = "001010000000011", "1440000000011"


@contextmanager
def platform(folder: Path, store: str) -> Iterator[tuple[str, str]]:
    """Serve a platform with a card; yield it with the addresses of management and of the north side."""
    desk = {"token": "desk", "role": "operator", "approver": "the desk", "form": "F-1", "scopes": SCOPES}
    north = {"listen": "127.0.0.1:0", "mme": "off", "attempts": "1", "clients": {"desk": desk}}
    settings = {
        "listen": {"S13": "127.0.0.1:0"},
        "management": "127.0.0.1:0",
        "tokens": {"operator": "operator", "portal": {"role": "customer", "token": "portal", "accounts": ["water"]}},
        "store": store,
        "settings": {"hss": "off", "north": north, "limits": {"lock": "0", "rebindings": "1000000"}},
    }
    with serve(folder, "cmp", settings, before=NO_NAMES) as served:
        address = served.where["management"]
        management = f"http://{address[0]}:{address[1]}"
        card = {"imsi": IMSI, "msisdn": NUMBER, "account": "water", "batch": "spring", "state": "active"}
        load = httpx.post(f"{management}/cards", json={"cards": [card]}, headers={"Authorization": "Bearer operator"})
        assert load.status_code == 200, load.text
        found = re.search(r"north side (http://\S+)", served.log.read_text())
        assert found
        yield management, found[1]
        assert served.process.poll() is None
        assert served.faults() == ""


def check(folder: Path, path: Path, url: str, token: str, *more: str) -> None:
    """Let the generator loose; what it finds is in the message of the failure."""
    (folder / "schemathesis.toml").write_text(
        f"""
        [parameters]
        imsi = "{IMSI}"
        account = "water"
        batch = "spring"
        """
    )
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(folder / "schemathesis.toml"), "run"]
    command += [str(path), "--url", url, "--header", f"Authorization: Bearer {token}", "--seed", "1"]
    command += [
        "--exclude-checks",
        "positive_data_acceptance",
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "10",
        "--no-color",
    ]
    command += ["--generation-allow-x00", "false", "--generation-database", "none", "--warnings", "off", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=folder, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert (tested := re.search(r"(\d+) generated", done.stdout)), done.stdout
    assert int(tested[1]) >= 100, done.stdout


def document(folder: Path, management: str, token: str) -> None:
    """Ask an element for its document."""
    told: Any = httpx.get(f"{management}/openapi.json", headers={"Authorization": f"Bearer {token}"}).json()
    (folder / "openapi.json").write_text(json.dumps(told))


def check_management(folder: Path, store: str, token: str) -> None:
    with platform(folder, store) as (management, _north):
        document(folder, management, token)
        check(folder, folder / "openapi.json", management, token)


def test_management_as_the_operator(tmp_path: Path, store_url: str) -> None:
    check_management(tmp_path, store_url, "operator")


def test_management_as_a_customer(tmp_path: Path) -> None:
    check_management(tmp_path, "", "portal")


@pytest.mark.parametrize(("kind", "interface"), [("hss", "S6a"), ("eir", "S13")])
def test_management_of_another_element(tmp_path: Path, kind: str, interface: str) -> None:
    settings = {"listen": {interface: "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "operator"}}
    with serve(tmp_path, kind, settings, before=NO_NAMES) as served:
        address = served.where["management"]
        document(tmp_path, url := f"http://{address[0]}:{address[1]}", "operator")
        check(tmp_path, tmp_path / "openapi.json", url, "operator")
        assert served.process.poll() is None
        assert served.faults() == ""


@pytest.mark.parametrize("name", [PREVENTION, SUBSCRIPTIONS])
def test_camara(tmp_path: Path, name: str) -> None:
    with platform(tmp_path, "") as (_management, north):
        check(tmp_path, CAMARA / f"{name}.yaml", f"{north}/{name}/vwip", "desk")
