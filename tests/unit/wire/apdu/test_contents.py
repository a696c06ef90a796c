"""Contents of files, against the codings that pycrate knows for the same fields on the air interface."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrate_mobile.TS24008_IE import ID, PLMN
from pycrate_mobile.TS24301_IE import EPSID

from simwarden.errors import PeerError
from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.apdu import coding, tlv
from simwarden.wire.apdu import contents as c
from simwarden.wire.apdu.efs import FILES, Access, Structure
from simwarden.wire.apdu.fcp import Fcp, PinStatus, access_rule

HOME = Plmn("001", "01")
GUTI = Guti(HOME, 0x8001, 0x02, 0xC0FFEE01)


def test_imsi_is_the_mobile_identity_of_24_008() -> None:
    identity = ID(val={"type": 1, "ident": "001010000000001"})
    octets = coding.encode_imsi("001010000000001")
    assert octets == b"\x08" + identity.to_bytes()
    assert coding.decode_imsi(octets) == "001010000000001"
    assert coding.decode_imsi(coding.encode_imsi("00101000000001")) == "00101000000001"


def test_imei_and_imeisv_are_mobile_identities() -> None:
    for kind, digits in ((2, "490154203237518"), (3, "4901542032375118")):
        octets = ID(val={"type": kind, "ident": digits}).to_bytes()
        assert coding.mobile_identity(kind, digits) == octets
        assert coding.mobile_identity_digits(octets, kind, "it") == digits


def test_guti_is_the_eps_mobile_identity_of_24_301() -> None:
    value = {"type": 6, "ident": ("00101", 0x8001, 0x02, 0xC0FFEE01)}
    identity = EPSID()
    identity.encode(value["type"], value["ident"])
    octets = coding.encode_guti(GUTI)
    assert octets == b"\x0b" + identity.to_bytes()
    assert coding.decode_guti(octets) == GUTI
    assert coding.decode_guti(b"\xff" * 12) is None


def test_plmns_are_those_of_24_008() -> None:
    for text in ("00101", "310260"):
        octets = PLMN()
        octets.encode(text)
        assert coding.encode_plmn_list([Plmn.parse(text)], 1) == octets.to_bytes()


def test_forbidden_networks_keep_the_newest() -> None:
    plmns = [Plmn("001", f"{n:02}") for n in range(5)]
    octets = coding.encode_plmn_list(plmns, 4)
    assert len(octets) == 12
    assert coding.decode_plmn_list(octets) == plmns[1:]
    assert coding.decode_plmn_list(b"\xff" * 12) == []


def test_eps_location_information() -> None:
    held = c.EpsLoci(GUTI, Tai(HOME, 7), c.UpdateStatus.UPDATED)
    assert held.to_bytes(HOME).hex() == "0bf600f110800102c0ffee01" + "00f1100007" + "00"
    assert c.EpsLoci.parse(held.to_bytes(HOME)) == held
    assert c.EpsLoci.parse(c.EpsLoci().to_bytes(HOME)) == c.EpsLoci()


def test_eps_security_context_is_one_record() -> None:
    held = c.EpsNsc(3, bytes(range(32)), 0x01020304, 5, ciphering=2, integrity=1)
    octets = held.to_bytes()
    counts = "820401020304830400000005"
    assert octets.hex() == "a034800103" + "8120" + bytes(range(32)).hex() + counts + "840121"
    assert len(octets) == 54
    assert c.EpsNsc.parse(octets) == held
    assert not c.EpsNsc.parse(b"\xff" * 54).valid
    assert bytes(range(32)).hex() not in repr(held)
    assert "\\x01\\x02" not in repr(held)


@pytest.mark.parametrize("cut", range(1, 54))
def test_a_cut_security_context_is_no_context(cut: int) -> None:
    octets = c.EpsNsc(3, bytes(range(1, 33))).to_bytes()
    with pytest.raises(PeerError):
        c.EpsNsc.parse(octets[:cut])


def test_the_other_files() -> None:
    assert c.AdministrativeData.parse(bytes.fromhex("00000002")).mnc_length == 2
    assert c.EMPTY_KEYS.hex() == "07" + "ff" * 32
    assert c.Services({1, 17, 85}).to_bytes(14)[10] == 0x10
    assert c.Services.parse(c.Services({1, 17, 85}).to_bytes(14)) == c.Services({1, 17, 85})
    assert c.AccessClasses({4}).to_bytes() == b"\x00\x10"
    assert c.AccessClasses({0, 15}).to_bytes() == b"\x80\x01"
    assert c.ServiceProvider("Testland", 1).to_bytes() == b"\1Testland".ljust(17, b"\xff")
    assert c.EMPTY_START_HFN.hex() == "f00000f00000"
    assert c.EMPTY_LOCI.hex() == "ffffffff" + "ffffff" + "fffe" + "ff" + "01"
    assert c.EMPTY_PSLOCI.hex() == "ffffffff" + "ffffff" + "ffffff" + "fffe" + "ff" + "01"
    assert c.encode_languages(["zh", "en"], 6) == b"zhen\xff\xff"


def test_numbers() -> None:
    record = c.Msisdn("+8614400000001", "line 1").to_bytes()
    assert record.hex() == b"line 1".hex() + "ff" * 8 + "0891684104000000f1ffffff" + "ffff"
    assert coding.encode_number("+8613800001111").hex() == "0891683108001011f1ffffff"
    record = c.SmsParameters("+8613800100500").to_bytes()
    assert record[-28:].hex() == "e1" + "ff" * 12 + "0891683108100005f0ffffff" + "0000a7"
    assert c.SmsParameters.parse(record).service_centre == "+8613800100500"
    assert c.SmsParameters.parse(c.SmsParameters().to_bytes()).service_centre == ""


def test_application_template() -> None:
    octets = c.Application(b"\xa0\x00\x00\x00\x87\x10\x02", "USIM").to_bytes(38)
    assert octets.hex() == ("610f" + "4f07a0000000871002" + "50045553494d").ljust(76, "f")
    assert c.Application.parse(octets).label == "USIM"


def test_the_interlocks_area() -> None:
    held = c.Bind("35145120840121", applet=True)
    assert held.to_bytes().hex() == "0300" + "53411502481012ff"
    assert c.Bind.parse(held.to_bytes()) == held
    assert c.Bind.parse(c.Bind().to_bytes()) == c.Bind()
    with pytest.raises(PeerError):
        c.Bind.parse(b"\x01\x00" + b"\xff" * 8)


def test_control_parameters_of_a_file() -> None:
    fcp = Fcp(0x6F07, Structure.TRANSPARENT, 9, sfi=7, arr=(0x6F06, 2))
    assert fcp.to_bytes().hex() == "6217" + "82024121" + "83026f07" + "8a0105" + "8b036f0602" + "80020009" + "880138"
    assert Fcp.parse(fcp.to_bytes()) == fcp
    record = Fcp(0x6FE4, Structure.LINEAR_FIXED, 54, 54, 1, arr=(0x6F06, 3))
    assert Fcp.parse(record.to_bytes()) == record
    adf = Fcp(
        None, Structure.DIRECTORY, aid=b"\xa0" * 7, pins=(PinStatus(1, enabled=True), PinStatus(0x81, enabled=False))
    )
    assert Fcp.parse(adf.to_bytes()) == adf


def test_access_rule_bytes() -> None:
    """TS 102.221 9.2.4: read with PIN1, update with the administrative key."""
    assert access_rule(Access.PIN1, Access.ADM1).hex() == "800101a406830101950108800102a40683010a950108"
    assert access_rule(Access.PIN2, Access.PIN2).hex() == "800103a406830181950108"
    assert access_rule(Access.ALWAYS, Access.NEVER).hex() == "80010190008001029700"


def test_no_two_files_share_an_identifier() -> None:
    for in_adf in (True, False):
        here = [ef for ef in FILES if ef.in_adf is in_adf]
        assert len({ef.fid for ef in here}) == len(here)
        short = [ef.sfi for ef in here if ef.sfi]
        assert len(set(short)) == len(short)


DECODERS = [
    coding.decode_imsi,
    coding.decode_plmn,
    coding.decode_plmn_list,
    coding.decode_guti,
    coding.decode_tai,
    coding.decode_number,
    c.EpsLoci.parse,
    c.EpsNsc.parse,
    c.AdministrativeData.parse,
    c.Services.parse,
    c.SmsParameters.parse,
    c.Application.parse,
    c.Bind.parse,
    Fcp.parse,
    tlv.objects,
    tlv.comprehension_objects,
]


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: getattr(decode, "__qualname__", str(decode)))
@given(
    data=st.one_of(
        st.binary(max_size=60), *[st.binary(min_size=n, max_size=n) for n in (3, 9, 10, 11, 12, 14, 17, 18, 33)]
    )
)
def test_any_bytes_are_decoded_or_refused(decode: object, data: bytes) -> None:
    with contextlib.suppress(PeerError):
        decode(data)  # type: ignore[operator]
