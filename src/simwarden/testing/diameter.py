"""Scripted Diameter nodes: an MME that asks on S6a and S13, an HSS and an EIR that answer what a test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.machine.eps_keys import kasme
from simwarden.model.identity import Plmn
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer
from simwarden.wire.diameter import Message, ResultCode
from simwarden.wire.diameter.codes import Feature
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLMN = Plmn("001", "01")
REALM = PLMN.realm
IMSI = "001010000000001"
#: what `ScriptedHss` gives for a card and `ScriptedPhone` knows: RAND, RES and the keys after them
RAND, AUTN = bytes(16), bytes(16)
RES = b"\x01\x02\x03\x04\x05\x06\x07\x08"
CK, IK = bytes(range(16)), bytes(range(16, 32))
FEATURES = supported_features(Feature.ODB_ALL_APN | Feature.REG_SUB)
_RAT_TYPE_EUTRAN = 1004
_ORDERS = ("cancel-location", "insert-subscriber-data", "delete-subscriber-data", "reset")
_S6A = ("authentication-information", "update-location", "notify", "purge-ue")
#: results of TS 29.272 7.4, which go into Experimental-Result
_SUCCESS = ResultCode.DIAMETER_SUCCESS
_EXPERIMENTAL = frozenset({5001, 5004, 5101, 5420, 5421, 5422, *range(5550, 5559)})


class MmeConfig(ElementConfig):
    """Who a scripted MME is, and whom it asks."""

    host: str = ""
    """Its Diameter identity; by default its name in the home realm."""
    realm: str = REALM
    """Its Diameter realm."""
    hss: str = ""
    """The element that it asks on S6a; none if empty."""
    eir: str = ""
    """The element that it asks on S13; none if empty."""
    imsi: str = IMSI
    """The card that it asks about, where nothing else is said."""


class ScriptedMme(Element[MmeConfig]):
    """An MME that asks what it is told to ask, and keeps in `heard` what it is asked."""

    declaration = Declaration(
        kind="mme", title="MME", lane=1, config=MmeConfig, starts_after=("hss", "eir", "cmp"), calls=("S6a", "S13")
    )
    node: DiameterNode

    async def start(self) -> None:
        """Connect to whom it asks."""
        self.heard: list[Message] = []
        handlers = {f"{name}-request": self.hear for name in _ORDERS}
        asked = {"S6a": self.config.hss, "S13": self.config.eir}
        self.node = DiameterNode(
            self.site,
            LocalNode(self.config.host or f"{self.site.name}.{REALM}", self.config.realm),
            {each: handlers if each == "S6a" else {} for each, name in asked.items() if name},
        )
        for interface, name in asked.items():
            if name:
                await self.node.connect(interface, name)

    async def stop(self) -> None:
        """Say goodbye."""
        await self.node.stop()

    async def killed(self) -> None:
        """Be gone."""
        self.node.drop()

    async def hear(self, message: Message, _peer: Peer) -> Message:
        """Answer an order of the HSS with success."""
        self.heard.append(message)
        return self.node.answer(message, 2001, [FEATURES] if message.name.startswith("insert") else ())

    @property
    def told(self) -> list[tuple[str, Any]]:
        """What the HSS ordered: names, with what of it changes something."""
        short = {"Cancellation-Type", "DSR-Flags", "Subscription-Data", "Context-Identifier"}
        return [(m.name, [avp for avp in m.avps if avp[0] in short]) for m in self.heard]

    def make(
        self,
        name: str,
        *more: tuple[str, Any],
        imsi: str | None = None,
        terminal: str = "",
        origin: Mapping[str, str] = {},
    ) -> Message:
        """Make a request about a card (none if empty) in a terminal; `origin` has AVPs of another sender."""
        card = self.config.imsi if imsi is None else imsi
        avps: list[tuple[str, Any]] = [("User-Name", card)] if card else []
        if terminal:
            avps.append(("Terminal-Information", [("IMEI", terminal), ("Software-Version", "01")]))
        message = self.node.make(name, [*avps, *more], realm=origin.get("Destination-Realm", REALM))
        message.avps = [(each, origin.get(each, value)) for each, value in message.avps]
        return message

    # -- S6a (TS 29.272 5.2)

    async def ulr(self, terminal: str, *, imsi: str | None = None, flags: int = 34) -> Message:
        """Register a card in a terminal."""
        more = [FEATURES, ("RAT-Type", _RAT_TYPE_EUTRAN), ("ULR-Flags", flags), ("Visited-PLMN-Id", PLMN.to_bytes())]
        request = self.make("Update-Location-Request", *more, imsi=imsi, terminal=terminal)
        return await self.node.ask(self.config.hss, request)

    async def air(self, *wanted: tuple[str, Any], imsi: str | None = None) -> Message:
        """Ask for authentication vectors."""
        more = [("Requested-EUTRAN-Authentication-Info", list(wanted)), ("Visited-PLMN-Id", PLMN.to_bytes())]
        return await self.node.ask(self.config.hss, self.make("Authentication-Information-Request", *more, imsi=imsi))

    async def attach(self, terminal: str, *, imsi: str | None = None) -> Message:
        """Have the card proved and register it, as at an initial attach: that may teach a binding."""
        await self.air(("Number-Of-Requested-Vectors", 1), imsi=imsi)
        return await self.ulr(terminal, imsi=imsi)

    async def nor(self, terminal: str, *, imsi: str | None = None) -> Message:
        """Tell that a card is in another terminal now."""
        return await self.node.ask(
            self.config.hss, self.make("Notify-Request", ("NOR-Flags", 0), imsi=imsi, terminal=terminal)
        )

    # -- S13 (TS 29.272 6.2)

    async def ecr(self, imei: str | None, imsi: str | None = None, **origin: str) -> Message:
        """Ask about a terminal; `host` and `realm` may be others than ours, and `imei=None` leaves its AVP empty."""
        terminal = [] if imei is None else [("IMEI", imei)]
        names = {"host": "Origin-Host", "realm": "Destination-Realm"}
        request = self.make(
            "ME-Identity-Check-Request",
            ("Terminal-Information", terminal),
            imsi=imsi,
            origin={names[each]: value for each, value in origin.items()},
        )
        return await self.node.ask(self.config.eir, request)

    async def status(self, imei: str, imsi: str | None = None) -> int | None:
        """Return the Equipment-Status of an answer, which must be a success."""
        answer = await self.ecr(imei, imsi)
        assert answer.success, answer  # noqa: S101 - for tests, which read it
        found: int | None = answer.get("Equipment-Status")
        return found

    async def allowed(self, imei: str, imsi: str | None = None) -> bool:
        """Tell whether a terminal is on the white list."""
        return await self.status(imei, imsi) == 0


class ScriptedServer(Element[ElementConfig]):
    """A node that answers requests: with a method of the request's name, or with what `answers` has for it.

    `answers` maps a request's name (`update-location`) to AVPs, to a function that makes them of the request, or to a
    Result-Code, or to both of these; all that came is in `asked`. One that is `silent` takes a minute for each.
    """

    interface: ClassVar[str]
    requests: ClassVar[Sequence[str]]

    async def start(self) -> None:
        """Listen."""
        self.asked: list[Message] = []
        self.answers: dict[str, Any] = {}
        self.silent = False
        handlers = {f"{name}-request": self.answer for name in self.requests}
        self.node = DiameterNode(self.site, LocalNode(f"{self.site.name}.{REALM}", REALM), {self.interface: handlers})
        await self.node.listen(self.interface)

    async def stop(self) -> None:
        """Say goodbye."""
        await self.node.stop()

    async def killed(self) -> None:
        """Be gone."""
        self.node.drop()

    async def answer(self, message: Message, _peer: Peer) -> Message:
        """Answer a request."""
        self.asked.append(message)
        if self.silent:
            await self.site.clock.sleep(60)
        name = message.name.removesuffix("-request")
        made = self.answers.get(name)
        if made is None:
            made = getattr(self, name.replace("-", "_"))
        if callable(made):
            made = made(message)
        result, avps = made if isinstance(made, tuple) else (made, []) if isinstance(made, int) else (_SUCCESS, made)
        return self.node.answer(message, result, avps, experimental=result in _EXPERIMENTAL)

    async def order(self, name: str, avps: Sequence[tuple[str, Any]], *, to: str = f"mme.{REALM}") -> Message:
        """Send a request to a node that is connected; return its answer."""
        return await self.node.ask(to, self.node.make(name, avps, realm=REALM, host=to))

    def names(self) -> list[str]:
        """Return the names of what was asked so far."""
        return [message.name.removesuffix("-request") for message in self.asked]


class ScriptedHss(ScriptedServer):
    """An HSS that knows every card and lets it register, with one APN."""

    declaration = Declaration(kind="hss", title="HSS", lane=60, config=ElementConfig, listens=("S6a",))
    interface = "S6a"
    requests = _S6A

    def authentication_information(self, _message: Message) -> Any:
        """Give the one vector."""
        vector = [("RAND", RAND), ("XRES", RES), ("AUTN", AUTN), ("KASME", kasme(CK, IK, PLMN, AUTN[:6]))]
        return [("Authentication-Info", [("E-UTRAN-Vector", vector)])]

    def update_location(self, _message: Message) -> Any:
        """Give the subscription."""
        apn = [("Context-Identifier", 1), ("PDN-Type", 0), ("Service-Selection", "meters.example")]
        profile = [
            ("Context-Identifier", 1),
            ("All-APN-Configurations-Included-Indicator", 0),
            ("APN-Configuration", apn),
        ]
        data = [("Subscriber-Status", 0), ("MSISDN", "1064700000001"), ("APN-Configuration-Profile", profile)]
        return [("ULA-Flags", 1), ("Subscription-Data", data)]

    def notify(self, _message: Message) -> Any:
        """Take note."""
        return []

    def purge_ue(self, _message: Message) -> Any:
        """Let the MME forget the M-TMSI only when it likes (PUA-Flags: freeze M-TMSI)."""
        return [("PUA-Flags", 1)]


class ScriptedEir(ScriptedServer):
    """An EIR to which all equipment is whitelisted."""

    declaration = Declaration(kind="eir", title="EIR", lane=70, config=ElementConfig, listens=("S13",))
    interface = "S13"
    requests = ("me-identity-check",)

    def me_identity_check(self, _message: Message) -> Any:
        """Find it on the white list."""
        return [("Equipment-Status", 0)]


class ScriptedSmsc(ScriptedServer):
    """A service centre that takes every message of an MME's devices."""

    declaration = Declaration(kind="smsc", title="SMSC", lane=62, config=ElementConfig, listens=("SGd",))
    interface = "SGd"
    requests = ("mo-forward-short-message",)

    def mo_forward_short_message(self, _message: Message) -> Any:
        """Take it."""
        return []
