"""One element alone on real sockets: ready line, management by token, service to another process, clean stop."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from served import card
from typer.testing import CliRunner

from simwarden.cli.main import app

CMP = """\
listen: {{S13: '127.0.0.1:0'}}
settings:
  hss: 'off'
  north:
    mme: 'off'
    listen: {}
    clients: {{desk: {{token: x}}}}
"""
DEMO = Path(__file__).parents[3] / "scenarios" / "demo"


@contextmanager
def served(folder: Path, text: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    (folder / "hss.yaml").write_text(text)
    command = [sys.executable, "-m", "simwarden", "serve", "hss", "--config", str(folder / "hss.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith("ready hss: "), process.stderr.read() if process.stderr else ""
            parts = ready.removeprefix("ready hss: ").strip().split(", ")
            yield process, dict(part.split(" ", 1) for part in parts)
        finally:
            process.kill()


@pytest.mark.slow
def test_a_served_hss_refuses_the_moved_card_of_another_process(tmp_path: Path) -> None:
    runner = CliRunner()
    (tmp_path / "cards.yaml").write_text(runner.invoke(app, ["export", str(DEMO)]).output)
    (tmp_path / "token").write_text("secret\n")
    text = (
        "listen: {S6a: '127.0.0.1:0'}\nmanagement: 127.0.0.1:0\nsubscribers: cards.yaml\n"
        f"tokens: {{operator: 'file:token', customer: buyer}}\nstore: sqlite:///{tmp_path}/hss.sqlite\n"
    )
    with served(tmp_path, text) as (process, where):
        url = where["management"]
        assert httpx.get(url).status_code == 401
        assert httpx.get(url).json()["message"] == "a bearer token is needed"
        wrong = httpx.get(url, headers={"Authorization": "Bearer wrong"})
        assert (wrong.status_code, wrong.json()["message"]) == (401, "the bearer token is nobody's")
        operator, customer = ({"Authorization": f"Bearer {token}"} for token in ("secret", "buyer"))
        assert httpx.get(url, headers=operator).json()["element"] == "hss"
        binding = f"{url}/cards/001010000000001/binding"
        assert httpx.put(binding, json={"imei": "990001010000024"}, headers=customer).status_code == 403
        assert httpx.put(binding, json=[1], headers=operator).status_code == 400
        assert httpx.put(binding, content="{", headers=operator).status_code == 415
        assert httpx.get(f"{url}/nothing", headers=operator).status_code == 404

        (tmp_path / "net.yaml").write_text(f"hss: {{external: '{where['S6a']}'}}\n")
        arguments = ["run", f"{DEMO}/moved-card.yaml", "--network", f"{tmp_path}/net.yaml", "--report", f"{tmp_path}/r"]
        result = runner.invoke(app, arguments)
        assert result.exit_code == 1, result.output
        assert "cannot be judged from here: the inside of hss (external)" in result.output

        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "stopped hss\n")
        assert "refused 001010000000001 by bind.hss.learned" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lisen: {}\n", "hss.yaml:1:1: key 'lisen' is not known (did you mean 'listen'?)"),
        ("listen: {S6b: '127.0.0.1:1'}\n", "hss.yaml:1:10: interface 'S6b' is not known"),
        ("allow: {S6b: [192.0.2.1]}\n", "hss.yaml:1:9: interface 'S6b' is not known"),
        ("allow: {S6a: [192.0.2.1/24]}\n", "hss.yaml:1:15: S6a: 192.0.2.1/24 has host bits set"),
        ("allow: {S6a: []}\n", "hss.yaml:1:14: S6a: at least 1 is expected, not a list of 0"),
        ("listen: {S6a: 'no.such.invalid:1'}\n", "hss.yaml:1:9: hss cannot serve: "),
        ("listen: {S6a: '127.0.0.1:x'}\n", "hss.yaml:1:15: '127.0.0.1:x' is no address"),
        (
            "listen: {S6a: '192.0.2.1,192.0.2.2:3868'}\n",
            "hss.yaml:1:15: S6a on tcp has one address, not 2 (several need",
        ),
        (
            "listen: {S6a: '192.0.2.1:1,192.0.2.2:1'}\n",
            "hss.yaml:1:15: '192.0.2.1:1,192.0.2.2:1': several addresses are",
        ),
        (
            "listen: {S6a: '[::1]:1'}\ntransport: {S6a: sctp}\n",
            "hss.yaml:1:15: S6a on sctp needs IPv4 addresses, got ::1",
        ),
        (
            "type: mme\npeers: {hss: '192.0.2.1,192.0.2.2:1'}\n",
            "hss.yaml:2:14: S6a on tcp has one address, not 2 (several",
        ),
        ("management: '127.0.0.1,127.0.0.2:1'\n", "hss.yaml:1:13: '127.0.0.1,127.0.0.2' is no IP address"),
        ("transport: {S6b: sctp}\n", "hss.yaml:1:13: interface 'S6b' is not known"),
        ("transport: {S11: sctp}\n", "hss.yaml:1:18: transport of S11 'sctp' is not known"),
        ("transport: {S6a: udp}\n", "hss.yaml:1:18: S6a: 'udp' is not one of tcp, sctp, sctp-udp"),
        ("transport: pigeon\n", "hss.yaml:1:12: transport: expected one of tcp, sctp, sctp-udp, or one for"),
        ("source: {S6a: hss.example.com}\n", "hss.yaml:1:15: source: expected an IP address of this machine, got"),
        (
            "source: '192.0.2.1,192.0.2.2'\npeers: {x: '192.0.2.1,hss.example.com:1'}\n",
            "hss.yaml:2:12: '192.0.2.1,hss.",
        ),
        ("listen: {S6a: '1.2.3:3868'}\n", "hss.yaml:1:15: '1.2.3' is no IP address"),  # not 1.2.0.3
        ("listen: {S6a: '1.2.3'}\n", "hss.yaml:1:15: '1.2.3' is no IP address"),
        ("listen: {S6a: '0x7f000001'}\n", "hss.yaml:1:15: '0x7f000001' is no IP address"),
        ("listen: {S6a: '::1:3868'}\n", "hss.yaml:1:15: '::1:3868' is no address; write host:port, and IPv6 in"),
        ("listen: {S6a: '[::1:3868'}\n", "hss.yaml:1:15: '[::1:3868' is no address"),
        ("management: 1.2.3:80\n", "hss.yaml:1:13: '1.2.3' is no IP address"),
        ("type: cmp\nsettings: {north: {listen: '1.2.3:80'}}\n", "hss.yaml:2:28: listen: '1.2.3' is no IP address"),
        ("settings: {plnm: 001-01}\n", "hss.yaml:1:12: setting 'plnm' is not known (did you mean 'plmn'?)"),
        ("type: hsss\n", "no element type is called 'hsss' (did you mean 'hss'?)"),
        ("management: '127.0.0.1:0'\ntokens: {operator: 'file:gone'}\n", "file:gone cannot be read"),
        ("events: maybe\n", "hss.yaml:1:9: events: "),
        ("events: {brokr: x}\n", "hss.yaml:1:10: key 'brokr' is not known (did you mean 'broker'?)"),
        ("events: {broker: 'http://x'}\n", "hss.yaml:1:18: broker: mqtt://HOST:PORT or mqtts://HOST:PORT is expected"),
        ("events: {broker: 'mqtt://me:secret@x'}\n", "hss.yaml:1:18: broker: "),
        ("events: {broker: 'mqtt://x:99999'}\n", "hss.yaml:1:18: 'x:99999' is no address"),
        ("events: {broker: 'mqtt://x', listen: '127.0.0.1'}\n", "hss.yaml:1:38: listen: is for the broker of ours"),
        ("events: {broker: 'mqtt://x', key: k}\n", "hss.yaml:1:35: key: is for mqtts://"),
        (
            "events: {broker: 'mqtts://x', authorities: gone.pem}\n",
            "hss.yaml:1:44: authorities: gone.pem cannot be used",
        ),
        (
            "events: {broker: 'mqtts://x', certificate: gone.pem}\n",
            "hss.yaml:1:44: certificate: gone.pem cannot be used",
        ),
        ("events: {broker: 'mqtt://x', password: p}\n", "hss.yaml:1:40: password: MQTT has none without a user"),
        ("events: {broker: 'mqtt://x', user: u, password: 'file:gone'}\n", "hss.yaml:1:49: file:gone cannot be read"),
        ("events: {user: u}\n", "hss.yaml:1:16: user: is for a broker elsewhere"),
        ("events: {prefix: 'a/#'}\n", "hss.yaml:1:18: prefix: levels of a topic"),
        ("events: {most: 0}\n", "hss.yaml:1:16: most: "),
        ("type: uicc\nevents: {}\n", "hss.yaml:2:1: events: uicc tells none"),
        ("tokens: {buyer: b}\n", "hss.yaml:1:17: buyer: a token alone is for operator or customer"),
        ("tokens: {a: {token: t, role: buyer}}\n", "hss.yaml:1:30: role: 'buyer' is not one of operator, customer"),
        ("tokens: {operator: ''}\n", "hss.yaml:1:20: operator: an empty token is none"),
        ("tokens: {operator: 'sha256:12'}\n", "operator: after sha256: 64 hexadecimal digits are expected"),
        ("tokens: {operator: t, customer: t}\n", "hss.yaml:1:9: two callers have the same token"),
        ("tokens: {a: {token: t, accounts: [w]}}\n", "a: the operator's cards are all; accounts are a customer's"),
        ("store: nosuch://db\n", "hss.yaml:1:8: store: no database is called 'nosuch' (known: sqlite, postgresql)"),
        ("store: nosuch://me:secret@db/x\n", "hss.yaml:1:8: store: no database is called 'nosuch'"),
        ("store: 'me:secret@db'\n", "store: no URL of a database"),
        ("store: 'env:NO_SUCH_STORE'\n", "env:NO_SUCH_STORE cannot be read: no such variable is in"),
        ("subscribers: gone.yaml\nlisten: {S6a: '127.0.0.1:0'}\n", "hss.yaml:1:14: "),
        ("subscribers: gone.yaml\nlisten: {S6a: '127.0.0.1:0'}\n", "gone.yaml: there is no such file (`simwarden"),
        ("listen: {S6a: '192.0.2.1:3868'}\n", "hss cannot serve: "),
        ("utc_offset: 8.1\n", "hss.yaml:1:13: utc_offset: "),
        ("utc_offset: 15\n", "hss.yaml:1:13: utc_offset: "),
        ("reader: '127.0.0.1'\n", "hss.yaml:1:9: hss is no card: no reader takes it"),
        ("type: uicc\nreader: '127.0.0.1:1'\n", "no virtual reader at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "hss.yaml").write_text(text)
    result = CliRunner().invoke(app, ["serve", "hss", "--config", str(tmp_path / "hss.yaml")])
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "secret" not in result.output


@pytest.mark.slow
def test_a_restart_undoes_nothing_that_management_did(tmp_path: Path) -> None:
    meter, phone = "99000101000001", "99000201000001"
    approved = {"approver": "J. Okonedo", "reason": "replaced", "form": "F-1"}
    rows = [card(1, imei=meter), card(2, imei=meter), card(3, learn="first-use")]
    text = (
        "listen: {S6a: '127.0.0.1:0'}\nmanagement: 127.0.0.1:0\nsubscribers: cards.yaml\n"
        f"tokens: {{operator: secret}}\nstore: sqlite:///{tmp_path}/hss.sqlite\n"
    )
    headers = {"Authorization": "Bearer secret"}

    def held(where: dict[str, str]) -> list[object]:
        found = [httpx.get(f"{where['management']}/cards/{row['imsi']}", headers=headers).json() for row in rows]
        bound = [each["binding"]["imei"][:14] if each["binding"] else None for each in found]
        return [*bound, found[0]["subscription"].get("zones"), found[2]["msisdn"]]

    (tmp_path / "cards.yaml").write_text(json.dumps({"subscribers": rows}))
    with served(tmp_path, text) as (process, where):
        assert held(where) == [meter, meter, "", None, "1440000000003"]
        first, second = (f"{where['management']}/cards/{row['imsi']}" for row in rows[:2])
        assert httpx.put(f"{first}/binding", json={"imei": phone, **approved}, headers=headers).status_code == 200
        assert httpx.put(f"{first}/area", json={"zones": ["0101"], **approved}, headers=headers).status_code == 200
        assert httpx.request("DELETE", f"{second}/binding", json=approved, headers=headers).status_code == 200
        process.kill()
    rows[2]["msisdn"] = "1440000000033"  # what the file says anew holds, save for bindings
    (tmp_path / "cards.yaml").write_text(json.dumps({"subscribers": rows}))
    with served(tmp_path, text) as (process, where):
        assert held(where) == [phone, None, "", ["0101"], "1440000000033"]
        process.kill()
    rows[0]["profile"] = "tracker"
    (tmp_path / "cards.yaml").write_text(json.dumps({"subscribers": rows}))
    with served(tmp_path, text) as (process, where):
        assert held(where) == [phone, None, "", ["0101"], "1440000000033"]
        process.kill()
        assert process.stderr is not None
        assert "card 001010000000001 is left as it is: the binding of a held card" in process.stderr.read()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CMP, "6:13: cmp cannot serve"),
        ("listen: {{S6a: '127.0.0.1:0'}}\nevents:\n  listen: {}", "3:11: hss cannot serve"),
        ("settings: {{}}\nlisten:\n  S6a: {}", "3:8: hss cannot serve"),
        ("listen: {{S6a: '127.0.0.1:0'}}\nmanagement: {}", "2:13: hss cannot serve HTTP on {}: "),
    ],
    ids=["north side", "broker", "reference point", "management"],
)
def test_an_address_in_use_is_told_with_its_place_in_the_file(tmp_path: Path, text: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        file = tmp_path / "file.yaml"
        file.write_text(text.format(address))
        result = CliRunner().invoke(app, ["serve", said.split()[1], "--config", str(file)])
    assert result.exit_code == 2, result.output
    assert f"{file}:{said.format(address)}" in result.output
    assert f"{address}: Address already in use" in result.output
