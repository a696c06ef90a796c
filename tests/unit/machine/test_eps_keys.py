"""The key hierarchy: published vectors (OpenAirInterface), and HMAC over octets written out by hand."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from simwarden.machine import eps_keys
from simwarden.model.identity import Plmn

KASME = bytes.fromhex("238e457e0f758badbca8d34bb2612c10428d426757cb5553b2b184fa64bfc549")


def hmac_sha256(key: bytes, text: str) -> bytes:
    run = HMAC(key, SHA256())
    run.update(bytes.fromhex(text))
    return run.finalize()


def test_kasme() -> None:
    ck, ik = bytes.fromhex("b40ba9a3c58b2a05bbf0d987b21bf8cb"), bytes.fromhex("f769bcd751044604127672711c6d3441")
    sqn_xor_ak = (0xFD8EEF40DF7D ^ 0xAA689C648370).to_bytes(6)
    # The published vector names the network by the octets 02 48 30.
    network = Plmn("208", "034")
    assert network.to_bytes().hex() == "024830"
    assert eps_keys.kasme(ck, ik, network, sqn_xor_ak) == KASME


@pytest.mark.parametrize(
    ("kasme", "count", "kenb"),
    [
        (KASME.hex(), 0xDB1A3569, "8eb1bf0083bd79281ef7034bf677e9ec529f196e15287514a2d122acf713b8e8"),
        (
            "564cb4d2007e4f293b67d9b29392a64add4c776b133d895af6499aa6882aab62",
            0x001FB39C,
            "009010688f85855e218339de6c5bd7b6394958da12ddfbf7559e978ce43408f1",
        ),
        (
            "fa77e41f693c2a6e71455cb8687e6e6058ef91e2f5abd1bd3c496179481f308c",
            0x00000012,
            "0afe81266de52b8c8f1c3f4fe799be883f364b018e7368c41f14dd6d050e13e1",
        ),
    ],
)
def test_kenb(kasme: str, count: int, kenb: str) -> None:
    assert eps_keys.kenb(bytes.fromhex(kasme), count).hex() == kenb


def test_next_hop_and_handover_keys() -> None:
    kenb = eps_keys.kenb(KASME, 5)
    assert eps_keys.nh(KASME, kenb) == hmac_sha256(KASME, "12" + kenb.hex() + "0020")
    assert eps_keys.kenb_star(kenb, 0x1F4, 1850) == hmac_sha256(kenb, "13 01f4 0002 073a 0002")
    assert eps_keys.kenb_star(kenb, 1, 70000) == hmac_sha256(kenb, "13 0001 0002 011170 0003")


def test_algorithm_keys() -> None:
    assert eps_keys.knas_enc(KASME, 2) == hmac_sha256(KASME, "15 01 0001 02 0001")[16:]
    assert eps_keys.knas_int(KASME, 2) == hmac_sha256(KASME, "15 02 0001 02 0001")[16:]
    rrc_int = eps_keys.algorithm_key(KASME, eps_keys.AlgorithmType.RRC_INT, 2)
    assert rrc_int == hmac_sha256(KASME, "15 04 0001 02 0001")[16:]
