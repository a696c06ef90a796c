"""PyHSS as PCRF behind our PGW: its octets replayed; the program itself does not run here."""

from __future__ import annotations

from pyhss_pcrf import PyHssNet, rule
from scripted_pcrf import LISTED, OTHER, failed

from simwarden.wire.gtpv2 import Ambr


async def test_its_session_has_its_rates_and_its_rules() -> None:
    async with PyHssNet(rule("listed", (f"permit out ip from {LISTED} to assigned",))) as net:
        made = await net.session()
        assert made["apn_ambr"] == Ambr(64, 64)
        assert [await net.passes(made, LISTED), await net.passes(made, OTHER)] == [True, False]
        (session,) = net.pgw.core.sessions.values()
        assert (session.bearers, list(session.rates)) == ({}, ["listed"])
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert net.pcrf.kinds() == [1, 3]


async def test_a_rule_in_its_uplink_form_is_reported_and_opens_nothing() -> None:
    async with PyHssNet(rule("uplink", (f"permit out ip from 10.64.0.1 to {LISTED}",))) as net:
        made = await net.session()
        assert not await net.passes(made, LISTED)
        assert failed(net.pcrf.asked[1]) == [([b"uplink"], 12)]


async def test_a_rule_of_its_without_rates_has_none() -> None:
    async with PyHssNet(rule("listed", (f"permit out ip from {LISTED} to assigned",), mbr=0)) as net:
        made = await net.session()
        assert await net.passes(made, LISTED)
        (session,) = net.pgw.core.sessions.values()
        assert session.rates == {}  # PyHSS writes 0 for a rule without rates
