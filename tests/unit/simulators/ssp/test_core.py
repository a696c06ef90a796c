"""What all procedures of an SSP ask: where gsmSCFs are, and references of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssp_net import OTHER, SspNet, o_csi, release

from simwarden.wire.sccp import Address, GlobalTitle

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


async def test_a_gsmscf_is_where_the_settings_have_its_number_or_where_its_title_leads(loop: TestbedLoop) -> None:
    scfs: list[dict[str, Any]] = [{"number": f"861380000014{digit}", "point_code": 140 + digit} for digit in (6, 7)]
    async with SspNet(loop, signalling={"scfs": scfs}) as net:
        where = net.ssp.core.scf_address
        assert [where(each["number"]) for each in scfs] == [Address(146, 146), Address(146, 147)]
        title = GlobalTitle("8613800000148", 4, 0, 1)
        assert where("8613800000148") == Address(146, None, title, route_on_ssn=False)


async def test_each_call_has_a_reference_of_its_own(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.mo(OTHER)
        assert len({each.call_reference_number for each in net.scf.said("initialDP")}) == 2
        assert [each.fields["callReference"] for each in net.records()] == ["00000001", "00000002"]
