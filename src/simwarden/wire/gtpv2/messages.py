"""The messages of GTPv2-C on S11 and S5 (TS 29.274 7.1, 7.2), as tables of their elements.

A row is presence (M, C, CO or O by 6.1.1), name, and where the name does not say it the element's type and instance;
`+` after the presence: there may be several. Grouped elements have tables of their own. What a table does not have is
unknown here, and ignored (7.7.9): elements of other access networks, overload control, CSIDs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from simwarden.wire.gtpv2.ies import IES, Ie


class Rule(NamedTuple):
    """An element in a message or group."""

    name: str
    presence: str
    ie: Ie
    instance: int
    many: bool
    grammar: Grammar | None

    @property
    def mandatory(self) -> bool:
        """Whether the message cannot be without it."""
        return self.presence == "M"

    @property
    def verified(self) -> bool:
        """Whether the message cannot have it wrong: mandatory and conditional elements (7.7.7, 7.7.8)."""
        return self.presence in ("M", "C")


@dataclass(slots=True)
class Grammar:
    """The elements of a message or of a group."""

    rules: tuple[Rule, ...]
    by_key: dict[int, Rule] = field(init=False)
    mandatory: tuple[Rule, ...] = field(init=False)
    by_name: dict[str, Rule] = field(init=False)

    def __post_init__(self) -> None:
        self.by_key = {each.ie.number << 4 | each.instance: each for each in self.rules}
        self.mandatory = tuple(each for each in self.rules if each.mandatory)
        self.by_name = {each.name: each for each in self.rules}


class Role(IntEnum):
    """What a message is to the protocol (TS 29.274 4.2.5): it asks, answers, neither, or has the peer ask."""

    REQUEST = 0
    RESPONSE = 1
    INDICATION = 2
    COMMAND = 3


@dataclass(frozen=True, slots=True)
class Spec:
    """A message: its type and name, its elements, and for a request what answers it.

    `addressed`: its header has a TEID. `orders`: the requests of the peer's that carry a command out.
    """

    type: int
    name: str
    role: Role
    grammar: Grammar
    answer: str = ""
    addressed: bool = True
    orders: tuple[str, ...] = ()


_GROUPS: Final[dict[str, str]] = {
    "bearer-context-to-be-created": """
        M ebi; O bearer_tft; C s1_u_enodeb f_teid 0; C s5_u_sgw f_teid 2; C s5_u_pgw f_teid 3; M bearer_qos""",
    "bearer-context-to-be-removed": "M ebi",
    "bearer-context-created": """
        M ebi; M cause; C s1_u_sgw f_teid 0; C s5_u_pgw f_teid 2; C bearer_qos; C charging_id; O bearer_flags""",
    "bearer-context-with-cause": "M ebi; M cause",
    "bearer-context-to-be-modified": "M ebi; C s1_u_enodeb f_teid 0; C s5_u_sgw f_teid 1",
    "bearer-context-modified": """
        M ebi; M cause; C s1_u_sgw f_teid 0; C charging_id; CO bearer_flags""",
    "create-bearer-request": """
        M ebi; M bearer_tft; C s1_u_sgw f_teid 0; C s5_u_pgw f_teid 1; M bearer_qos; C charging_id; O bearer_flags;
        O pco""",
    "create-bearer-response": """
        M ebi; M cause; C s1_u_enodeb f_teid 0; C s1_u_sgw f_teid 1; C s5_u_sgw f_teid 2; C s5_u_pgw f_teid 3; CO pco;
        CO ran_nas_cause""",
    "update-bearer-request": "M ebi; C bearer_tft; C bearer_qos; O bearer_flags; CO pco",
    "update-bearer-response": "M ebi; M cause; CO pco; CO ran_nas_cause",
    "modify-bearer-command": "M ebi; C bearer_qos",
    "delete-bearer-command": "M ebi; O bearer_flags; CO ran_nas_release_cause ran_nas_cause",
    "delete-bearer-response": "M ebi; M cause; CO pco; CO ran_nas_cause",
    "forwarding-request": """
        M ebi; C enodeb_for_dl f_teid 0; C sgw_for_dl f_teid 1; CO enodeb_for_ul f_teid 4; CO sgw_for_ul f_teid 5""",
    "forwarding-response": """
        M ebi; M cause; C s1_u_sgw_for_dl f_teid 0; C sgw_for_dl f_teid 3; CO s1_u_sgw_for_ul f_teid 4;
        CO sgw_for_ul f_teid 5""",
}
_MESSAGES: Final[dict[tuple[int, str], str]] = {
    (1, "echo-request"): "M recovery; CO sending_node_features node_features",
    (2, "echo-response"): "M recovery; CO sending_node_features node_features",
    (3, "version-not-supported-indication"): "",
    (32, "create-session-request"): """
        C imsi; C msisdn; C mei; C user_location_information uli; C serving_network; M rat_type;
        C indication_flags indication; M sender_f_teid f_teid; C pgw_s5_address f_teid 1; M apn; C selection_mode;
        C pdn_type; C paa; C maximum_apn_restriction apn_restriction; C apn_ambr ambr; C linked_ebi ebi; C pco;
        M+ bearer_contexts_to_be_created bearer_context 0 bearer-context-to-be-created;
        C+ bearer_contexts_to_be_removed bearer_context 1 bearer-context-to-be-removed;
        C recovery; CO ue_time_zone; C charging_characteristics""",
    (33, "create-session-response"): """
        M cause; C change_reporting_action; C sender_f_teid f_teid; C pgw_s5_f_teid f_teid 1; C paa;
        C apn_restriction; C apn_ambr ambr; C linked_ebi ebi; C pco;
        M+ bearer_contexts_created bearer_context 0 bearer-context-created;
        C+ bearer_contexts_marked_for_removal bearer_context 1 bearer-context-with-cause;
        C recovery; O charging_gateway_address ip_address; C pdn_connection_charging_id charging_id;
        O indication_flags indication; O pgw_back_off_time epc_timer""",
    (34, "modify-bearer-request"): """
        C mei; C user_location_information uli; CO serving_network; C rat_type; C indication_flags indication;
        C sender_f_teid f_teid; C apn_ambr ambr; C delay_downlink_packet_notification_request delay_value;
        C+ bearer_contexts_to_be_modified bearer_context 0 bearer-context-to-be-modified;
        C+ bearer_contexts_to_be_removed bearer_context 1 bearer-context-to-be-removed;
        C recovery; CO ue_time_zone; CO imsi""",
    (35, "modify-bearer-response"): """
        M cause; C msisdn; C linked_ebi ebi; C apn_restriction; C pco;
        C+ bearer_contexts_modified bearer_context 0 bearer-context-modified;
        C+ bearer_contexts_marked_for_removal bearer_context 1 bearer-context-with-cause;
        C change_reporting_action; C recovery; CO indication_flags indication;
        C pdn_connection_charging_id charging_id""",
    (36, "delete-session-request"): """
        C cause; C linked_ebi ebi; C user_location_information uli; C indication_flags indication; C pco;
        C originating_node node_type; O sender_f_teid f_teid; CO ue_time_zone; CO uli_timestamp;
        CO ran_nas_release_cause ran_nas_cause""",
    (37, "delete-session-response"): "M cause; C recovery; C pco; CO indication_flags indication",
    (38, "change-notification-request"): """
        C imsi; C mei; CO indication_flags indication; M rat_type; C user_location_information uli;
        CO pgw_s5_address ip_address; CO linked_ebi ebi""",
    (39, "change-notification-response"): "C imsi; C mei; M cause; CO change_reporting_action",
    (64, "modify-bearer-command"): """
        M apn_ambr ambr; M bearer_context bearer_context 0 modify-bearer-command; C sender_f_teid f_teid""",
    (65, "modify-bearer-failure-indication"): "M cause; CO recovery; CO indication_flags indication",
    (66, "delete-bearer-command"): """
        M+ bearer_contexts bearer_context 0 delete-bearer-command; O user_location_information uli; O uli_timestamp;
        CO ue_time_zone; C sender_f_teid f_teid""",
    (67, "delete-bearer-failure-indication"): """
        M cause; M+ bearer_contexts bearer_context 0 bearer-context-with-cause; CO recovery;
        CO indication_flags indication""",
    (68, "bearer-resource-command"): """
        M linked_ebi ebi; M pti; C flow_qos; M tad; C rat_type; O serving_network; O user_location_information uli;
        C ebi ebi 1; CO indication_flags indication; CO pco; C sender_f_teid f_teid 2""",
    (69, "bearer-resource-failure-indication"): """
        M cause; M linked_ebi ebi; M pti; CO indication_flags indication; CO recovery""",
    (70, "downlink-data-notification-failure-indication"): "M cause; CO originating_node node_type; CO imsi",
    (73, "stop-paging-indication"): "CO imsi",
    (95, "create-bearer-request"): """
        C pti; M linked_ebi ebi; O pco; M+ bearer_contexts bearer_context 0 create-bearer-request;
        C change_reporting_action; CO indication_flags indication""",
    (96, "create-bearer-response"): """
        M cause; M+ bearer_contexts bearer_context 0 create-bearer-response; C recovery; CO pco; CO ue_time_zone;
        CO user_location_information uli""",
    (97, "update-bearer-request"): """
        M+ bearer_contexts bearer_context 0 update-bearer-request; C pti; C pco; M apn_ambr ambr;
        C change_reporting_action; CO indication_flags indication""",
    (98, "update-bearer-response"): """
        M cause; M+ bearer_contexts bearer_context 0 update-bearer-response; CO pco; C recovery;
        CO indication_flags indication; CO ue_time_zone; CO user_location_information uli""",
    (99, "delete-bearer-request"): """
        C linked_ebi ebi; C+ ebis ebi 1; O+ failed_bearer_contexts bearer_context 0 bearer-context-with-cause; C pti;
        C pco; C cause; CO indication_flags indication""",
    (100, "delete-bearer-response"): """
        M cause; C linked_ebi ebi; C+ bearer_contexts bearer_context 0 delete-bearer-response; C recovery; CO pco;
        CO ue_time_zone; CO user_location_information uli; CO uli_timestamp""",
    (166, "create-indirect-data-forwarding-tunnel-request"): """
        C imsi; C mei; CO indication_flags indication; C sender_f_teid f_teid;
        M+ bearer_contexts bearer_context 0 forwarding-request; CO recovery""",
    (167, "create-indirect-data-forwarding-tunnel-response"): """
        M cause; C sender_f_teid f_teid; M+ bearer_contexts bearer_context 0 forwarding-response; CO recovery""",
    (168, "delete-indirect-data-forwarding-tunnel-request"): "",
    (169, "delete-indirect-data-forwarding-tunnel-response"): "M cause; CO recovery",
    (170, "release-access-bearers-request"): """
        C+ list_of_rabs ebi; CO originating_node node_type; CO indication_flags indication""",
    (171, "release-access-bearers-response"): "M cause; CO recovery; CO indication_flags indication",
    (176, "downlink-data-notification"): """
        CO cause; CO ebi; CO arp; CO imsi; O sender_f_teid f_teid; CO indication_flags indication""",
    (177, "downlink-data-notification-acknowledge"): """
        M cause; C data_notification_delay delay_value; CO recovery; CO imsi; O dl_buffering_duration epc_timer""",
}
#: what a command asks for, where the peer does it: a request of the peer's
_COMMANDED: Final = {
    "modify-bearer-command": ("update-bearer-request",),
    "delete-bearer-command": ("delete-bearer-request",),
    "bearer-resource-command": ("create-bearer-request", "update-bearer-request", "delete-bearer-request"),
}
_ANSWERS: Final = {"request": "response", "notification": "acknowledge"}


def _grammar(text: str) -> Grammar:
    return Grammar(tuple(_rule(*row.split()) for row in text.split(";") if row.strip()))


def _rule(presence: str, name: str, kind: str = "", instance: str = "0", group: str = "") -> Rule:
    ie = IES[kind or name]
    return Rule(
        name,
        presence.rstrip("+"),
        ie,
        int(instance),
        presence.endswith("+"),
        _grammar(_GROUPS[group]) if group else None,
    )


def _spec(number: int, name: str, text: str) -> Spec:
    names = {each for _, each in _MESSAGES}
    head, _, last = name.rpartition("-")
    if name in _COMMANDED:
        return Spec(number, name, Role.COMMAND, _grammar(text), orders=_COMMANDED[name])
    answers = {f"{head}-{_ANSWERS[last]}", f"{name}-acknowledge"} & names if last in _ANSWERS else set()
    asks = {answer for answer in names if answer.rpartition("-")[2] in ("response", "acknowledge")}
    role = Role.RESPONSE if name in asks else Role.REQUEST if answers else Role.INDICATION
    return Spec(number, name, role, _grammar(text), next(iter(answers), ""), addressed=number > 3)


SPECS: Final[dict[str, Spec]] = {name: _spec(number, name, text) for (number, name), text in _MESSAGES.items()}
BY_TYPE: Final[dict[int, Spec]] = {each.type: each for each in SPECS.values()}
