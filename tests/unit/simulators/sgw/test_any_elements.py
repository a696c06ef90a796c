"""Whatever GTP can say of a session, both gateways keep to what they are for, and write their CDRs of it."""

from __future__ import annotations

from typing import Any

import budget
import gateways
import pytest
from cdr_oracle import read
from gateways import IMSI, MME_TEID, NUMBER, Gateways
from gtp_oracle import messages
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.trace.records import ChargingRecord, record_octets
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause, FTeid, InterfaceType, RatType

pytestmark = pytest.mark.slow
HARD = {"imsi": IMSI, "msisdn": NUMBER, "rat_type": RatType.EUTRAN, "apn": "meters.example"}
#: what an MME says while a session lasts, and how it ends it
CHANGES = ("modify-bearer-request", "change-notification-request", "bearer-resource-command", "modify-bearer-command")


@settings(max_examples=budget.examples(25))
@given(
    create=messages("create-session-request"),
    changes=st.lists(st.sampled_from(CHANGES).flatmap(messages), max_size=3),
    end=messages("delete-session-request"),
)
def test_a_session_of_any_elements(create: gtpv2.Message, changes: list[gtpv2.Message], end: gtpv2.Message) -> None:
    async def story(bench: Gateways) -> None:
        pgw = FTeid.at(InterfaceType.S5_S8_PGW_GTP_C, 0, bench.host.address_of("pgw", "S5-C")[0])
        sender = FTeid.at(InterfaceType.S11_MME_GTP_C, MME_TEID, bench.mme.address)
        own = {**HARD, "sender_f_teid": sender, "pgw_s5_address": pgw}
        context = {**create["bearer_contexts_to_be_created"][0], "ebi": 5}
        create.ies |= {**own, "bearer_contexts_to_be_created": (context,)}
        answer = await said(bench, create, 0, 1)
        if not answer.accepted:
            assert answer.cause in Cause
            return
        teid = answer["sender_f_teid"].teid
        for number, each in enumerate(changes, 2):
            each.ies.pop("sender_f_teid", None)
            await said(bench, each, teid, number if "command" not in each.name else number | 0x800000)
        ended = {"linked_ebi": 5, "indication_flags": gtpv2.Indication.OI}
        end.ies = {name: value for name, value in end.ies.items() if name != "sender_f_teid"} | ended
        assert (await said(bench, end, teid, 99)).cause in (Cause.REQUEST_ACCEPTED, Cause.CONTEXT_NOT_FOUND)
        assert bench.sgw.census()["sessions"] == 0

    trace = gateways.play(story)
    records = [each for each in trace.events if isinstance(each, ChargingRecord)]
    for octets, record in zip(record_octets(records), records, strict=True):
        kind, fields = read(octets)
        assert kind == record.record
        assert fields["causeForRecClosing"] == record.fields["causeForRecClosing"]


async def said(bench: Gateways, message: gtpv2.Message, teid: int, number: int) -> Any:
    """Say something as the MME; return the last that it hears."""
    message.teid, message.sequence = teid, number
    heard: list[bytes] = []
    before, bench.mme.endpoint.on_receive = bench.mme.endpoint.on_receive, lambda data, _source: heard.append(data)
    bench.mme.endpoint.send(gtpv2.encode(message), bench.host.address_of("sgw", "S11"), on="S11")
    await bench.settle()
    bench.mme.endpoint.on_receive = before
    return gtpv2.decode(heard[-1]) if heard else None
