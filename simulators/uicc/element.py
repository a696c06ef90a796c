"""One card of a scenario: it listens on ME-UICC, is in one terminal at a time, and its operator personalises it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.uicc import personalisation
from simulators.uicc.answers import CardTold
from simulators.uicc.card import Card, Issue
from simulators.uicc.config import CardBinding, CardBindingChange, UiccConfig
from simulators.uicc.pins import padded
from simwarden.errors import ManagementError
from simwarden.model.form import FormFactor, Slot
from simwarden.model.identity import Imei, Plmn, check_imsi
from simwarden.model.values import IMEI, IMSI, NUMBER, SWITCH, instance_of, members, one_of
from simwarden.operations.approval import Approval, Audit, By
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Call, Role, route
from simwarden.operations.provision import CardProvision
from simwarden.operations.restriction import Restriction
from simwarden.policy.decision import Control as PolicyControl
from simwarden.policy.form import judge_form
from simwarden.policy.interlock import card_serves_terminal
from simwarden.policy.operator import change_controls
from simwarden.runtime.declare import HISTORY, CardName, Declaration, Observable, VerbModel, verb
from simwarden.wire.apdu.authenticate import SUCCESS
from simwarden.wire.apdu.cat import Result
from simwarden.wire.apdu.command import Ins
from simwarden.wire.apdu.contents import Bind
from simwarden.wire.apdu.control import Control, control_of, insertion, insertion_of

if TYPE_CHECKING:
    from simwarden.policy.decision import Decision
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site

AUTHENTICATE, INSERTION, REMOVAL, BIND, UNBIND = "authenticate", "insertion", "removal", "bind", "unbind"
APPLET = PolicyControl(
    "bind.card.applet", "bind.card.applet", card_serves_terminal, (AUTHENTICATE,), "The card checks its terminal"
)
FORM = PolicyControl(
    "pre.form", "pre.form", judge_form, (INSERTION, REMOVAL), "The card's form keeps it in its terminal"
)
CHANGES = change_controls(
    "bind",
    "binding",
    operator=(BIND, UNBIND),
    approval=(BIND, UNBIND),
    requirement="bind.operator",
    alone="Only the operator binds",
    approved="A changed card's area has its approval record",
)
NOWHERE = "nowhere"


class PullOut(VerbModel):
    """Take a card out of its terminal, by hand."""

    shorthand = "card"
    target = "card"
    card: CardName
    """The card."""
    force: bool = False
    """With a soldering iron: a card that is not made to come out is destroyed, unless it `survives_removal`."""


class Uicc(Element[UiccConfig]):
    """A card. Its non-volatile memory is this object: it survives a stop and a start, as a card survives anything."""

    declaration = Declaration(
        kind="uicc",
        title="UICC with USIM",
        lane=0,
        config=UiccConfig,
        instances="cards",
        listens=("ME-UICC",),
        keys=True,
        card={"binding": CardBinding},
        observables=(
            Observable(
                "terminal",
                "the terminal that the card is in, or `nowhere`",
                values=instance_of("device") | one_of(NOWHERE),
                kept=True,
            ),
            Observable("power", "whether the card works", values=one_of("on", "off", "destroyed"), kept=True),
            Observable(
                "authentication",
                "how the last AUTHENTICATE ended",
                passing=HISTORY,
                values=one_of("accepted", "synchronisation-failure", "mac-failure", "refused"),
            ),
            Observable(
                "applet_sms",
                "how the terminal said that the last message of an applet ended (SEND SHORT MESSAGE)",
                passing=HISTORY,
                values=members(Result) | NUMBER,
            ),
            Observable(
                "interlock",
                "the card's own area, by IMSI",
                fields={"imsi": IMSI, "imei": IMEI, "applet": SWITCH},
                kept=True,
            ),
        ),
        controls=(APPLET, FORM, *CHANGES.declared, ROLES),
    )

    def __init__(self, site: Site, config: UiccConfig) -> None:
        super().__init__(site, config)
        self.card: Card | None = None
        #: what is known of the card once there is one: what was told with it, the terminal that it was made for, and
        #: that it was torn out of that
        self._facts: dict[str, str]
        self.form: FormFactor
        self.home: str
        self.destroyed: bool
        self._adm = "".join(str(site.rng.randrange(10)) for _ in range(8))
        self._link: Link | None = None
        self.binding = Restriction(Audit(site), CHANGES)

    async def start(self) -> None:
        """Wait for a terminal."""
        await self.site.listen("ME-UICC", self._accept)

    async def stop(self) -> None:
        """Leave the terminal."""
        self._leave("card taken away")

    async def killed(self) -> None:
        """A card has no power of its own to lose: as `stop`."""
        self._leave("card taken away")

    # -- the terminal

    def _accept(self, link: Link) -> None:
        link.on_receive = lambda data, _stream: self._first_contact(link, data)

    def _first_contact(self, link: Link, data: bytes) -> None:
        slot = insertion_of(data)
        refusal = self._refusal(link.remote, slot or Slot.ANY)
        if refusal is not None:
            link.close(refusal)
            return
        self._leave(f"card moved to {link.remote}")
        link.know()
        self._link, self.home = link, self.home or link.remote
        self.site.observe("terminal", link.remote)
        link.on_receive = lambda octets, _stream: self._receive(link, octets)
        link.on_close = self._left
        if slot is None:
            self._receive(link, data)
        else:
            link.send(insertion(slot))

    def _refusal(self, terminal: str, slot: Slot) -> str | None:
        """Say why the card makes no contact in a slot, None if it does."""
        if self.card is None or self.destroyed:
            return "the card is dead"
        decision = self._judge_form(INSERTION, terminal, slot)
        return None if decision.admitted else decision.reason

    def _leave(self, reason: str) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close(reason)
            self._without_power()

    def _left(self, _reason: str) -> None:
        self._link = None
        self._without_power()

    def _without_power(self) -> None:
        self._card().contact(Control.POWER_OFF)
        self.site.observe("power", "destroyed" if self.destroyed else "off")
        self.site.observe("terminal", NOWHERE)

    def _receive(self, link: Link, data: bytes) -> None:
        control = control_of(data)
        if control is not None:
            self._contact(link, control)
        elif len(data) < 2 or insertion_of(data) is not None:
            self.site.peer_fault(link, "neither a contact nor a command", data)
        else:
            self._command(link, data)

    def _contact(self, link: Link, control: Control) -> None:
        card = self._card()
        answer = card.contact(control)
        self.site.observe("power", "on" if card.powered else "off")
        if answer:
            link.send(answer)

    def _command(self, link: Link, data: bytes) -> None:
        card = self._card()
        if not card.powered:
            self.site.peer_fault(link, "a command to a card without power", data)
            return
        response = card.transmit(data)
        if data[1] == Ins.AUTHENTICATE:
            self._observe_authentication(card, response)
        self._observe_message(card)
        link.send(response)

    def _observe_authentication(self, card: Card, response: bytes) -> None:
        body = card.waiting or response[:-2]
        if body:
            outcome = "accepted" if body[0] == SUCCESS else "synchronisation-failure"
        else:
            outcome = "mac-failure" if response[-2:] == b"\x98\x62" else "refused"
        self.site.observe("authentication", outcome)

    def _observe_message(self, card: Card) -> None:
        response, card.messenger.result = card.messenger.result, None
        if response is not None:
            known = response.result in frozenset(Result)
            self.site.observe("applet_sms", Result(response.result) if known else response.result)

    def _judge(self, bound: str, seen: str, fail_open: bool) -> bool:  # noqa: FBT001 - the signature of a Judge
        facts = {"bound": bound, "seen": seen, "fail_open": fail_open}
        return self.site.decide(APPLET, self._card().imsi, on=AUTHENTICATE, **facts).admitted

    def _judge_form(self, occasion: str, terminal: str, slot: Slot) -> Decision:
        facts = {"form": self.form, "home": self.home, "terminal": terminal, "slot": slot}
        return self.site.decide(FORM, self._card().imsi, on=occasion, **facts)

    def _card(self) -> Card:
        if self.card is None:
            raise ManagementError(409, f"{self.site.name} is not provisioned")
        return self.card

    @verb("out", "refused", "destroyed")
    async def pull_out(self, arguments: PullOut) -> str:
        """Take the card out: `out`, `refused` by its form, or `destroyed`."""
        self._card()
        terminal = self._link.remote if self._link is not None else NOWHERE
        if terminal == NOWHERE:
            raise ManagementError(409, f"{self.site.name} is in no terminal")
        if arguments.force and not self.form.removable:
            self.destroyed = not self.config.survives_removal
            self.site.note(f"torn out of {terminal}", destroyed=self.destroyed)
            self.home = ""
        elif not self._judge_form(REMOVAL, "", Slot.ANY).admitted:
            return "refused"
        self._leave("card pulled out")
        return "destroyed" if self.destroyed else "out"

    # -- the operator

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Personalise the card. The same ICCID again: the same card is changed; another one: a new card.

        An area that the card has is not changed this way, since a change needs its approval record (409).
        """
        wanted: CardProvision = call.given
        writings, bindings = _checked(wanted), wanted.entries("binding", CardBinding)
        if self.card is None or self._facts.get("iccid") != wanted.iccid:
            self._leave("another card")
            self.card = Card(self._issue(wanted), self._judge, self.config.applet_sms)
            self.home, self.destroyed = "", False
        elif self.card.bind.imei_key:
            area = _area(bindings[-1] if bindings else None)
            self.binding.stays(wanted.imsi, By.of(call), changed=self.card.bind != area)
        self.form = FormFactor(wanted.form)
        self._facts = {"iccid": wanted.iccid, "msisdn": wanted.msisdn, "profile": wanted.profile}
        self._write(writings)
        self._bind(bindings[-1] if bindings else None)
        return self._describe()

    def _issue(self, wanted: CardProvision) -> Issue:
        config = self.config
        return Issue(
            home=Plmn.parse(config.home or wanted.imsi[:5]),
            iccid=wanted.iccid,
            adm=self._adm,
            pin1=config.pin or "0000",
            pin1_enabled=bool(config.pin),
            provider=config.provider,
            service_centre=config.service_centre,
            language=config.language,
        )

    def _write(self, writings: list[personalisation.Writing]) -> None:
        pin1 = padded(self.config.pin) if self.config.pin else b""
        try:
            personalisation.write(self._card(), padded(self._adm), pin1, writings)
        except personalisation.WriteRefusedError as error:
            raise ManagementError(409, str(error)) from error

    def _bind(self, wanted: CardBinding | None) -> None:
        bind = _area(wanted)
        before = self._card().bind
        self._write(personalisation.binding(bind))
        if bind == before:
            return
        held = {"imsi": self._card().imsi, "imei": Imei(bind.imei_key).imei, "applet": bind.applet} if wanted else None
        self.site.observe("interlock", held, key=self._card().imsi)

    @route(
        "PUT",
        "/cards/{imsi}/binding",
        roles=(Role.OPERATOR, Role.CUSTOMER),
        takes=CardBindingChange,
        gives=CardTold,
        errors=(409,),
    )
    async def bind(self, call: Call) -> dict[str, Any]:
        """Write the card's area. By the operator, with an approval record."""
        self._may_bind(call, BIND)
        self._bind(call.given)
        return self._describe()

    @route("DELETE", "/cards/{imsi}/binding", roles=(Role.OPERATOR, Role.CUSTOMER), takes=Approval, gives=CardTold)
    async def unbind(self, call: Call) -> dict[str, Any]:
        """Empty the card's area. By the operator, with an approval record."""
        self._may_bind(call, UNBIND)
        self._bind(None)
        return self._describe()

    def _may_bind(self, call: Call, occasion: str) -> None:
        """Ask the controls first: who may not bind is told so whether it is this card or not."""
        self.binding.approve(call.path["imsi"], By.of(call), occasion)
        self._known(call)

    @route("GET", "/cards/{imsi}", gives=CardTold)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what the card is, where it is and what it is bound to."""
        self._known(call)
        return self._describe()

    def _known(self, call: Call) -> None:
        if self.card is None or self.card.imsi != call.path["imsi"]:
            raise ManagementError(404, f"{self.site.name} is not the card {call.path['imsi']}")

    def _describe(self) -> dict[str, Any]:
        card = self._card()
        found: dict[str, Any] = {"imsi": card.imsi, "form": self.form.value, "destroyed": self.destroyed}
        found |= self._facts
        bind = card.bind
        found["terminal"] = self._link.remote if self._link is not None else NOWHERE
        found["binding"] = {"imei": Imei(bind.imei_key).imei, "applet": bind.applet} if bind.imei_key else None
        return found


def _area(wanted: CardBinding | None) -> Bind:
    return Bind(wanted.imei, wanted.applet, wanted.fail_open) if wanted else Bind()


def _checked(wanted: CardProvision) -> list[personalisation.Writing]:
    """Return what is to be written for a provisioning that makes sense."""
    try:
        FormFactor(wanted.form)
        return personalisation.subscription(check_imsi(wanted.imsi), wanted.msisdn, *wanted.secrets)
    except ValueError:  # its message would show what was given, which may be a key
        raise ManagementError(400, "IMSI, MSISDN, form or the keys cannot be put on a card") from None
