"""NAS security: the vectors of TS 33.401 Annex C, and two contexts that talk to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from simwarden.errors import InternalError, PeerError
from simwarden.machine.eps_keys import kenb, knas_enc, knas_int
from simwarden.machine.nas_security import COUNT_LIMIT, Ciphering, Integrity, NasSecurityContext
from simwarden.wire.nas.security_header import SecurityHeaderType as Header

KASME = bytes(range(32))

# TS 33.401 C.1.1 to C.1.6: key, COUNT, bearer, direction, length in bits, plain text, cipher text
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
    (
        "aa1f95aea533bcb32eb63bf52d8f831a", 0x72D8C671, 0x10, 1, 1022,
        (
            "fb1b96c5c8badfb2e8e8edfde78e57f2ad81e74103fc430a534dcc37afcec70e1517bb06f27219dae49022ddc47a068de4c9496a"
            "951a6b09edbdc864c7adbd740ac50c022f3082bafd22d78197c5d508b977bca13f32e652e74ba728576077ce628c535e87dc6077"
            "ba07d29068590c8cb5f1088e082cfa0ec961302d69cf3d44"
        ),
        (
            "dfb440acb3773549efc04628aeb8d8156275230bdc690d94b00d8d95f28c4b56307f60f4ca55eba661ebba72ac808fa8c49e2678"
            "8ed04a5d606cb418de74878b9a22f8ef29590bc4eb57c9faf7c41524a885b8979c423f2f8f8e0592a9879201be7ff9777a162ab8"
            "10feb324ba74c4c156e04d39097209653ac33e5a5f2d8864"
        ),
    ),
    (
        "9618ae46891f86578eebe90ef7a1202e", 0xC675A64B, 0x0C, 1, 1245,
        (
            "8daa17b1ae050529c6827f28c0ef6a1242e93f8b314fb18a77f790ae049fedd612267fecaefc450174d76d9f9aa7755a30cd90a9"
            "a5874bf48eaf70eea3a62a250a8b6bd8d9b08b08d64e32d1817777fb544d49cd49720e219dbf8bbed33904e1fd40a41d370a1f65"
            "745095687d47ba1d36d2349e23f644392c8ea9c49d40c13271aff264d0f24841d6465f0996ff84e65fc517c53efc3363c38492a8"
        ),
        (
            "919c8c33d66789703d05a0d7ce82a2aeac4ee76c0f4da050335e8a84e7897ba5df2f36bd513e3d0c8578c7a0fcf043e03aa3a39f"
            "baad7d15be074faa5d9029f71fb457b647834714b0e18f117fca10677945096c8c5f326ba8d6095eb29c3e36cf245d1622aafe92"
            "1f7566c4f5d644f2f1fc0ec684ddb21349747622e209295d27ff3f95623371d49b147c0af486171f22cd04b1cbeb2658223e6938"
        ),
    ),
    (
        "54f4e2e04c83786eec8fb5abe8e36566", 0xACA4F50F, 0x0B, 0, 3861,
        (
            "40981ba6824c1bfb4286b299783daf442c099f7ab0f58d5c8e46b104f08f01b41ab485472029b71d36bd1a3d90dc3a41b46d5167"
            "2ac4c9663a2be063da4bc8d2808ce33e2cccbfc634e1b259060876a0fbb5a437ebcc8d31c19e4454318745e3fa16bb11adae2488"
            "79fe52db2543e53cf445d3d828ce0bf5c560593d97278a59762dd0c2c9cd68d4496a792508614014b13b6aa51128c18cd6a90b87"
            "978c2ff1cabe7d9f898a411bfdb84f68f6727b1499cdd30df0443ab4a66653330bcba1105e4cec034c73e605b4310eaaadcfd5b0"
            "ca27ffd89d144df4792759427c9cc1f8cd8c87202364b8a687954cb05a8d4e2d99e73db160deb180ad0841e96741a5d59fe4189f"
            "15420026fe4cd12104932fb38f735340438aaf7eca6fd5cfd3a195ce5abe65272af607ada1be65a6b4c9c0693234092c4d018f17"
            "56c6db9dc8a6d80b888138616b681262f954d0e7711748780d92291d86299972db741cfa4f37b8b56cdb18a7ca8218e86e4b4b71"
            "6a4d04371fbec262fc5ad0b3819b187b97e55b1a4d7c19ee24c8b4d7723cfedf045b8acae4869517d80e50615d9035d5d9c5a40a"
            "f602280b542597b0cb18619eeb35925759d195e100e8e4aa0c38a3c2abe0f3d8ff04f3c33c295069c23694b5bbeacdd542e28e8a"
            "94edb9119f412d054be1fa7200b09000"
        ),
        (
            "5cb72c6edc878f1566e10253afc364c9fa540d914db94cbee275d0917ca6af0d77acb4ef3bbe1a722b2ef5bd1d4b8e2aa5024ec1"
            "388a201e7bce7920aec615895f763a5564dcc4c482a2ee1d8bfecc4498eca83fbb75f9ab530e0dafbede2fa5895b82991b6277c5"
            "29e0f2529d7f79606be96706296dedfa9d7412b616958cb563c678c02825c30d0aee77c4c146d2765412421a808d13cec819694c"
            "75ad572e9b973d948b81a9337c3b2a17192e22c2069f7ed1162af44cdea817603665e807ce40c8e0dd9d6394dc6e31153fe1955c"
            "47afb51f2617ee0c5e3b8ef1ad7574ed343edc2743cc94c990e1f1fd264253c178dea739c0befeebcd9f9b76d49c1015c9fecf50"
            "e53b8b5204dbcd3eed863855dabcdcc94b31e318021568855c8b9e52a981957a112827f978ba960f1447911b317b5511fbcc7fb1"
            "3ac153db74251117e4861eb9e83bffffc4eb7755579038e57924b1f78b3e1ad90bab2a07871b72db5eef96c334044966db0c37ca"
            "fd1a89e5646a3580eb6465f121dce9cb88d85b96cf23ccccd4280767bee8eeb23d8652461db6493103003baf89f5e18261ea43c8"
            "4a92ebffffe4909dc46c5192f825f770600b9602c557b5f8b431a79d45977dd9c41b863da9e142e90020cfd074d6927b7ab3b672"
            "5d1a6f3f98b9c9daa8982aff06782800"
        ),
    ),
]  # fmt: skip

SET_8 = Path(__file__).with_name("eia2_set_8.hex")
# TS 33.401 C.2.2, C.2.5 and C.2.8, the test sets of whole octets: NAS messages have no others. Each compared with the
# tests of two implementations
EIA2 = [
    ("d3c5d592327fb11c4035c6680af8c6d1", 0x398A59B4, 0x1A, 1, "484583d5afe082ae", "b93787e6"),
    (
        "83fd23a244a74cf358da3019f1722635", 0x36AF6144, 0x0F, 1,
        ("35c68716633c66fb750c266865d53c11ea05b1e9fa49c8398d48e1efa5909d3947902837f5ae96d5a05bc8d61ca8dbef"
        "1b13a4b4abfe4fb1006045b674bb54729304c382be53a5af05556176f6eaa2ef1d05e4b083181ee674cda5a485f74d7a"),
        "e657e182",
    ),
    ("b3120ffdb2cf6af4e73eaf2ef4ebec69", 0x296F393C, 0x0B, 1, SET_8.read_text(encoding="ascii"), "ebd5ccb0"),
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
    with pytest.raises(ValueError, match="EIA3"):
        Integrity(3, bytes(16))
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
