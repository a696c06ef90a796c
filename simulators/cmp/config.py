"""Settings of the platform, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SkipValidation, field_validator, model_validator

from simulators.cmp.north.config import NorthConfig
from simwarden.model.identity import bindable_imei
from simwarden.operations.access_codes import AllocatedCode, AllocatedCodes
from simwarden.operations.approval import Approval, ImeiGiven, Period, TerminalBinding
from simwarden.operations.provision import Iccid, ImsiText, Msisdn  # noqa: TC001 - types of fields, resolved by pydantic
from simwarden.policy.card_states import CardState
from simwarden.policy.equipment_lists import EquipmentRange
from simwarden.policy.platform import LARGEST_BATCH, LOCK, Mismatch, PhoneWish
from simwarden.runtime.declare import Model, Names, Seconds
from simwarden.runtime.diameter.server import Entry, PeerEntry, ServerConfig


class Account(Model):
    """What a customer's account wants of the check of its cards."""

    mismatch: Mismatch = Mismatch.REFUSE
    """When a card is in a terminal that is not its own: refuse, suspend, or alarm."""
    grace: int = Field(default=0, ge=0)
    """Mismatches of a card that are served, with an alarm, before that."""
    phone: PhoneWish = PhoneWish.ALARM
    """When a card is in a phone, by the library: serve, alarm, refuse, or suspend."""
    check: Literal["at-once", "next-day"] = "at-once"
    """At once asks the network's every request; next-day judges the records of the day before. What is over cannot be
    refused, so that there `refuse` suspends."""


class Pool(Model):
    """Terminals that the cards of a pool of numbers may be used in."""

    imeis: tuple[str, ...]
    """IMEIs, TACs and ranges of TACs (99000201-99000299)."""
    account: str = ""
    """The account whose numbers they are."""
    numbers: tuple[str, ...] = ()
    """Numbers (MSISDN or IMSI), and ranges of them (first-last); none: all of the account."""

    @field_validator("imeis")
    @classmethod
    def _are_entries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(EquipmentRange.parse(text)) for text in value)

    @field_validator("numbers")
    @classmethod
    def _are_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            low, _, high = text.partition("-")
            digits = all(part.isascii() and part.isdigit() for part in (low, high or low))
            # of one length: else most numbers of the first one's length would be between them
            if not digits or (high and (len(low) != len(high) or low > high)):
                raise ValueError(f"{text!r} is no number and no range of numbers of one length, the lower one first")
        return value


class PoolChange(Approval, Pool):
    """Body of `PUT /pools/{pool}`."""

    def pool(self) -> Pool:
        """Return the pool without the approval record."""
        return Pool.model_construct(**{name: getattr(self, name) for name in Pool.model_fields})  # it was read once


class Limits(Model):
    """What keeps the operator's hand from being used too often."""

    rebindings: int = Field(default=2, ge=0)
    """Changes of a card's binding in a period."""
    period: Period = "month"
    """The period in which they are counted, by the calendar."""
    lock: Seconds = LOCK
    """Between two operations on a card."""
    batch: int = Field(default=LARGEST_BATCH, ge=1)
    """Cards in a batch of operations."""


class CodesConfig(Model):
    """The access codes for SMS, and who is told of them."""

    gateways: tuple[Annotated[str, Names("element")], ...] = ()
    """Business gateways whose list of codes is kept here, by the names of these elements."""
    allocated: AllocatedCodes = Field(default_factory=dict)
    """Codes that are allocated from the beginning, as long as management has said nothing of any."""
    confirm: Annotated[Seconds, Field(gt=0)] = 60
    """Until gateways are told again that the list holds."""


class CodeAllocation(Approval, AllocatedCode):
    """Body of `PUT /codes/{code}`."""


class CmpConfig(ServerConfig):
    """Settings of a connection-management platform."""

    peers: dict[str, Entry] = Field(default_factory=lambda: {"mme": PeerEntry(), "eir": PeerEntry(relay=True)})
    """Nodes that may ask, by Diameter identity; a name without a dot is one of the home network's realm."""
    hss: Annotated[str, Names("hss")] = "hss"
    """The HSS whose management interface suspends cards; `off`: none."""
    accounts: dict[str, Account] = Field(default_factory=dict)
    """Accounts by name."""
    others: Account = Account()
    """What holds for cards of no account and of accounts that are not named."""
    pools: dict[str, Pool] = Field(default_factory=dict)
    """Pools of terminals by name."""
    library: str = ""
    """CSV file of terminals (tac, kind, maker, model) to use instead of the one shipped; a `phone` is one."""
    ranges: str = ""
    """TOML file of number ranges to use instead of those shipped; only numbers of dedicated ones are provisioned."""
    limits: Limits = Limits()
    records_at: Seconds = 7200
    """Time after the operator's midnight at which the records of the day before are judged."""
    retry: Annotated[Seconds, Field(gt=0)] = 30
    """Until what the HSS could not be told is told again."""
    north: NorthConfig = NorthConfig()
    """The CAMARA API, and who may call it."""
    codes: CodesConfig = CodesConfig()
    """Access codes for SMS."""
    services: tuple[Annotated[str, Names("element")], ...] = ()
    """Elements whose lists and quotas of a card are shown here (`pgw`, `pcrf`, `ocs`, `smsc`, `scp`)."""
    suspension: Literal["barring", "withdrawal"] = "withdrawal"
    """How the HSS suspends: withdrawal ends what runs by CLR, barring by IDR."""


class CmpBinding(TerminalBinding):
    """Binding by the platform: an IMEI given, or captured at first use."""

    by: Literal["cmp"] = "cmp"
    """Who checks."""


class CmpCard(Model):
    """Whose card it is, and where in its life."""

    account: str = ""
    """The customer's account."""
    batch: str = ""
    """The batch of the customer's cards that it was handed over in."""
    state: CardState = CardState.TO_ACTIVATE
    """Its state."""


class BulkCard(CmpCard):
    """One card of a bulk load."""

    imsi: ImsiText
    iccid: Iccid = ""
    msisdn: Msisdn = ""
    form: str = ""
    imei: ImeiGiven = ""
    """The IMEI that it is bound to, 14 to 16 digits."""
    learn: Literal["", "first-use"] = ""
    """Or `first-use`."""

    @field_validator("imei")
    @classmethod
    def _is_imei(cls, value: str) -> str:
        return bindable_imei(value) if value else ""

    @model_validator(mode="after")
    def _at_most_one(self) -> BulkCard:
        if self.imei and self.learn:
            raise ValueError("give imei or learn, not both")
        return self


class BulkLoad(Model):
    """Body of `POST /cards`."""

    in_slices: ClassVar[bool] = True

    cards: tuple[SkipValidation[BulkCard], ...]
    """They are read a slice at a time."""


class BatchItem(Approval):
    """One card of a batch; with neither imei nor learn its binding is taken away. A wrong IMEI is that card's fault."""

    imsi: str
    imei: str = ""
    learn: Literal["", "first-use"] = ""


class BindingBatch(Approval):
    """Body of `POST /bindings`: the approval is that of all cards that give none of their own."""

    cards: tuple[BatchItem, ...]
