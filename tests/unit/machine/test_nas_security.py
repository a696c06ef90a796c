"""NAS security: the vectors of TS 33.401 Annex C, and two contexts that talk to each other."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from simwarden.errors import InternalError, PeerError
from simwarden.machine.eps_keys import kenb, knas_enc, knas_int
from simwarden.machine.nas_security import COUNT_LIMIT, Ciphering, Integrity, NasSecurityContext
from simwarden.wire.nas.security_header import SecurityHeaderType as Header

KASME = bytes(range(32))

# TS 33.401 C.1.1 to C.1.3: key, COUNT, bearer, direction, length in bits, plain text, cipher text
EEA2 = [
    (
        "d3c5d592327fb11c4035c6680af8c6d1", 0x398A59B4, 0x15, 1, 253,
        "981ba6824c1bfb1ab485472029b71d808ce33e2cc3c0b5fc1f3de8a6dc66b1f0",
        "e9fed8a63d155304d71df20bf3e82214b20ed7dad2f233dc3c22d7bdeeed8e78",
    ),
    (
        "2bd6459f82c440e0952c49104805ff48", 0xC675A64B, 0x0C, 1, 798,
        ("7ec61272743bf1614726446a6c38ced166f6ca76eb5430044286346cef130f92922b03450d3a9975e5bd2ea0eb55ad8e"
        "1b199e3ec4316020e9a1b285e762795359b7bdfd39bef4b2484583d5afe082aee638bf5fd5a606193901a08f4ab41aab9b134880"),
        ("5961605353c64bdca15b195e288553a910632506d6200aa790c4c806c99904cf2445cc50bb1cf168a49673734e081b57"
        "e324ce5259c0e78d4cd97b870976503c0943f2cb5ae8f052c7b7d392239587b8956086bcab18836042e2e6ce42432a17105c53d0"),
    ),
    (
        "0a8b6bd8d9b08b08d64e32d1817777fb", 0x544D49CD, 0x04, 0, 310,
        "fd40a41d370a1f65745095687d47ba1d36d2349e23f644392c8ea9c49d40c13271aff264d0f24800",
        "75750d37b4bba2a4dedb34235bd68c6645acdaaca48138a3b0c471e2a7041a576423d2927287f000",
    ),
]  # fmt: skip

# TS 33.401 C.2.2 and C.2.5, the test sets of whole octets
EIA2 = [
    ("d3c5d592327fb11c4035c6680af8c6d1", 0x398A59B4, 0x1A, 1, "484583d5afe082ae", "b93787e6"),
    (
        "83fd23a244a74cf358da3019f1722635", 0x36AF6144, 0x0F, 1,
        ("35c68716633c66fb750c266865d53c11ea05b1e9fa49c8398d48e1efa5909d3947902837f5ae96d5a05bc8d61ca8dbef"
        "1b13a4b4abfe4fb1006045b674bb54729304c382be53a5af05556176f6eaa2ef1d05e4b083181ee674cda5a485f74d7a"),
        "e657e182",
    ),
]  # fmt: skip


def pair(**counts: int) -> tuple[NasSecurityContext, NasSecurityContext]:
    def make(*, is_network: bool) -> NasSecurityContext:
        return NasSecurityContext(KASME, ksi=3, eia=2, eea=2, is_network=is_network, **counts)

    return make(is_network=False), make(is_network=True)


@pytest.mark.parametrize("test_set", EEA2)
def test_eea2(test_set: tuple[str, int, int, int, int, str, str]) -> None:
    key, count, bearer, direction, bits, plain, ciphered = test_set
    cipher = Ciphering(2, bytes.fromhex(key))
    spare = len(plain) * 4 - bits
    for source, target in ((plain, ciphered), (ciphered, plain)):
        result = cipher.apply(count, bearer, direction, bytes.fromhex(source))
        assert int.from_bytes(result) >> spare == int(target, 16) >> spare


@pytest.mark.parametrize("test_set", EIA2)
def test_eia2(test_set: tuple[str, int, int, int, str, str]) -> None:
    key, count, bearer, direction, message, mac = test_set
    assert Integrity(2, bytes.fromhex(key)).mac(count, bearer, direction, bytes.fromhex(message)).hex() == mac


def test_null_algorithms() -> None:
    assert Integrity(0, bytes(16)).mac(7, 0, 0, b"any") == bytes(4)
    assert Ciphering(0, bytes(16)).apply(7, 0, 0, b"any") == b"any"
    with pytest.raises(ValueError, match="EIA1"):
        Integrity(1, bytes(16))
    with pytest.raises(ValueError, match="EEA3"):
        Ciphering(3, bytes(16))


def test_protected_octets() -> None:
    """The header, sequence number, ciphering and MAC, put together again by hand."""
    ue, _ = pair(ul_count=0x0102FE)
    pdu = ue.protect(b"\x07\x5e", Header.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT)
    counter = bytes.fromhex("000102fe 00000000 0000000000000000")
    stream = Cipher(algorithms.AES128(knas_enc(KASME, 2)), modes.CTR(counter)).encryptor()
    body = b"\xfe" + stream.update(b"\x07\x5e")
    mac = CMAC(algorithms.AES128(knas_int(KASME, 2)))
    mac.update(bytes.fromhex("000102fe 00000000") + body)
    assert pdu == b"\x47" + mac.finalize()[:4] + body
    assert ue.ul_count == 0x0102FF


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_both_directions(kind: int) -> None:
    ue, mme = pair()
    for message in (b"\x07\x41" + bytes(range(50)), b"\x07\x43"):
        assert mme.unprotect(ue.protect(message, Header(kind))) == message
        assert ue.unprotect(mme.protect(message, Header(kind))) == message
    assert (ue.ul_count, ue.dl_count) == (mme.ul_count, mme.dl_count) == (2, 2)
    assert ue.kenb() == mme.kenb() == kenb(KASME, 1)


def test_lost_messages_and_overflow_are_estimated() -> None:
    ue, mme = pair(ul_count=250)
    for _ in range(100):
        pdu = ue.protect(b"\x07\x41", Header.INTEGRITY_PROTECTED)
    assert mme.unprotect(pdu) == b"\x07\x41"
    assert mme.ul_count == ue.ul_count == 350


def test_replay_is_refused_and_named() -> None:
    ue, mme = pair()
    first = ue.protect(b"\x07\x41", Header.INTEGRITY_PROTECTED)
    mme.unprotect(first)
    mme.unprotect(ue.protect(b"\x07\x41", Header.INTEGRITY_PROTECTED))
    with pytest.raises(PeerError, match="replayed NAS message, COUNT 0"):
        mme.unprotect(first)
    assert mme.ul_count == 2


def test_reflection_and_forgery_are_refused() -> None:
    ue, mme = pair()
    pdu = ue.protect(b"\x07\x41\x02", Header.INTEGRITY_PROTECTED)
    with pytest.raises(PeerError, match="does not verify"):
        ue.unprotect(pdu)
    for position in range(1, len(pdu)):
        forged = bytearray(pdu)
        forged[position] ^= 1
        with pytest.raises(PeerError):
            mme.unprotect(bytes(forged))
    assert mme.unprotect(pdu) == b"\x07\x41\x02"


@pytest.mark.parametrize("pdu", [b"", b"\x17", b"\x17\0\0\0\0", bytes(8), b"\x07\x41", b"\x62" * 9, b"\x87" + bytes(9)])
def test_malformed_is_a_peer_error(pdu: bytes) -> None:
    with pytest.raises(PeerError):
        pair()[1].unprotect(pdu)


def test_service_request() -> None:
    ue, mme = pair(ul_count=0x3E)
    pdu = ue.service_request()
    mac = Integrity(2, knas_int(KASME, 2)).mac(0x3E, 0, 0, b"\xc7\x7e")
    assert pdu == b"\xc7\x7e" + mac[2:]
    mme.verify_service_request(pdu)
    assert mme.ul_count == ue.ul_count == 0x3F
    with pytest.raises(PeerError, match="replayed"):
        mme.verify_service_request(pdu)
    for bad in (b"\xc7\x7f\0\0", b"\xc7\x7f\0", b"\x07\x41\0\0", b""):
        with pytest.raises(PeerError):
            mme.verify_service_request(bad)
    # After 5 bits of sequence number have gone round.
    mme.verify_service_request(ue.service_request())
    mme.verify_service_request(ue.service_request())
    assert mme.ul_count == 0x41


def test_a_spent_count_is_not_used_again() -> None:
    ue, mme = pair(ul_count=COUNT_LIMIT - 1)
    assert ue.nearly_spent
    mme.unprotect(ue.protect(b"\x07\x41", Header.INTEGRITY_PROTECTED))
    with pytest.raises(InternalError):
        ue.protect(b"\x07\x41", Header.INTEGRITY_PROTECTED)
    with pytest.raises(PeerError):
        mme.unprotect(b"\x17" + bytes(4) + b"\x00\x07\x41")


def test_keys_do_not_show() -> None:
    text = repr(pair()[0])
    assert KASME.hex() not in text
    assert "ksi=3" in text
