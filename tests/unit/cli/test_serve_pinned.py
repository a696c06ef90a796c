"""A Diameter peer that is pinned to addresses, and a second claim of a name that is connected."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from served import REALM, Client, Where, serve
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.wire.diameter import ResultCode, application_id, decode, encode, request

if TYPE_CHECKING:
    from pathlib import Path


def claim(where: Where, name: str, address: str, application: int = 16777251) -> int | None:
    """Connect from an address by a name; return the result of the exchange of capabilities."""
    ours = [("Host-IP-Address", "127.0.0.1"), ("Vendor-Id", 10415), ("Product-Name", "x"), application_id(application)]
    origin = [("Origin-Host", f"{name}.{REALM}"), ("Origin-Realm", REALM)]
    with closing(socket.create_connection(where, timeout=20, source_address=(address, 0))) as peer:
        peer.sendall(encode(request("Capabilities-Exchange-Request", [*origin, *ours])))
        answer = decode(peer.recv(65536))
    return answer.result_code


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "interface", "application"), [("hss", "S6a", 16777251), ("eir", "S13", 16777252)])
def test_a_pinned_name_is_taken_from_its_addresses_only(
    tmp_path: Path, kind: str, interface: str, application: int
) -> None:
    peers: dict[str, Any] = {"mme": {"addresses": ["127.0.0.2", "127.1.0.0/16"]}, "mme2": {}}
    with serve(tmp_path, kind, {"listen": {interface: "127.0.0.1:0"}, "settings": {"peers": peers}}) as served:
        where = served.where[interface]
        assert claim(where, "mme", "127.0.0.1", application) == ResultCode.DIAMETER_UNKNOWN_PEER
        assert claim(where, "mme", "127.2.0.1", application) == ResultCode.DIAMETER_UNKNOWN_PEER
        assert claim(where, "mme", "127.0.0.2", application) == ResultCode.DIAMETER_SUCCESS
        assert claim(where, "mme", "127.1.9.9", application) == ResultCode.DIAMETER_SUCCESS
        assert claim(where, "mme2", "127.0.0.1", application) == ResultCode.DIAMETER_SUCCESS
        assert f"mme.{REALM} connects from 127.0.0.1, where it is not" in served.log.read_text()


@pytest.mark.slow
def test_a_second_claim_of_a_name_is_refused_and_told(tmp_path: Path) -> None:
    with serve(tmp_path, "hss", {"listen": {"S6a": "127.0.0.1:0"}}) as served, Client(served.where["S6a"]) as client:
        assert claim(served.where["S6a"], "mme", "127.0.0.7") == ResultCode.ELECTION_LOST
        log = served.log.read_text()
        assert "127.0.0.7:" in log
        assert f"says that it is mme.{REALM}, which is connected from 127.0.0.1:" in log
        assert client.ask(client.update("001010000000001", "35000000000001")).result_code != ResultCode.DIAMETER_SUCCESS


@pytest.mark.slow
def test_only_a_pinned_relay_speaks_for_a_pinned_name(tmp_path: Path) -> None:
    """Whoever says the name of a relay that is not pinned would else be each name that is."""
    peers = {"mme": {"addresses": ["127.0.0.2"]}, "mme2": {}, "dra": {"relay": True}}
    peers |= {"dra2": {"relay": True, "addresses": ["127.0.0.0/8"]}}
    settings = {"listen": {"S6a": "127.0.0.1:0"}, "settings": {"peers": peers}}

    def asked_through(relay: str, host: str) -> int | None:
        with Client(served.where["S6a"], host=relay) as client:
            client.host = f"{host}.{REALM}"
            return client.ask(client.update("001010000000001", "35000000000001")).result_code

    with serve(tmp_path, "hss", settings) as served:
        assert asked_through("dra", "mme") == ResultCode.DIAMETER_INVALID_AVP_VALUE
        assert asked_through("dra2", "mme") != ResultCode.DIAMETER_INVALID_AVP_VALUE
        assert asked_through("dra", "mme2") != ResultCode.DIAMETER_INVALID_AVP_VALUE
        said = f"dra.{REALM} speaks for mme.{REALM} and is no relay of its messages"
        assert said in served.log.read_text()


@pytest.mark.parametrize("wrong", ["mme", "192.0.2.7/24", "192.0.2.300"])
def test_what_is_no_address_is_told(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "hss.yaml").write_text(f"settings: {{peers: {{mme: {{addresses: ['{wrong}']}}}}}}\n")
    result = CliRunner().invoke(app, ["serve", "hss", "--config", str(tmp_path / "hss.yaml")])
    assert result.exit_code == 2
    assert "hss.yaml:1:" in result.output
