"""CDRs in BER, read by pycrate's module of TS 32.298."""

from __future__ import annotations

import pytest
from cdr_oracle import read
from gateways import Gateways, udp
from scapy.contrib import gtp_v2 as scapy

from simwarden.errors import InternalError
from simwarden.trace.records import ChargingRecord, record_octets
from simwarden.wire.cdr import encode

pytestmark = pytest.mark.slow  # its module takes seconds to load

#: the least that a record has
LEAST = {"chargingID": 1, "recordOpeningTime": "2026-03-02T08:00:05+00:00", "duration": 3, "causeForRecClosing": 0}


async def test_records_of_a_session_are_read_by_another_implementation() -> None:
    async with Gateways() as bench:
        both = {
            "pdn_type": scapy.IE_PDN_type(PDN_type=3),
            "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="0.0.0.0"),  # noqa: S104
        }
        made = await bench.session(**both)
        packet = udp(made["paa"].ipv4)
        bench.enb.send(made, packet, packet)
        await bench.settle()
        await bench.host.clock.sleep(90)
        await bench.mme.delete(made["sender_f_teid"].teid)
    records = bench.of(ChargingRecord)
    coded = list(record_octets(records))
    assert [each.record for each in records] == ["sGWRecord", "pGWRecord"]
    for record, octets in zip(records, coded, strict=True):
        name, fields = read(octets)
        assert name == record.record
        assert fields["recordType"] == {"sGWRecord": 84, "pGWRecord": 85}[name]
        assert fields["servedIMSI"].hex() == "00010100000000f1"
        assert fields["servedMSISDN"].hex() == "916841040000000" + "0f1"
        assert fields["duration"] == 90
        assert fields["causeForRecClosing"] == 0
        assert fields["pdpPDNType"].hex() == "f18d"
        assert fields["nodeID"] == record.element
        (volume,) = fields["listOfTrafficVolumes"]
        assert volume["dataVolumeGPRSUplink"] == 2 * len(packet)
        assert volume["changeCondition"] == "recordClosure"
        assert {each for each in record.fields if each not in fields} == set()


def test_octets_of_each_form() -> None:
    name, fields = read(
        encode(
            "pGWRecord",
            {
                **LEAST,
                "recordOpeningTime": "2026-03-02T23:59:05-03:30",
                "servedIMEI": "490154203237518",
                "p-GWAddress": "2001:db8::3",
                "servingNodeAddress": ["192.0.2.2", "2001:db8::2"],
                "servingNodeType": ["gTPSGW"],
                "servedPDPPDNAddress": "2001:db8:64:1::",
                "servedPDPPDNAddressExt": "10.64.0.1",
                "dynamicAddressFlag": True,
                "dynamicAddressFlagExt": False,
                "listOfServiceData": [
                    {
                        "ratingGroup": 70_000,
                        "datavolumeFBCUplink": 300,
                        "datavolumeFBCDownlink": 5_000_000_000,
                        "timeOfFirstUsage": LEAST["recordOpeningTime"],
                        "timeOfLastUsage": LEAST["recordOpeningTime"],
                        "timeOfReport": LEAST["recordOpeningTime"],
                        "serviceConditionChange": "recordClosure",
                    }
                ],
                "pDNConnectionChargingID": 0xFFFFFFFF,
                "recordSequenceNumber": 300,
                "rATType": "EUTRAN",
                "mSTimeZone": "+8 1",
                "servingNodePLMNIdentifier": "460-00",
                "listOfTrafficVolumes": [
                    {
                        "dataVolumeGPRSUplink": 5_000_000_000,
                        "changeTime": LEAST["recordOpeningTime"],
                        "changeCondition": "userLocationChange",
                        "userLocationInformation": "001-01-0001 001-01-0000101",
                    }
                ]
                * 9,
            },
        )
    )
    assert name == "pGWRecord"
    assert fields["recordOpeningTime"].hex() == "2603022359052d0330"
    assert fields["servedIMEI"].hex() == "94104502237315f8"
    six = bytes.fromhex("20010db8" + "00" * 11 + "03")
    assert fields["p-GWAddress"] == ("iPBinaryAddress", ("iPBinV6Address", ("iPBinV6Address", six)))
    assert [each[1][0] for each in fields["servingNodeAddress"]] == ["iPBinV4Address", "iPBinV6Address"]
    assert fields["servedPDPPDNAddressExt"][1] == ("iPBinaryAddress", ("iPBinV4Address", bytes((10, 64, 0, 1))))
    assert fields["servedPDPPDNAddress"][1][1][0] == "iPBinV6Address"
    assert fields["dynamicAddressFlagExt"] is False
    (service,) = fields["listOfServiceData"]
    assert (service["ratingGroup"], service["datavolumeFBCDownlink"]) == (70_000, 5_000_000_000)
    assert service["serviceConditionChange"] == (1, 25)  # bit 24 alone
    assert len(service["timeOfReport"]) == 9
    assert (fields["dynamicAddressFlag"], fields["pDNConnectionChargingID"]) == (True, 0xFFFFFFFF)
    assert (fields["recordSequenceNumber"], fields["rATType"], fields["mSTimeZone"].hex()) == (300, 6, "2301")
    assert fields["servingNodePLMNIdentifier"].hex() == "64f000"
    assert fields["chargingCharacteristics"] == b"\0\0"
    assert len(fields["listOfTrafficVolumes"]) == 9
    (volume, *_) = fields["listOfTrafficVolumes"]
    assert volume["dataVolumeGPRSUplink"] == 5_000_000_000
    assert volume["userLocationInformation"].hex() == "1800f110000100f11000000101"


def test_a_field_without_coded_form_is_our_fault() -> None:
    with pytest.raises(InternalError, match="diagnostics has no coded form"):
        encode("sGWRecord", {**LEAST, "diagnostics": "x"})
