"""Information elements: values of the spec's tables, and pycrate's reading of ours."""

from __future__ import annotations

import math

import pytest
from pycrate_mobile.TS24008_IE import ID
from pycrate_mobile.TS24301_IE import EPSID, TAIList

from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.nas import elements as ie
from simwarden.wire.nas.enums import IdentityType, PdnType

PLMN = Plmn("001", "01")


@pytest.mark.parametrize(
    ("tais", "octets"),
    [
        ([Tai(PLMN, 1)], "00 00f110 0001"),
        ([Tai(PLMN, 1), Tai(PLMN, 5), Tai(PLMN, 3)], "02 00f110 0001 0005 0003"),
        ([Tai(PLMN, 0xFFFD), Tai(PLMN, 0xFFFE), Tai(PLMN, 0xFFFF)], "22 00f110 fffd"),
        ([Tai(PLMN, 1), Tai(Plmn("999", "071"), 2)], "41 00f110 0001 991970 0002"),
    ],
)
def test_tai_list(tais: list[Tai], octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert ie.TAI_LIST.write(tais) == wire
    assert ie.TAI_LIST.read(wire) == tais
    parsed = TAIList()
    parsed.from_bytes(wire)
    assert parsed.to_bytes() == wire
    kind, first = wire[0] >> 5, parsed[0]
    assert first[1].get_val() == kind  # pycrate chose the same of the three formats


def test_tai_list_of_several_partial_lists() -> None:
    wire = bytes.fromhex("01 00f110 0001 0005 21 991970 0002")
    other = Plmn("999", "071")
    assert ie.TAI_LIST.read(wire) == [Tai(PLMN, 1), Tai(PLMN, 5), Tai(other, 2), Tai(other, 3)]


@pytest.mark.parametrize("octets", ["00 00f110 00", "61 00f110 0001", "02 00f110 0001 0002", "3f 00f110 0001", ""])
def test_bad_tai_list(octets: str) -> None:
    with pytest.raises(ValueError, match="tracking area"):
        ie.TAI_LIST.read(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("octet", "seconds"),
    [(0x00, 0), (0x0A, 20), (0x3F, 1860), (0x4F, 5400), (0x5F, 11160), (0x61, 60), (0xE0, math.inf), (0xFF, math.inf)],
)
def test_gprs_timer(octet: int, seconds: float) -> None:
    assert ie.GPRS_TIMER.read(bytes([octet])) == seconds


@pytest.mark.parametrize(
    ("octet", "seconds"), [(0x01, 600), (0x21, 3600), (0x41, 36000), (0x61, 2), (0x81, 30), (0xA1, 60), (0xC1, 1152000)]
)
def test_gprs_timer_3(octet: int, seconds: float) -> None:
    assert ie.GPRS_TIMER_3.read(bytes([octet])) == seconds


@pytest.mark.parametrize("codec", [ie.GPRS_TIMER, ie.GPRS_TIMER_3])
def test_timers_round_up(codec: ie.Codec) -> None:
    for octet in range(256):
        seconds = codec.read(bytes([octet]))
        assert codec.read(codec.write(seconds)) == seconds
    assert codec.write(0) in (b"\x00", b"\x60")
    for seconds in (1, 63, 100, 1861, 11159):
        coded = codec.read(codec.write(seconds))
        assert seconds <= coded <= seconds * 2 + 2
    with pytest.raises(ValueError, match="too long"):
        codec.write(10**9)


@pytest.mark.parametrize(
    ("kind", "digits"),
    [
        (IdentityType.IMSI, "001010123456789"),
        (IdentityType.IMSI, "00101012345678"),
        (IdentityType.IMEI, "990001123456785"),
        (IdentityType.IMEISV, "9900011234567801"),
    ],
)
def test_digits(kind: IdentityType, digits: str) -> None:
    identity = ie.MobileIdentity(kind, digits)
    octets = ie.MOBILE_IDENTITY.write(identity)
    theirs = ID(val={"type": int(kind), "ident": digits})
    assert octets == theirs.to_bytes()
    assert ie.MOBILE_IDENTITY.read(octets) == identity


def test_imei_as_eps_mobile_identity_has_type_3() -> None:
    identity = ie.MobileIdentity(IdentityType.IMEI, "990001123456785")
    octets = ie.EPS_MOBILE_IDENTITY.write(identity)
    assert octets.hex() == "9b09001132547658"
    theirs = EPSID()
    theirs.from_bytes(octets)
    assert theirs.decode() == (3, "990001123456785")
    assert ie.EPS_MOBILE_IDENTITY.read(octets) == identity


@pytest.mark.parametrize("octets", ["", "f6", "0910", "01", "09f1", "f6 00f110 0001 02 000003", "04", "05", "0a", "f8"])
def test_bad_eps_mobile_identity(octets: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        ie.EPS_MOBILE_IDENTITY.read(bytes.fromhex(octets))


def test_none_and_tmsi() -> None:
    assert ie.MOBILE_IDENTITY.read(b"\xf0").value is None
    assert ie.MOBILE_IDENTITY.read(b"\xf4\0\0\0\x09").value == 9
    for bad in (b"\xf4\0", b"\x05\0", b"", b"\x13\0"):
        with pytest.raises((ValueError, IndexError)):
            ie.MOBILE_IDENTITY.read(bad)


def test_guti() -> None:
    guti = Guti(Plmn("999", "071"), 0x8001, 2, 0xC0FFEE01)
    assert ie.write_guti(guti).hex() == "f699197080010" + "2c0ffee01"
    assert ie.read_guti(ie.write_guti(guti)) == guti


@pytest.mark.parametrize(
    "address",
    [
        ie.PdnAddress(PdnType.IPV4, "192.0.2.255"),
        ie.PdnAddress(PdnType.IPV6, "", bytes(range(8))),
        ie.PdnAddress(PdnType.IPV4V6, "192.0.2.1", bytes(range(8))),
        ie.PdnAddress(PdnType.NON_IP),
    ],
)
def test_pdn_address(address: ie.PdnAddress) -> None:
    octets = ie.PDN_ADDRESS.write(address)
    assert len(octets) == {1: 5, 2: 9, 3: 13, 5: 5}[address.type]
    assert ie.PDN_ADDRESS.read(octets) == address


@pytest.mark.parametrize("octets", [b"", b"\x04", b"\x01\xc0\0\x02", b"\x02" + bytes(12), b"\x03" + bytes(4)])
def test_bad_pdn_address(octets: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        ie.PDN_ADDRESS.read(octets)


def test_bad_apn() -> None:
    for octets in (b"\x05abc", b"\x00", b"\x01\xff"):
        with pytest.raises(ValueError, match="label"):
            ie.APN.read(octets)


def test_security_capability_repeats_the_network_capability() -> None:
    capability = ie.UeNetworkCapability(0xE0, 0x60, b"\xc0\xc0\x18")
    assert ie.UeSecurityCapability.replay(capability) == (0xE0, 0x60, b"\xc0\x40")
    assert ie.UeSecurityCapability.replay(capability, gea=0x60) == (0xE0, 0x60, b"\xc0\x40\x60")
    assert ie.UeSecurityCapability.replay(ie.UeNetworkCapability(0xE0, 0x60)) == (0xE0, 0x60, b"")
    assert capability.supports(2, 2)
    assert not capability.supports(2, 0)
