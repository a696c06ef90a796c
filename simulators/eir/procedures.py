"""The one procedure of S13, ME Identity Check (TS 29.272 6.2.1), and of MAP, CheckIMEI (TS 29.002 8.7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.model.identity import Imei, imei_key
from simwarden.policy.binding import judge_peer
from simwarden.policy.camel import judge_node
from simwarden.policy.decision import Control
from simwarden.policy.equipment import EquipmentAnswer, judge_equipment
from simwarden.policy.equipment_lists import EquipmentLists, EquipmentRange, Status, judge_listed, judge_pool
from simwarden.policy.operator import change_controls
from simwarden.runtime.diameter import Unreachable
from simwarden.runtime.diameter.server import CONNECTION
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode
from simwarden.wire.diameter.codes import EquipmentStatus
from simwarden.wire.diameter.terminal import required_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.eir.config import EirBinding, EirConfig
    from simwarden.operations.terminal_library import TerminalType
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.diameter.server import KnownPeers, PeerEntry
    from simwarden.runtime.sigtran.map_node import Dialogue
    from simwarden.runtime.site import Site
    from simwarden.wire import map as m

#: the one procedure of S13, and that of MAP
CHECK, MAP_CHECK = "me-identity-check", "map-check-imei"
#: what is done to a card's pool by management
TIE, UNTIE = "tie", "untie"
LISTS = Control(
    "eir.equipment",
    "mon.phone",
    judge_listed,
    (CHECK, MAP_CHECK),
    "Equipment by the lists of the EIR",
    terminals=(CHECK, MAP_CHECK),
    cardless=(MAP_CHECK,),
)
POOL = Control(
    "eir.pool", "bind.pool", judge_pool, (CHECK,), "A card's pool of terminals", "binding", also=("mon.separation",)
)
PEER = Control(
    "eir.peer",
    "bind.peer",
    judge_peer,
    (CONNECTION, CHECK),
    "Known nodes only speak to the EIR",
    cardless=(CONNECTION,),
)
NODE = Control(
    "eir.node",
    "bind.peer",
    judge_node,
    (MAP_CHECK,),
    "Known MSCs only ask the EIR",
    terminals=(MAP_CHECK,),
    cardless=(MAP_CHECK,),
)
PLATFORM = Control(
    "eir.platform", "bind.cmp", judge_equipment, (CHECK,), "What the platform behind the EIR says of a card"
)
POOL_CHANGES = change_controls(
    "bind", "pool", approval=(TIE, UNTIE), approved="A changed pool of a card has its approval record"
)
ALL = (LISTS, POOL, PEER, NODE, PLATFORM, *POOL_CHANGES.declared)

_ANSWERS = {
    Status.ALLOWED: EquipmentStatus.ALLOWED,
    Status.PROHIBITED: EquipmentStatus.PROHIBITED,
    Status.TRACKED: EquipmentStatus.TRACKED,
}
#: bit of RequestedEquipmentInfo (TS 29.002 17.7.1), and what MAP calls the lists
_STATUS = 0
_LISTED = {Status.ALLOWED: "WHITE_LISTED", Status.PROHIBITED: "BLACK_LISTED", Status.TRACKED: "GREY_LISTED"}
_HEARD: dict[EquipmentStatus | None, EquipmentAnswer] = {
    EquipmentStatus.ALLOWED: EquipmentAnswer.ALLOWED,
    EquipmentStatus.PROHIBITED: EquipmentAnswer.PROHIBITED,
    EquipmentStatus.TRACKED: EquipmentAnswer.TRACKED,
}


@dataclass(slots=True)
class Register:
    """The state of one EIR while it runs."""

    site: Site
    config: EirConfig
    peers: KnownPeers[PeerEntry]
    lists: EquipmentLists
    library: Mapping[str, TerminalType]
    pools: dict[str, EirBinding]
    kinds: Mapping[str, Status]

    def kind_of(self, key: str) -> str:
        """Return the kind of a terminal by its TAC, empty if the library lacks it."""
        found = self.library.get(key[:8])
        return found.kind if found is not None else ""

    def show(self, key: str, status: Status, imsi: str = "") -> None:
        """Report what is said of a terminal."""
        shown = {"imsi": imsi, "imei": Imei(key).imei, "status": status.value, "kind": self.kind_of(key)}
        self.site.observe("equipment", shown, key=Imei(key).imei)

    def judge_listed(self, key: str, imsi: str, occasion: str) -> Decision:
        """Decide about a terminal (14 digits) by the lists."""
        return self.site.decide(
            LISTS,
            imsi or Imei(key).imei,
            on=occasion,
            imei=key,
            listed=self.lists.find(key),
            kind=self.kind_of(key),
            kinds=self.kinds,
            unlisted=self.config.unlisted,
        )

    def judge(self, key: str, imsi: str) -> Decision:
        """Decide about a terminal (14 digits), and about it in the hands of a card that is tied to a pool."""
        kind, decision = self.kind_of(key), self.judge_listed(key, imsi, CHECK)
        pool = self.pools.get(imsi)
        if pool is None or not decision.admitted:
            return decision
        entries = [EquipmentRange.parse(text) for text in pool.imeis]
        in_pool = self.site.decide(POOL, imsi, on=CHECK, imei=key, pool=entries, kind=kind, kinds=pool.kinds)
        return decision if in_pool.admitted else in_pool


async def me_identity_check(register: Register, node: DiameterNode, message: Message) -> Message:
    """Answer an ECR (6.2.1.3): the status of the equipment, or that it is unknown."""
    key = required_terminal(message)
    imsi = message.get("User-Name", "")
    decision = register.judge(key, imsi)
    status = _status_of(decision)
    if decision.admitted and imsi and register.config.cmp:
        said = await _ask_platform(register, node, message, key, imsi)
        if not said.admitted:
            if said.details.get("temporary"):
                return node.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY, reason=said.reason)
            status = Status.PROHIBITED
    register.show(key, status, imsi)
    if status is Status.UNKNOWN:
        return node.answer(message, ExperimentalResult.DIAMETER_ERROR_EQUIPMENT_UNKNOWN)
    return node.answer(message, ResultCode.DIAMETER_SUCCESS, [("Equipment-Status", int(_ANSWERS[status]))])


async def check_imei(register: Register, asked: m.CheckImei, dialogue: Dialogue) -> m.CheckImeiResult:
    """Answer a CheckIMEI: the status of the equipment, or that it is unknown. No card is named: no pool is asked."""
    from simwarden.runtime.sigtran.map_node import MapError  # noqa: PLC0415 - only who is asked so pays for it
    from simwarden.runtime.sigtran.nodes import node_at  # noqa: PLC0415
    from simwarden.wire import map as m  # noqa: PLC0415

    key = imei_key(asked.imei)
    assert register.config.signalling is not None  # noqa: S101 - else there is nobody who asks
    nodes = register.config.signalling.nodes
    found, title = node_at(dialogue.peer, nodes), dialogue.peer.global_title
    said = nodes[found].number if found else title.digits if title is not None else str(dialogue.peer.point_code)
    listed = {each.number: name == found for name, each in nodes.items()}
    if not register.site.decide(NODE, Imei(key).imei, on=MAP_CHECK, number=said, listed=listed).admitted:
        raise MapError(m.ErrorCode.SYSTEM_FAILURE)
    status = _status_of(register.judge_listed(key, "", MAP_CHECK))
    register.show(key, status)
    if status is Status.UNKNOWN:
        raise MapError(m.ErrorCode.UNKNOWN_EQUIPMENT)
    if _STATUS not in asked.requested:  # of BMUEF nothing is known here
        return m.CheckImeiResult()
    return m.CheckImeiResult(m.EquipmentStatus[_LISTED[status]])


async def _ask_platform(register: Register, node: DiameterNode, message: Message, key: str, imsi: str) -> Decision:
    """Pass the question on to the platform, in the EIR's own name, and decide by what it says."""
    avps = [(name, message.get(name)) for name in ("Terminal-Information", "User-Name")]
    question = node.make("ME-Identity-Check-Request", avps, realm=register.peers.realm)
    try:
        answer = await node.ask(register.config.cmp, question, timeout=register.config.cmp_answer_time)
    except Unreachable as reason:
        register.site.note(f"{register.config.cmp} was not asked: {reason}", imsi=imsi)
        heard = EquipmentAnswer.NO_VERDICT
    else:
        status = answer.get("Equipment-Status") if answer.success else None
        heard = _HEARD.get(status, EquipmentAnswer.NO_VERDICT)
    lenient = register.config.cmp_unreachable == "admit"
    facts = {"answer": heard, "imei": Imei(key).imei, "admit_without_verdict": lenient}
    return register.site.decide(PLATFORM, imsi, on=CHECK, **facts)


def _status_of(decision: Decision) -> Status:
    """Return what an answer says for a decision; where a switch replaced the rule, what the decision means."""
    status = Status(decision.details.get("status", Status.PROHIBITED.value))
    refusing = status in (Status.PROHIBITED, Status.UNKNOWN)
    if decision.admitted:
        return Status.ALLOWED if refusing else status
    return status if refusing else Status.PROHIBITED
