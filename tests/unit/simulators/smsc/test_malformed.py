"""Malformed TPDUs and identities are refused by their causes, without an internal error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from service_centre import CODE, LISTED, MSISDN, Network, submit

from simulators.smsc.config import Gateway
from simwarden.testing.diameter import IMSI, REALM
from simwarden.wire.diameter import ResultCode
from simwarden.wire.sms import FailureCause, SubmitReport, Validity, ValidityFormat, decode, encode

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

OTHER_IMSI, OTHER_MSISDN = "001010000000025", "1440000000002"
EVERY_NUMBER = {"by": "smsc", "undirected": "yes"}


def _with_validity(kind: ValidityFormat, octets: str) -> bytes:
    return encode(submit(validity=Validity(kind, bytes.fromhex(octets))))


@pytest.mark.parametrize(
    ("tpdu", "cause"),
    [
        (bytes.fromhex("010700810000036cf71b"), FailureCause.INVALID_SME_ADDRESS),  # TP-DA of no digits
        (bytes.fromhex("010702d0200000036cf71b"), FailureCause.INVALID_SME_ADDRESS),  # TP-DA is a blank
        (_with_validity(ValidityFormat.ABSOLUTE, "ffffffffffffff"), FailureCause.TP_VP_NOT_SUPPORTED),
        (_with_validity(ValidityFormat.ABSOLUTE, "62990100000000"), FailureCause.TP_VP_NOT_SUPPORTED),
        (_with_validity(ValidityFormat.ENHANCED, "07000000000000"), FailureCause.TP_VP_NOT_SUPPORTED),
        (bytes.fromhex("020100010008810156080000"), FailureCause.TPDU_NOT_SUPPORTED),  # SMS-COMMAND
        (bytes.fromhex("0000"), FailureCause.TPDU_NOT_SUPPORTED),  # SMS-DELIVER-REPORT
        (b"", FailureCause.TPDU_NOT_SUPPORTED),
        (bytes.fromhex("0107"), FailureCause.TPDU_NOT_SUPPORTED),
    ],
)
@pytest.mark.parametrize("sms", [LISTED, EVERY_NUMBER])
async def test_malformed_tpdu_is_refused_by_its_failure_cause(
    tpdu: bytes, cause: FailureCause, sms: dict[str, object]
) -> None:
    async with Network() as network:
        await network.provision(sms)
        answer = await network.mme.submit(tpdu)
        report = decode(answer.get("SM-RP-UI"), from_mobile=False)
        assert answer.experimental_result == 5555
        assert isinstance(report, SubmitReport)
        assert report.failure_cause == cause
        assert (await network.mme.submit(submit(text=b"after"))).success
        await network.settle()
        assert network.texts() == ["after"]


async def test_damaged_tpdu_never_reaches_an_unlisted_number_nor_fails_the_centre() -> None:
    octets = encode(submit(validity=Validity.relative(3600), status_report_request=True))
    async with Network() as network:
        await network.provision(LISTED)
        for at in range(len(octets)):
            for value in (0x00, 0x0F, 0x7F, 0x81, 0xD0, 0xF5, 0xFF):
                await network.mme.submit(octets[:at] + bytes((value,)) + octets[at + 1 :])
            await network.mme.submit(octets[:at])
        await network.settle()
        assert {each["number"] for each in network.values("message", "smsc")} == {CODE}
        assert (await network.mme.submit(submit())).success


@pytest.mark.parametrize(
    ("user", "result"),
    [
        ([("User-Name", IMSI), ("MSISDN", MSISDN)], ResultCode.DIAMETER_SUCCESS),
        ([("User-Name", OTHER_IMSI), ("MSISDN", MSISDN)], ResultCode.DIAMETER_INVALID_AVP_VALUE),
        ([("User-Name", IMSI), ("MSISDN", OTHER_MSISDN)], ResultCode.DIAMETER_INVALID_AVP_VALUE),
        ([("User-Name", "001010000000099"), ("MSISDN", MSISDN)], ResultCode.DIAMETER_INVALID_AVP_VALUE),
        ([("User-Name", IMSI), ("MSISDN", "1440000000099")], ResultCode.DIAMETER_INVALID_AVP_VALUE),
    ],
)
@pytest.mark.parametrize("name", ["MO-Forward-Short-Message-Request", "Alert-Service-Centre-Request"])
async def test_both_identities_of_user_identifier_are_of_one_card(
    name: str, user: list[tuple[str, str]], result: ResultCode
) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.provision(LISTED, imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)
        avps: Avps = [("SC-Address", "8613800100500"), ("User-Identifier", user)]
        avps += [("SM-RP-UI", encode(submit()))] if name.startswith("MO") else []
        node = network.mme.node
        answer = await node.ask("smsc", node.make(name, avps, realm=REALM, host=f"smsc.{REALM}", point="SGd"))
        assert answer.result_code == result
        await network.settle()
        assert network.texts() == (
            [] if result != ResultCode.DIAMETER_SUCCESS or not name.startswith("MO") else ["low"]
        )


@pytest.mark.parametrize("value", [{"a": "b"}, ["1"], None])
def test_a_number_in_settings_that_is_no_text_is_an_error(value: Any) -> None:
    with pytest.raises(ValidationError, match=r"codes\.0"):
        Gateway.model_validate({"password": "secret", "codes": [value]})
