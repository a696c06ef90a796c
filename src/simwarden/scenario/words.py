"""The words of files that no element declares, with what they mean: for `explain` and the JSON Schema."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Word(NamedTuple):
    """A word: what kind of word it is, and what it means, with an example where one helps."""

    kind: str
    doc: str
    example: str = ""


_KEY, _NETWORK, _JUDGES, _DECISION, _BESIDE, _DURING = (
    "key of a scenario",
    "key of an element in a network file",
    "judges a step",
    "key of a `decision`",
    "stands beside a verb",
    "key of a `during`",
)
_TWIN: Final = "key of a `twin`"
_BOUND: Final = "bound of a number that is expected"
_TOLD: Final = "is expected of an element"
_CELL: Final = "word in a cell of `matrix`"

WORDS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "network": Word(
            _KEY,
            "Changes to the default network: settings of elements, more elements, elements that are off or external. "
            "A file given with --network has the same form, and may have the key itself or only what stands below it.",
            "network: {eir: off, enb2: {type: enb}, mme: {causes: {unreachable: CONGESTION}}}",
        ),
        "cards": Word(
            _KEY,
            "The cards of the story by name: what each is (by default a meter's) and what elements enforce.",
            "cards: {card: {use: meter, binding: {by: hss, learn: first-use}}}",
        ),
        "devices": Word(
            _KEY,
            "The terminals of the story by name: modules, or handsets where their `type` says so.",
            "devices: {meter: {}, phone: {type: handset}}",
        ),
        "set": Word(_KEY, "Named values: `$name` inserts one, `$name.key` an entry of one.", "set: {quota: 1 MB}"),
        "vary": Word(
            _KEY,
            "Axes, each with its words. Each combination of words is a case, at most 12 of them; `$axis` inserts what "
            "the word of the case stands for.",
            "vary: {way: {by-tls: {port: 443}, by-http: {port: 80}}}",
        ),
        "exclude": Word(_KEY, "Combinations of words that make no case.", "exclude: [{way: by-quic, version: ipv4}]"),
        "given": Word(
            _KEY,
            "Preconditions: each of these cards is in its device, which is on and attached, before the first step.",
            "given: {attached: {meter: card}}",
        ),
        "with": Word(
            "key of any mapping in a file with parameters",
            "Inserts the entries of the mapping that a parameter stands for; a key that is in both is an error.",
            "fetch: {device: meter, with: $request}",
        ),
        "without": Word(_TWIN, "Steps that the twin leaves out, by their names.", "twin: {without: [learn]}"),
        "from": Word(
            _TWIN,
            "The last step that the twin shares, by its name. The twin has an `expect` or `never` for it, or `steps` "
            "after it, or both.",
            "twin: {set: {list: none}, from: attempt, expect: delivered}",
        ),
        "steps": Word(_KEY, "What happens, in order: one verb a step, and what is expected after it."),
        "expect": Word(
            _JUDGES,
            "What is to be seen: all of it, within 30 s of virtual time (5 s of real time) or `within`. Beside a verb "
            "a word is the verb's outcome; else observables of elements, messages and decisions are named.",
            "expect: {phone: {attach: rejected}, decision: {by: hss, control: bind.hss.learned}}",
        ),
        "never": Word(
            _JUDGES,
            "What must not be so, nor happen, at any moment since the first verb after the expectation before; what "
            "stood before then counts as well, but for what that verb ends at once.",
            "never: {mme: {session: {card: card}}}",
        ),
        "count": Word(
            "key of a card or terminal",
            "How many of it the name stands for (`meters-1`, `meters-2`...). Verbs take the name for all of them.",
            "devices: {meters: {count: 40}}",
        ),
        "over": Word(
            _BESIDE, "Begin what several do (a name with `count`) evenly spread over this time.", "over: 10 min"
        ),
        "every": Word(
            _BESIDE,
            "Do it again and again beside the steps that follow, each of several once in this time.",
            "every: 15 min",
        ),
        "for": Word(_BESIDE, "How long what is done `every` so often goes on; else until the story ends.", "for: 2 h"),
        "name": Word(_BESIDE, "What a twin or a measurement calls this step.", "name: change"),
        "during": Word(
            _BESIDE,
            "What is put in while the verb is carried out, before a frame with that message is delivered (the `nth` "
            "since the step began): verbs, or what becomes of the frame on its way: `delay: 5 s` (on SCTP and TCP what "
            "follows it waits as well), `stall: 30 s` (all of its connection, in both directions), `abort` (the frame "
            "and its connection are lost), `repeat` (a Diameter request is sent again with the T flag); on the radio "
            "and of datagrams also `lose` and `double`; of GTP-C `alter: {cause: SYSTEM_FAILURE}` (it comes with these "
            "elements instead of its own, as from a faulty or hostile node; `none` takes one away). The step fails if "
            "no such frame comes.",
            "during: {before: s1-mme.handover-notify, do: {suspend: {card: card}}}",
        ),
        "before": Word(_DURING, "The message, as in `expect`: `s6a.update-location-answer`."),
        "nth": Word(_DURING, "Which frame with that message since the step began; the first unless said."),
        "do": Word(
            _DURING,
            "A verb with its arguments, several one after another, or what becomes of the frame on its way.",
            "do: [{kill: mme}, {wait: 10 s}, {start: mme}]",
        ),
        "within": Word(
            "key of an `expect`",
            "How long what is expected may take; time goes on until all of it holds or this is over.",
            "expect: {within: 20 s, meter: {attach: accepted}}",
        ),
        "decision": Word(
            "key of an `expect` or `never`",
            "A decision that a control of an element made. A refusal names element, control and cause.",
            "expect: {decision: {by: hss, control: bind.hss.learned, card: card}}",
        ),
        "answer": Word(
            _TOLD,
            "What an element answered to a management call (`manage`) of this phase: its status, and the body as it "
            "goes over HTTP, which for an error holds status, code and message.",
            "expect: {hss: {answer: {status: 200, body: {state: active, bound: absent}}}}",
        ),
        "cdr": Word(
            _TOLD,
            "A charging record that an element closed in this phase, by the names of TS 32.298; `card: NAME` means its "
            "servedIMSI. `none`: it closed none.",
            "expect: {pgw: {cdr: {card: card, causeForRecClosing: NORMAL_RELEASE, times: 1}}}",
        ),
        "flow": Word(
            _TOLD,
            "A flow record that a gateway told in this phase; `card: NAME` means its subject. `none`: it told none.",
            'expect: {pgw: {flow: {card: card, peer: "192.0.2.10", verdict: refuse}}}',
        ),
        "times": Word(
            "key of a message, answer, CDR or flow that is expected",
            "How many with these fields there are in the phase, no more and no fewer, at the time that it is judged.",
            "expect: {sgd.mt-forward-short-message-request: {times: 3}}",
        ),
        "at_least": Word(_BOUND, "Not less than this.", "expect: {smsc: {message: {attempts: {at_least: 2}}}}"),
        "at_most": Word(_BOUND, "Not more than this.", "expect: {internet: {arrived: {octets: {at_most: 9}}}}"),
        "absent": Word(
            "value that is expected",
            "That a message, record, body or decision has no such field, or nothing in it; `none` says the same.",
            "expect: {s6a.update-location-answer: {subscription_data: absent}}",
        ),
        "by": Word(
            _DECISION, "The element that decides. In a section of a card: the kind of element that enforces it."
        ),
        "control": Word(_DECISION, "The id of the control; `simwarden explain hss` lists those of an element."),
        "verdict": Word(_DECISION, "`refuse` (the default) or `admit`."),
        "subject": Word(_DECISION, "Whom it is about, an IMSI or IMEI; `card: NAME` and `device: NAME` are shorter."),
        "details": Word(_DECISION, "What was expected and seen, by the control's own names."),
        "type": Word(
            _NETWORK, "Its type, where its name is not one: a second eNB.", "enb2: {type: enb, cells: [{tac: 2}]}"
        ),
        "external": Word(
            _NETWORK,
            "Where somebody's real element is, host:port, or one for each interface. The run is then on the real "
            "clock, and what is expected of the inside of that element is inconclusive, never passed.",
            'hss: {external: "192.0.2.10:3868"}',
        ),
        "address": Word(
            _NETWORK,
            "The IP address of its sockets, where elements outside are to reach it: it listens there on the well-known "
            "ports, connects from there, and its messages say it. The run is then on the real clock. Several, with "
            "commas between them, are those of a multi-homed endpoint of SCTP.",
            'mme: {address: "192.0.2.7"}',
        ),
        "source": Word(
            _NETWORK,
            "The local address, with or without a port, that the element connects to elements outside from, or one for "
            "each interface; by default its `address`. Peers that know it by its address need it.",
            'ssp: {source: {M3UA: "192.0.2.7:2905"}}',
        ),
        "transport": Word(
            "key of a network file",
            "What carries frames: `memory`; `sctp` (SCTP, TCP and UDP, as specified; `sctp-udp`: SCTP in UDP), or "
            "`tcp` (SCTP's messages in a frame of simwarden's own on TCP); or one for each of some interfaces. "
            "Diameter is on TCP unless its interface says `sctp`. To elements outside it is as specified unless this "
            "says `tcp`. `--transport` comes before what it says of all.",
            "transport: {S1-MME: sctp, S6a: memory}",
        ),
        "utc_offset": Word(
            "key of a network file",
            "Hours by which the operator's time is ahead of UTC, by default 8 (China): the months of quotas, days and "
            "hours of use of all elements begin by it. A `serve` file has the same key.",
            "network: {utc_offset: 5.5}",
        ),
        "services": Word(
            "key of a network file",
            "Adds what a service needs, with settings that the file may override: `sms` an SMSC (+8613800100500), that "
            "MME and HSS know; `voice` an SSP, an SCP and a PSTN with the telephones `room` (+8613800001111) and "
            "`other` (+8613800002222), and the signalling of HSS and EIR.",
            "network: {services: [sms, voice]}",
        ),
        "off": Word("value of an element in a network file", "Leaves the element out.", "network: {eir: off}"),
        "LEAK": Word(_CELL, "In service with the misused card to the end of the story, a day later."),
        "n/b": Word(_CELL, "Not built: the sum below the table says which element is missing."),
        "broken": Word(_CELL, "A fault: the story did not get to the misuse."),
        "phase": Word(
            "word of scenarios",
            "From the first verb after an `expect` or `never` on; messages and decisions are looked for there.",
        ),
    }
)
