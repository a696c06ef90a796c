"""Reads what is expected of decisions: by whom and by which control, about whom, and with which details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simwarden.model.values import HOST, IMEI, IMSI
from simwarden.policy.decision import Verdict
from simwarden.policy.details import details_of
from simwarden.runtime.declare import Model
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.identities import Identity
from simwarden.scenario.problems import guess
from simwarden.scenario.validation import check
from simwarden.scenario.wanted_values import WantedValues

if TYPE_CHECKING:
    from simwarden.model.values import Values
    from simwarden.policy.decision import Control
    from simwarden.scenario.document import Condition
    from simwarden.scenario.yamlfile import Spot

_SUBJECT = IMSI | IMEI | HOST


class DecisionModel(Model):
    """A decision of a control."""

    by: str = ""
    control: str = ""
    on: str = ""
    verdict: Literal["admit", "admitted", "refuse", "refused"] = "refuse"
    subject: str = ""
    card: str = ""
    device: str = ""
    reason: str = ""
    details: dict[str, Any] = Field(default_factory=dict)


class DecisionReader(WantedValues):
    """Turns a `decision` of an expectation into conditions."""

    def read(self, value: Any, spot: Spot) -> list[Condition]:
        """Return the decisions that are wanted."""
        found: list[Condition] = []
        for part, here in self._parts(value, spot):
            wanted = check(DecisionModel, part, here, self.problems)
            if wanted is not None:
                found.append(self._decision(wanted, part or {}, here))
        return found

    def _decision(self, wanted: DecisionModel, part: dict[str, Any], spot: Spot) -> DecisionWanted:
        by, control = wanted.by, wanted.control
        if not by and not control:
            self.problems.add("decision: say by whom, or by which control", spot.place)
        if by and by not in self.references.instances:
            told = f"element {by!r} is not known"
            self.problems.nobody(by, told, (spot / "by").place, guess(by, self.references.instances))
        else:
            self._check_control(by, control, wanted.on, spot)
        details, sound = self._wanted(wanted.details, spot / "details")
        if sound:
            details = self._checked_details(by, control, details, spot / "details")
        return DecisionWanted(
            spot.place,
            by,
            control,
            Verdict.ADMIT if wanted.verdict.startswith("admit") else Verdict.REFUSE,
            self._about(part, spot),
            wanted.reason,
            details,
            wanted.on,
        )

    def _checked_details(self, by: str, control: str, details: dict[str, Any], spot: Spot) -> dict[str, Any]:
        """Return details, checked against what the rules declare that may have made the decision."""
        kind = self.references.instances[by].kind if by in self.references.instances else ""
        asked = [details_of(each.rule) for own, each in self._controls(control) if kind in ("", own)] if details else []
        known: dict[str, Values] = {}
        for told in asked:
            if told is None:
                return details
            known |= {name: known[name] | values if name in known else values for name, values in told.items()}
        if asked:
            self.wording.fields("details", details, known, spot, optional=True)
        return self.wording.typed_fields(details, known)

    def _controls(self, control: str) -> list[tuple[str, Control]]:
        """Return the controls of an id, or all, with the kinds that enforce them."""
        found = self.registry.controls
        return [pair for name, pairs in found.items() if control in ("", name) for pair in pairs]

    def _check_control(self, by: str, control: str, occasion: str, spot: Spot) -> None:
        kinds = {each.kind for name, each in self.references.instances.items() if by in ("", name)}
        known = {each.id for kind, each in self._controls("") if kind in kinds}
        if control and control not in known:
            self.problems.unknown(
                f"control of {by or 'anybody here'}", control, sorted(known), (spot / "control").place
            )
            return
        occasions = [
            word for kind, each in self._controls(control) if kind in kinds for word in map(str, each.occasions)
        ]
        if occasion and occasion not in occasions:
            self.problems.unknown(f"occasion of {control or by}", occasion, occasions, (spot / "on").place)

    def _about(self, part: dict[str, Any], spot: Spot) -> str:
        named = [key for key in ("card", "device", "subject") if key in part]
        if len(named) > 1:
            self.problems.add(f"a decision is about one subject, not {' and '.join(named)}", (spot / named[1]).key)
        for key, identity in (("card", "imsi"), ("device", "imei")):
            if key in part:
                self._check_subject(part, identity, spot / key)
                return Identity.of(self._identity_of(part[key], identity, spot / key), identity)
        given = part.get("subject", "")
        subject = self.references.resolve(given, spot / "subject", self.problems)
        for which in self._identities_of(subject):
            self._check_subject(part, which, spot / "subject")
        if subject:
            self.wording.value("subject", subject, _SUBJECT, spot / "subject")
        return subject if isinstance(subject, Identity) else str(subject)

    def _identities_of(self, text: str) -> set[str]:
        """Return which identities a text is: of somebody whom the file names, as a name or by itself."""
        if isinstance(text, Identity):
            return {text.which}
        pairs = (pair for each in self.references.instances.values() for pair in each.identities.items())
        return {which for which, own in pairs if own == text}

    def _check_subject(self, part: dict[str, Any], which: str, spot: Spot) -> None:
        """Note a subject of a kind that no decision can have that is meant; in `never` one that some cannot have.

        About a terminal is a decision where no card is known: in `never` only one that is never about a card.
        """
        by, on = str(part.get("by", "")), str(part.get("on", ""))
        kind = self.references.instances[by].kind if by in self.references.instances else ""
        fit: list[bool] = []
        for own, each in self._controls(str(part["control"])) if part.get("control") else ():
            for occasion in each.occasions if kind in ("", own) else ():
                card = occasion not in each.cardless
                terminal = occasion in each.terminals and not (card and self.wording.never)
                if on in ("", str(occasion)):
                    fit.append(card if which == "imsi" else terminal if which == "imei" else True)
        if fit and not (all(fit) if self.wording.never else any(fit)):
            what = "card" if which == "imsi" else "terminal"
            of = "on no occasion" if not any(fit) else "on some of its occasions only"
            hint = "say on: which" if any(fit) else "leave the subject out" if which == "imsi" else "name the card"
            self.problems.add(f"{part['control']} decides about a {what} {of}", spot.key, hint)
