"""The MME's questions to HSS (S6a) and EIR (S13), and how their answers read (TS 29.272 5, 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.mme.contexts import ApnConfiguration, Subscription
from simwarden.policy.equipment import EquipmentAnswer
from simwarden.runtime.diameter import DiameterNode, LocalNode, Unreachable
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode, codes, first
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.mme.config import MmeConfig
    from simulators.mme.contexts import Terminal
    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.site import Site
    from simwarden.wire.diameter import Avps

_EQUIPMENT = {
    codes.EquipmentStatus.WHITELISTED: EquipmentAnswer.ALLOWED,
    codes.EquipmentStatus.BLACKLISTED: EquipmentAnswer.PROHIBITED,
    codes.EquipmentStatus.GREYLISTED: EquipmentAnswer.TRACKED,
}


#: cards of which the HSS is kept: more than an MME serves
MOST_SERVERS = 1 << 20


class Vector(NamedTuple):
    """An E-UTRAN authentication vector (TS 29.272 7.3.18). Never shown."""

    rand: bytes
    xres: bytes
    autn: bytes
    kasme: bytes

    def __repr__(self) -> str:
        return "Vector(***)"


class Home:
    """Requests by their purpose; each returns the answer, or None when there is none."""

    def __init__(
        self,
        site: Site,
        config: MmeConfig,
        handlers: Mapping[str, Callable[[Message, Peer], Awaitable[Message]]],
        of_centres: Mapping[str, Callable[[Message, Peer], Awaitable[Message]]],
    ) -> None:
        """`handlers` are those of S6a, `of_centres` those of SGd, which is there where service centres are named."""
        realm = self.realm = config.realm or config.plmn.realm
        host = config.origin_host or f"{site.name}.{realm}"
        self.config = config
        self.hss_realm = config.hss_realm or realm
        self.visited = config.plmn.to_bytes()
        points = {"S6a": handlers, **({"S13": {}} if config.eir else {})}
        if config.sms.centres:
            points["SGd"] = of_centres
        #: addresses of the dedicated service centres, by their Diameter identities
        self.centres = {self.identity(name): address for name, address in config.sms.centres.items()}
        self.node = DiameterNode(site, LocalNode(host, realm), points, timeout=config.timers.diameter)
        self.silence = ""
        #: the HSS that answered for a card, where an agent stands before several
        self._servers: dict[str, str] = {}

    async def start(self) -> None:
        """Connect to HSS and EIR; an attempt that fails goes on in the background."""
        await self.node.connect("S6a", self.config.hss)
        if self.config.eir:
            await self.node.connect("S13", self.config.eir)
        for centre in self.config.sms.centres:
            await self.node.connect("SGd", centre)

    def identity(self, name: str) -> str:
        """Return the Diameter identity of an element in the configuration: a short name is of the own realm."""
        return name if "." in name else f"{name}.{self.realm}"

    def agents_of(self, centre: str) -> tuple[str, ...]:
        """Return the agent that stands before a service centre, where this MME asks it by one."""
        name = next((each for each in self.config.sms.centres if self.identity(each) == centre), centre)
        peer = self.node.peer_of(name)
        return (peer.host,) if peer is not None and peer.relay else ()

    async def _ask(self, peer: str, name: str, avps: Avps) -> Message | None:
        return await self._send(peer, self.node.make(name, avps, realm=self.hss_realm))

    async def _send(self, peer: str, message: Message) -> Message | None:
        try:
            return await self.node.ask(peer, message)
        except Unreachable as reason:
            self.silence = str(reason)
            return None

    async def _ask_home(self, imsi: str, name: str, avps: Avps) -> Message | None:
        """Ask the HSS; through an agent by the realm, and by name once it is known which one has the card.

        An agent that has lost it (3002) is asked by the realm again, for another one may have taken its place.
        """
        hss = self.config.hss
        agent = self.node.peer_of(hss)
        if agent is None or not agent.relay:
            return await self._ask(hss, name, avps)
        server = self._servers.pop(imsi, "")
        answer = await self._send(hss, self.node.make(name, avps, realm=self.hss_realm, host=server))
        if server and answer is not None and answer.result_code == ResultCode.DIAMETER_UNABLE_TO_DELIVER:
            server = ""
            answer = await self._ask(hss, name, avps)
        if answer is not None:
            self._learn(imsi, answer.get("Origin-Host", "") if not answer.error else server)
        return answer

    def _learn(self, imsi: str, server: str) -> None:
        self._servers[imsi] = server
        if len(self._servers) > MOST_SERVERS:
            del self._servers[next(iter(self._servers))]

    def who_answered(self, answer: Message) -> str:
        """Say whose an answer is: an agent's own error is no word of the HSS (RFC 6733 7.1.3)."""
        agent = self.node.peer_of(self.config.hss)
        said = answer.get("Origin-Host")
        if answer.error and agent is not None and agent.relay and said == agent.host:
            return f"{said}, which relays to the HSS,"
        return "the HSS"

    async def authentication_information(self, imsi: str, resynchronisation: bytes) -> Message | None:
        """Ask for one vector; `resynchronisation` is RAND and AUTS of a failure, or empty (5.2.3.1)."""
        wanted: Avps = [("Number-Of-Requested-Vectors", 1), ("Immediate-Response-Preferred", 1)]
        if resynchronisation:
            wanted.append(("Re-Synchronization-Info", resynchronisation))
        avps: Avps = [
            ("User-Name", imsi),
            ("Requested-EUTRAN-Authentication-Info", wanted),
            ("Visited-PLMN-Id", self.visited),
        ]
        return await self._ask_home(imsi, "Authentication-Information-Request", avps)

    async def update_location(
        self, imsi: str, terminal: Terminal | None, *, initial: bool, sms: bool = False
    ) -> Message | None:
        """Tell the HSS where the card is and in which terminal, and ask for its subscription (5.2.1.1).

        `sms`: the device wants messages, and nothing else of what an MSC gives, for which this MME is to be registered.
        """
        flags = codes.UlrFlags.S6A_S6D | (codes.UlrFlags.INITIAL_ATTACH if initial else codes.UlrFlags(0))
        avps: Avps = [("User-Name", imsi), supported_features(self.config.features)]
        if sms:
            flags |= codes.UlrFlags.SMS_ONLY
            avps.append(supported_features(codes.SmsFeature.SMS_IN_MME))
        avps += [*_terminal_information(terminal), ("RAT-Type", int(codes.RatType.EUTRAN)), ("ULR-Flags", int(flags))]
        avps.append(("Visited-PLMN-Id", self.visited))
        if sms:
            avps.append(("MME-Number-for-MT-SMS", self.config.sms.number.removeprefix("+")))
            avps.append(("SMS-Register-Request", int(codes.SmsRegisterRequest.SMS_REGISTRATION_REQUIRED)))
        return await self._ask_home(imsi, "Update-Location-Request", avps)

    async def notify(self, imsi: str, terminal: Terminal | None) -> Message | None:
        """Tell the HSS of a changed terminal (5.2.5.1)."""
        return await self._notify(imsi, codes.NorFlags(0), *_terminal_information(terminal))

    async def ready_for_messages(self, imsi: str, reason: codes.AlertReason) -> bool:
        """Tell the HSS that a device can take messages again (5.2.5.1); whether it has heard."""
        flags = codes.NorFlags.READY_FOR_SM_FROM_MME
        answer = await self._notify(imsi, flags, ("Alert-Reason", int(reason)))
        return answer is not None and answer.success

    async def ends_messages(self, imsi: str) -> None:
        """Tell the HSS that this MME is registered for a card's messages no longer (5.2.5.1)."""
        await self._notify(imsi, codes.NorFlags.REMOVAL_OF_MME_REGISTRATION_FOR_SMS)

    async def _notify(self, imsi: str, flags: codes.NorFlags, *avps: tuple[str, Any]) -> Message | None:
        content: Avps = [("User-Name", imsi), *avps, ("NOR-Flags", int(flags))]
        return await self._ask_home(imsi, "Notify-Request", content)

    async def purge(self, imsi: str) -> Message | None:
        """Tell the HSS that the card's context is deleted here (5.2.1.3)."""
        avps: Avps = [("User-Name", imsi), ("PUR-Flags", int(codes.PurFlags.UE_PURGED_IN_MME))]
        return await self._ask_home(imsi, "Purge-UE-Request", avps)

    async def check_equipment(self, imsi: str, terminal: Terminal) -> EquipmentAnswer:
        """Ask the EIR for a terminal's status (6.2.1.1)."""
        avps: Avps = [*_terminal_information(terminal), ("User-Name", imsi)]
        return equipment_answer(await self._ask(self.config.eir, "ME-Identity-Check-Request", avps))


def _terminal_information(terminal: Terminal | None) -> Avps:
    """IMEI of 14 digits, and the software version where it is known (TS 29.272 7.3.3 to 7.3.5)."""
    if terminal is None:
        return []
    inner: Avps = [("IMEI", terminal.imei.key)]
    if terminal.sv_known:
        inner.append(("Software-Version", terminal.imei.software_version))
    return [("Terminal-Information", inner)]


def equipment_answer(answer: Message | None) -> EquipmentAnswer:
    """Read an ME-Identity-Check-Answer; whatever gives no status is no verdict."""
    if answer is None:
        return EquipmentAnswer.NO_VERDICT
    if answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_EQUIPMENT_UNKNOWN:
        return EquipmentAnswer.UNKNOWN
    if not answer.success:
        return EquipmentAnswer.NO_VERDICT
    return _EQUIPMENT.get(answer.get("Equipment-Status"), EquipmentAnswer.NO_VERDICT)


def vector_of(answer: Message) -> Vector | None:
    """Return the vector of an Authentication-Information-Answer, None if it has none that is whole."""
    group = answer.find("Authentication-Info", "E-UTRAN-Vector")
    if group is None:
        return None
    parts = [first(group, name) for name in ("RAND", "XRES", "AUTN", "KASME")]
    return None if None in parts else Vector(*parts)


def merge_subscription(known: Subscription | None, data: Any, features: codes.Feature) -> Subscription:
    """Read Subscription-Data, complete (ULA) or what changed of it (IDR): what it does not say stays (5.2.2.1).

    What needs a feature that this MME does not have is ignored.
    """
    merged = known or Subscription()
    merged.msisdn = first(data, "MSISDN", merged.msisdn)
    status = first(data, "Subscriber-Status")
    odb = first(data, "Operator-Determined-Barring")
    if status == codes.SubscriberStatus.SERVICE_GRANTED:
        merged.barred = False
    elif odb is not None:
        merged.barred = bool(odb & codes.OdbFlags.ALL_PACKET_ORIENTED_SERVICES and features & codes.Feature.ODB_ALL_APN)
    merged.periodic = first(data, "Subscribed-Periodic-RAU-TAU-Timer", merged.periodic)
    if features & codes.Feature.REG_SUB:
        zones = frozenset(value.hex() for name, value in data if name == "Regional-Subscription-Zone-Code")
        merged.zones = zones or merged.zones
    ambr = first(data, "AMBR")
    if ambr is not None:
        merged.ambr_ul = first(ambr, "Max-Requested-Bandwidth-UL", merged.ambr_ul)
        merged.ambr_dl = first(ambr, "Max-Requested-Bandwidth-DL", merged.ambr_dl)
    profile = first(data, "APN-Configuration-Profile")
    if profile is not None:
        _merge_profile(merged, profile)
    return merged


def _merge_profile(merged: Subscription, profile: Avps) -> None:
    complete = codes.AllApnConfigurations.ALL_APN_CONFIGURATIONS_INCLUDED
    if first(profile, "All-APN-Configurations-Included-Indicator") == complete:
        merged.apns = {}
    merged.default_context = first(profile, "Context-Identifier", merged.default_context)
    for name, group in profile:
        if name == "APN-Configuration":
            merged.apns[first(group, "Context-Identifier", 0)] = _apn_configuration(group)


def _apn_configuration(group: Avps) -> ApnConfiguration:
    quality = first(group, "EPS-Subscribed-QoS-Profile", ())
    priority = first(quality, "Allocation-Retention-Priority", ())
    ambr = first(group, "AMBR", ())
    kind = first(group, "PDN-Type")
    return ApnConfiguration(
        first(group, "Service-Selection", ""),
        first(quality, "QoS-Class-Identifier", 9) & 0xFF,
        min(max(first(priority, "Priority-Level", 8), 1), 15),
        first(priority, "Pre-emption-Capability", 1),
        first(priority, "Pre-emption-Vulnerability", 0),
        codes.PdnType(kind) if kind in codes.PdnType.__members__.values() else codes.PdnType.IPV4,
        first(ambr, "Max-Requested-Bandwidth-UL", 0),
        first(ambr, "Max-Requested-Bandwidth-DL", 0),
        tuple(str(value) for name, value in group if name == "Served-Party-IP-Address"),
    )
