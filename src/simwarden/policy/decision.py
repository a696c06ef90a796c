"""What a rule says (Ruling), and what an element does with it (Decision)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING: Mapping[str, Any] = MappingProxyType({})
#: switches of a control for mutation testing: its rule is replaced, or its refusals stay in all records and nothing
#: follows from them
ALWAYS_ADMIT, ALWAYS_REFUSE, REFUSAL_IGNORED = "always-admit", "always-refuse", "refusal-ignored"


class Verdict(enum.Enum):
    """The two outcomes of a control."""

    ADMIT = "admit"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The outcome of a pure rule: admitted or not, why in one line, and what was expected and seen.

    `details` holds values for people and expectations (`expected`, `seen`, `temporary`...), never keys.
    """

    admitted: bool
    reason: str
    details: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @classmethod
    def admit(cls, reason: str, **details: Any) -> Ruling:
        """Make a ruling that lets the thing asked for happen."""
        return cls(admitted=True, reason=reason, details=details)

    @classmethod
    def refuse(cls, reason: str, **details: Any) -> Ruling:
        """Make a ruling that does not."""
        return cls(admitted=False, reason=reason, details=details)


def _left_behind(**_facts: Any) -> Ruling:
    raise TypeError("the rule of this control stayed in the process in which it decided")


@dataclass(frozen=True, slots=True)
class Control:
    """A point of enforcement, declared once, where it is enforced, in the element's declaration.

    `id` names the control (`bind.hss.learned`); `requirement` is the id of the guideline's requirement that it
    serves (see `requirements.toml`), mostly the same, `also` are further ones; `rule` is the pure function that
    decides, called with the keyword arguments given to `Site.decide`. `occasions` are the procedures in which it is
    asked, by the field's words (`attach`, `path-switch`): each is a place of its own that may be weak. `section` is
    the section of a card (`binding`) that asks for it, where a card does: a card without that section is one without
    the control. `function` is the one of a card's functions (voice, sms, data) that it restricts, where the requirement
    is for each of them (a quota). A decision is about a card; on the occasions in `terminals` about a terminal, where
    no card is known, and on those in `cardless` never about a card: about whoever asks, or an account. `narrows`: a
    refusal limits what a request gets and does not refuse the request, so that it is no event of a refusal.
    """

    id: str
    requirement: str
    rule: Callable[..., Ruling]
    occasions: tuple[str, ...]
    title: str = ""
    section: str = ""
    also: tuple[str, ...] = ()
    function: str = ""
    terminals: tuple[str, ...] = ()
    cardless: tuple[str, ...] = ()
    narrows: bool = False

    @property
    def requirements(self) -> tuple[str, ...]:
        """The ids of all requirements that it serves."""
        return (self.requirement, *self.also)

    def __reduce__(self) -> tuple[type[Control], tuple[Any, ...]]:
        """Travel to another process without the rule, which may be a closure: there it is read about, not asked."""
        kept = (self.occasions, self.title, self.section, self.also, self.function, self.terminals, self.cardless)
        return Control, (self.id, self.requirement, _left_behind, *kept, self.narrows)


@dataclass(frozen=True, slots=True)
class Decision:
    """A ruling given by a control of an element about a subject (an IMSI, or an IMEI where no card is known).

    `occasion` is the one of the control's on which it was asked.
    """

    control: Control
    verdict: Verdict
    reason: str
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    occasion: str = ""

    def __reduce__(self) -> tuple[type[Decision], tuple[Control, Verdict, str, str, dict[str, Any], str]]:
        """Travel to another process: a mapping proxy cannot."""
        return Decision, (self.control, self.verdict, self.reason, self.subject, dict(self.details), self.occasion)

    @property
    def admitted(self) -> bool:
        """Whether what was asked for may happen."""
        return self.verdict is Verdict.ADMIT
