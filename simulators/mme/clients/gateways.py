"""What the MME asks of its gateways on S11 (TS 29.274 7.2): sessions, where their packets go, and their end.

Only a session's beginning is waited for. All else is sent at once, in the order of what happens to the device; where
the SGW does not carry it out, the session is lost.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from simwarden.errors import ConfigError
from simwarden.machine.gtp_path import PathSettings
from simwarden.runtime.gtp.node import GtpNode, NoAnswerError
from simwarden.runtime.gtp.user import new_teid
from simwarden.wire.gtpv2 import (
    ACCEPTED,
    Cause,
    CauseIe,
    FTeid,
    Indication,
    InterfaceType,
    Message,
    PdnType,
    RatType,
    Uli,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Mapping

    from simulators.mme.config import MmeConfig
    from simulators.mme.contexts import Bearer, Dedicated, UeContext
    from simwarden.runtime.gtp.node import Peer
    from simwarden.runtime.site import Site
    from simwarden.wire.gtpv2 import Ambr, BearerQos

_S11 = "S11"
#: digits of a number that can be told (TS 29.274 8.11); with any other none is, and the PGW refuses the session
_DIGITS = range(5, 16)


class Gateways:
    """Requests by their purpose.

    `on_lost` hears of sessions that the SGW does not have any more, `on_order` what an answer orders about a bearer.
    """

    on_lost: Callable[[UeContext, tuple[Bearer, ...], str], None]
    on_order: Callable[[UeContext, int, Message], None]

    def __init__(
        self, site: Site, config: MmeConfig, handlers: Mapping[str, Callable[[Message, Peer], Awaitable[Message]]]
    ) -> None:
        self.site, self.config = site, config
        #: devices with a session by this MME's end of S11
        self.by_teid: dict[int, UeContext] = {}
        own = config.gateways
        settings = PathSettings(own.t3_response, own.n3_requests, own.echo)
        served = {name: partial(self._serve, each) for name, each in handlers.items()}
        self.node = GtpNode(site, (_S11,), served, settings, self._sender_teid)

    def _sender_teid(self, teid: int) -> int:
        ue = self.by_teid.get(teid)
        return ue.sgw.teid if ue is not None and ue.sgw is not None else 0

    async def _serve(
        self, handler: Callable[[Message, Peer], Awaitable[Message]], message: Message, peer: Peer
    ) -> Message | None:
        """Carry a procedure out for the SGW of the device that a message is about."""
        ue = self.by_teid.get(message.teid)
        known = {self._sgw(), *ue.sgw.addresses} if ue is not None and ue.sgw is not None else ()
        if self.config.gateways.check_senders and known and peer.host not in known:
            return self.node.refuse_sender(message, peer)
        return await handler(message, peer)

    def greet(self) -> None:
        """Let the SGW hear that this MME has started: sessions of before are over (TS 23.007 14)."""
        try:
            self.node.greet(self._sgw(), _S11)
        except ConfigError as error:
            self.site.note(f"no session can be set up: {error}")

    def _sgw(self) -> str:
        return self.site.address_of(self.config.gateways.sgw, _S11)[0]

    # -- the beginning

    async def create(self, ue: UeContext, apn: str, ies: Mapping[str, Any]) -> Message:
        """Ask for a session (7.2.1); `ies` say what kind. Raises NoAnswerError.

        One that is asked for when its device goes away ends as soon as the gateways have answered.
        """
        try:
            pgw, _ = self.site.address_of(self.config.gateways.pgw_of(apn), "S5-C")
            sgw = self._sgw()
        except ConfigError as error:
            raise NoAnswerError(str(error)) from error
        if not ue.s11_teid:
            ue.s11_teid = new_teid(self.site.rng, self.by_teid)
        self.by_teid[ue.s11_teid] = ue
        asked: dict[str, Any] = {
            **self._about(ue, dual=ies.get("pdn_type") is PdnType.IPV4V6),
            "rat_type": RatType.EUTRAN,
            "serving_network": self.config.plmn,
            "user_location_information": Uli(ue.tai, ue.cell),
            "sender_f_teid": FTeid.at(InterfaceType.S11_MME_GTP_C, ue.s11_teid, self.node.address),
            "pgw_s5_address": FTeid.at(InterfaceType.S5_S8_PGW_GTP_C, 0, pgw),
            "apn": f"{apn}.{self.config.plmn.operator_identifier}",
            **ies,
        }
        request = Message("create-session-request", asked, ue.sgw.teid if ue.sgw is not None else 0)
        answer = self.node.request(request, sgw, _S11)
        try:
            told = await asyncio.shield(answer)
        except asyncio.CancelledError:
            answer.add_done_callback(partial(self._undo, ue.s11_teid, request))
            if not ue.bearers:
                ue.s11_teid = 0
            raise
        except NoAnswerError:
            self.end(ue)
            raise
        if not told.accepted:
            self.end(ue)
        return told

    @staticmethod
    def _about(ue: UeContext, *, dual: bool) -> dict[str, Any]:
        """Return who the device is; of an emergency call without a proven card the terminal counts (UIMSI)."""
        flags = Indication.CRSI | Indication.PS | Indication.UNACCSI | (Indication.DAF if dual else Indication(0))
        if not ue.proven and ue.imsi:
            flags |= Indication.UIMSI
        terminal, number = ue.terminal, ue.subscription.msisdn if ue.subscription is not None else ""
        return {
            "imsi": ue.imsi or None,
            "msisdn": number if len(number) in _DIGITS else None,
            "mei": (terminal.imeisv or terminal.imei.imei if terminal is not None else ue.claimed_imei) or None,
            "indication_flags": flags,
        }

    def undo(self, ue: UeContext, sgw: FTeid | None, ebi: int) -> None:
        """End a session whose answer is of no use; without any the SGW has the device no more."""
        if sgw is not None:
            self._delete(sgw, ebi)
        self.end(ue)

    def _undo(self, teid: int, asked: Message, done: asyncio.Future[Message]) -> None:
        if teid in self.by_teid and self.by_teid[teid].s11_teid != teid:
            del self.by_teid[teid]
        end = done.result().get("sender_f_teid") if done.exception() is None else None
        if end is not None:
            self._delete(end, asked["bearer_contexts_to_be_created"][0]["ebi"])

    # -- while it lasts

    def modify(self, ue: UeContext, taken: Container[int], then: Callable[[bool], None] | None = None) -> bool:
        """Have packets of bearers that an eNB has taken sent there (7.2.7), a request for each PDN connection.

        `then` hears, when all are answered, whether any are sent there.
        """
        chosen = [
            each for each in ue.bearers.values() if each.enb is not None and each.accepted and each.identity in taken
        ]
        outcomes: list[bool] = []

        def gather(accepted: bool) -> None:  # noqa: FBT001 - the signature of an answer's taker
            outcomes.append(accepted)
            if then is not None and len(outcomes) == len(chosen):
                then(any(outcomes))

        for bearer in chosen:
            beside = [each for each in bearer.dedicated.values() if each.accepted and each.identity in taken]
            ends = {bearer.identity: bearer.enb, **{each.identity: each.enb for each in beside}}
            changed = tuple({"ebi": identity, "s1_u_enodeb": end} for identity, end in ends.items())
            ies: dict[str, Any] = {"bearer_contexts_to_be_modified": changed}
            if bearer.reported:
                bearer.place = ies["user_location_information"] = Uli(ue.tai, ue.cell)
            self._ask(ue, (bearer,), "modify-bearer-request", ies, gather)
        return bool(chosen)

    def tell_place(self, ue: UeContext) -> None:
        """Tell where a device is, where a PGW wants to hear it and no other message says it (7.3.14)."""
        place = Uli(ue.tai, ue.cell)
        for bearer in ue.bearers.values():
            if not bearer.reported or bearer.place == place:
                continue
            bearer.place = place
            ies = {
                "imsi": ue.imsi or None,
                "rat_type": RatType.EUTRAN,
                "user_location_information": place,
                "linked_ebi": bearer.identity,
            }
            self._ask(ue, (bearer,), "change-notification-request", ies, vital=False)

    def release_access_bearers(self, ue: UeContext) -> None:
        """Have no packets sent to the eNB any more: the device is idle (7.2.21)."""
        active = tuple(each for each in ue.bearers.values() if each.enb is not None)
        if not active:
            return
        for each in ue.all_bearers.values():
            each.enb = None
        self._ask(ue, active, "release-access-bearers-request", {})

    def not_reached(self, sgw: FTeid) -> None:
        """Tell the SGW that a device did not answer its paging (7.2.11.3)."""
        ies = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
        self.node.tell(Message("downlink-data-notification-failure-indication", ies, sgw.teid), sgw.address, _S11)

    @staticmethod
    def _far(ue: UeContext) -> FTeid:
        """Return the SGW's end, which a device has with its first session and until its last one ends."""
        assert ue.sgw is not None  # noqa: S101 - as above
        return ue.sgw

    def _request(self, ue: UeContext, name: str, ies: Mapping[str, Any]) -> asyncio.Future[Message]:
        """Ask something about a device that has a session."""
        sgw = self._far(ue)
        return self.node.request(Message(name, dict(ies), sgw.teid), sgw.address, _S11)

    def _ask(
        self,
        ue: UeContext,
        bearers: tuple[Bearer, ...],
        name: str,
        ies: Mapping[str, Any],
        then: Callable[[bool], None] | None = None,
        *,
        vital: bool = True,
    ) -> None:
        """Ask the SGW about sessions; `vital`: they are of no use where this is not carried out."""
        self._request(ue, name, ies).add_done_callback(partial(self._take, ue, bearers, then, vital))

    def _take(
        self,
        ue: UeContext,
        bearers: tuple[Bearer, ...],
        then: Callable[[bool], None] | None,
        vital: bool,  # noqa: FBT001 - bound before the answer is there
        done: asyncio.Future[Message],
    ) -> None:
        error = done.exception()
        cause = done.result().cause if error is None else 0
        accepted = cause in ACCEPTED
        if then is not None:
            then(accepted)
        held = tuple(each for each in bearers if ue.bearers.get(each.identity) is each)
        if accepted:
            for each in held:
                self.on_order(ue, each.identity, done.result())
        if accepted or not held:
            return
        reason = str(error or f"{done.result().name} with cause {cause}")
        if vital or cause == Cause.CONTEXT_NOT_FOUND:
            self.on_lost(ue, held, reason)
        else:
            self.site.note(reason, imsi=ue.imsi)

    def lose(self, ue: UeContext, *bearers: Dedicated) -> None:
        """Have the PGW end dedicated bearers that the radio has lost, by a command (7.2.17.1)."""
        if bearers:
            contexts = tuple({"ebi": each.identity} for each in bearers)
            done = self._request(ue, "delete-bearer-command", {"bearer_contexts": contexts})
            done.add_done_callback(partial(self._forget_lost, bearers))

    def follow(self, ue: UeContext, bearer: Bearer, ambr: Ambr, qos: BearerQos | None) -> None:
        """Tell the PGW what a subscription has now for a PDN connection (7.2.14.1); it changes that by a request."""
        context = {"ebi": bearer.identity, "bearer_qos": qos}
        done = self._request(ue, "modify-bearer-command", {"apn_ambr": ambr, "bearer_context": context})
        done.add_done_callback(partial(self._note_failure, ue.imsi))

    async def ask_resource(self, ue: UeContext, ies: Mapping[str, Any]) -> Message:
        """Ask for what a device wants (7.2.5); a request answers, or a failure. Raises NoAnswerError."""
        return await self._request(ue, "bearer-resource-command", ies)

    def _note_failure(self, imsi: str, done: asyncio.Future[Message]) -> None:
        self._note_silence(done)
        if done.exception() is None and done.result().get("cause") is not None:
            self.site.note(f"the gateways do not follow a subscription: cause {done.result().cause}", imsi=imsi)

    def _forget_lost(self, bearers: tuple[Dedicated, ...], done: asyncio.Future[Message]) -> None:
        """Forget bearers that the PGW will not end by a request."""
        self._note_silence(done)
        ordered = done.exception() is None and done.result().name == "delete-bearer-request"
        for each in bearers if not ordered else ():
            each.linked.dedicated.pop(each.identity, None)

    # -- forwarding during a handover

    async def forward(self, ue: UeContext, ends: Mapping[int, FTeid]) -> dict[int, FTeid]:
        """Have tunnels opened by which packets go on to the target eNB (7.2.18); return the SGW's ends, by bearer."""
        if not ends:
            return {}
        wanted = tuple({"ebi": identity, "enodeb_for_dl": end} for identity, end in ends.items())
        try:
            told = await self._request(
                ue, "create-indirect-data-forwarding-tunnel-request", {"bearer_contexts": wanted}
            )
        except NoAnswerError as error:
            self.site.note(f"packets are not forwarded: {error}", imsi=ue.imsi)
            return {}
        found = told["bearer_contexts"] if told.accepted else ()
        return {each["ebi"]: each["s1_u_sgw_for_dl"] for each in found if "s1_u_sgw_for_dl" in each}

    def end_forwarding(self, ue: UeContext) -> None:
        """Have these tunnels closed (7.2.20)."""
        if ue.sgw is not None:
            done = self._request(ue, "delete-indirect-data-forwarding-tunnel-request", {})
            done.add_done_callback(self._note_silence)

    # -- the end

    def end(self, ue: UeContext, *bearers: Bearer, tell: bool = True) -> None:
        """End sessions of a device here, and at the gateways (7.2.9.1); without any the SGW has it no more."""
        for bearer in bearers:
            ue.bearers.pop(bearer.identity, None)
            if tell:
                self._delete(self._far(ue), bearer.identity)
        if not ue.bearers:
            self.by_teid.pop(ue.s11_teid, None)
            ue.sgw, ue.s11_teid = None, 0

    def _delete(self, sgw: FTeid, ebi: int) -> None:
        ies = {"linked_ebi": ebi, "indication_flags": Indication.OI}
        answer = self.node.request(Message("delete-session-request", ies, sgw.teid), sgw.address, _S11)
        answer.add_done_callback(self._note_silence)

    def _note_silence(self, done: asyncio.Future[Message]) -> None:
        if (error := done.exception()) is not None:
            self.site.note(f"what was asked was not confirmed: {error}")
