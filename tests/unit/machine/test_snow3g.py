"""SNOW 3G, UEA2 and UIA2 by the published test sets (TS 35.217, TS 35.218), 128-EIA1 by those of TS 33.401 C.4."""

from __future__ import annotations

import pytest

from simwarden.machine.nas_security import Ciphering, Integrity
from simwarden.machine.snow3g import keystream, uea2, uia2

STREAMS = [
    ("2bd6459f82c5b300952c49104881ff48", "ea024714ad5c4d84df1f9b251c0bf45f", "abee97047ac31373"),
    ("8ce33e2cc3c0b5fc1f3de8a6dc66b1f3", "d3c5d592327fb11cde551988ceb2f9b7", "eff8a342f751480f"),
    ("4035c6680af8c6d1a8ff8667b1714013", "62a540981ba6f9b74592b0e78690f71b", "a8c874a97ae7c4f8"),
    ("0ded7263109cf92e3352255a140e0f76", "6b68079a41a7c4c91befd79f7fdcc233", "d712c05ca937c2a6eb7eaae3"),
]
# key, COUNT, bearer or FRESH, direction, bits, message, result
UEA2 = [
    ("2bd6459f82c5b300952c49104881ff48", 0x72a4f20f, 12, 1, 798,
     ("7ec61272743bf1614726446a6c38ced166f6ca76eb5430044286346cef130f92922b03450d3a9975e5bd2ea0eb55ad8e"
      "1b199e3ec4316020e9a1b285e762795359b7bdfd39bef4b2484583d5afe082aee638bf5fd5a606193901a08f4ab41aab"
      "9b134880"),
     ("8ceba62943dced3a0990b06ea1b0a2c4fb3cedc71b369f42ba64c1eb6665e72aa1c9bb0deaa20fe86058b8baee2c2e7f"
      "0becce48b52932a53c9d5f931a3a7c532259af4325e2a65e3084ad5f6a513b7bddc1b65f0aa0d97a053db55a88c4c4f9"
      "605e4140")),
    ("efa8b2229e720c2a7c36ea55e9605695", 0xe28bcf7b, 24, 0, 510,
     ("10111231e060253a43fd3f57e37607ab2827b599b6b1bbda37a8abcc5a8c550d1bfb2f494624fb50367fa36ce3bc68f1"
      "1cf93b1510376b02130f812a9fa169d8"),
     ("e0da15ca8e2554f5e56c9468dc6c7c129c568aa5032317e04e0729646cabefa689864c410f24f919e61e3dfdfad77e56"
      "0db0a9cd36c34ae4181490b29f5fa2fc")),
    ("5acb1d644c0d51204ea5f1451010d852", 0xfa556b26, 3, 1, 120,
     "ad9c441f890b38c457a49d421407e8",
     "ba0f31300334c56b52a7497cbac046"),
    ("d3c5d592327fb11c4035c6680af8c6d1", 0x398a59b4, 5, 1, 253,
     "981ba6824c1bfb1ab485472029b71d808ce33e2cc3c0b5fc1f3de8a6dc66b1f0",
     "989b719cdc33ceb7cf276a52827cef94a56c40c0ab9d81f7a2a9bac60e11c4b0"),
]  # fmt: skip

# key, COUNT, bearer or FRESH, direction, bits, message, result
UIA2 = [
    ("c736c6aab22bfff91e2698d2e22ad57e", 0x14793e41, 60287229, 1, 384,
     "d0a7d463df9fb2b278833fa02e235aa172bd970c1473e12907fb648b6599aaa0b24a038665422b20a499276a50427009",
     "38b554c0"),
]  # fmt: skip

# key, COUNT, bearer or FRESH, direction, bits, message, result
EIA1 = [
    ("2bd6459f82c5b300952c49104881ff48", 0x38a6f056, 31, 0, 88,
     "3332346263393861373479",
     "731f1165"),
    ("83fd23a244a74cf358da3019f1722635", 0x36af6144, 15, 1, 768,
     ("35c68716633c66fb750c266865d53c11ea05b1e9fa49c8398d48e1efa5909d3947902837f5ae96d5a05bc8d61ca8dbef"
      "1b13a4b4abfe4fb1006045b674bb54729304c382be53a5af05556176f6eaa2ef1d05e4b083181ee674cda5a485f74d7a"),
     "bba74492"),
]  # fmt: skip


Set = tuple[str, int, int, int, int, str, str]


def _turned(octets: str) -> bytes:
    """Return four words the other way round: these sets are written from word 0 on, UEA2 and UIA2 begin with word 3."""
    return b"".join(bytes.fromhex(octets)[at : at + 4] for at in (12, 8, 4, 0))


@pytest.mark.parametrize(("key", "iv", "stream"), STREAMS)
def test_keystream(key: str, iv: str, stream: str) -> None:
    words = keystream(_turned(key), _turned(iv), len(stream) // 8)
    assert b"".join(word.to_bytes(4) for word in words).hex() == stream


def test_the_last_word_of_a_long_keystream() -> None:
    assert keystream(_turned(STREAMS[3][0]), _turned(STREAMS[3][1]), 2500)[-1] == 0x9C0DB3AA


@pytest.mark.parametrize("test_set", UEA2)
def test_eea1(test_set: Set) -> None:
    key, count, bearer, direction, bits, plain, ciphered = test_set
    spare = len(plain) * 4 - bits
    for cipher in (uea2, lambda key, *args: Ciphering(1, key).apply(*args)):
        made = cipher(bytes.fromhex(key), count, bearer, direction, bytes.fromhex(plain))
        assert int.from_bytes(made) >> spare == int(ciphered, 16) >> spare
        assert Ciphering(1, bytes.fromhex(key)).apply(count, bearer, direction, made).hex()[:4] == plain[:4]


@pytest.mark.parametrize("test_set", UIA2)
def test_uia2(test_set: Set) -> None:
    key, count, fresh, direction, _, message, mac = test_set
    assert uia2(bytes.fromhex(key), count, fresh, direction, bytes.fromhex(message)).hex() == mac


@pytest.mark.parametrize("test_set", EIA1)
def test_eia1(test_set: Set) -> None:
    key, count, bearer, direction, _, message, mac = test_set
    assert Integrity(1, bytes.fromhex(key)).mac(count, bearer, direction, bytes.fromhex(message)).hex() == mac
