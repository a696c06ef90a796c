"""What a management interface is told of a card: the body of `PUT /cards/{imsi}`, and how bodies are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from simwarden.errors import ManagementError
from simwarden.model.identity import check_iccid, check_imsi, check_msisdn, imei_key
from simwarden.model.profile import Function, find_use
from simwarden.operations.management import validated
from simwarden.runtime.declare import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

M = TypeVar("M", bound=BaseModel)
ImsiText = Annotated[
    str, AfterValidator(check_imsi), Field(json_schema_extra={"pattern": "^[0-9]{6,15}$"}, description="IMSI")
]
Msisdn = Annotated[
    str,
    AfterValidator(check_msisdn),
    Field(json_schema_extra={"pattern": r"^(\+?[0-9]{1,15})?$"}, description="MSISDN; empty: none"),
]
ImeiKey = Annotated[
    str,
    AfterValidator(lambda text: imei_key(text) if text else ""),
    Field(json_schema_extra={"pattern": "^([0-9]{14,16})?$"}, description="IMEI or IMEISV; empty: none"),
]
Iccid = Annotated[
    str,
    AfterValidator(check_iccid),
    Field(json_schema_extra={"pattern": "^([0-9]{1,20})?$"}, description="ICCID; empty: none"),
]


class CardProvision(Model):
    """A card as the operator provisions it in an element. Keys are hexadecimal and never shown.

    `sections` holds what the card's owner wrote for this element only: section name to its entries, each valid for one
    of the models that the element declares (`{"binding": [{"by": "hss", "learn": "first-use"}]}`).
    """

    name: str
    imsi: ImsiText
    iccid: Iccid
    msisdn: Msisdn
    #: keys, for an element that declares to need them
    k: str | None = Field(default=None, repr=False)
    opc: str | None = Field(default=None, repr=False)
    #: what the card is for: a use of the guideline's appendix (`smart-metering`)
    profile: str
    #: what it is opened for (voice, sms, data); by default what its use needs
    functions: tuple[Function, ...] | None = None
    #: whether its data can be directed, are large, and its terminal is fixed; by default as its use says
    directed: bool | None = None
    large: bool | None = None
    fixed: bool | None = None
    #: the form factor (`plug-in`, `soldered`, ...)
    form: str
    sections: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)

    @property
    def opened(self) -> tuple[Function, ...]:
        """The functions that it is opened for; of a use that nobody knows none beside data."""
        if self.functions is not None:
            return self.functions
        use = find_use(self.profile)
        return use.assessment.functions if use is not None else (Function.DATA,)

    @property
    def secrets(self) -> tuple[bytes, bytes]:
        """K and OPc. Raises ManagementError (400), without a word of what was given."""
        try:
            k, opc = bytes.fromhex(self.k or ""), bytes.fromhex(self.opc or "")
        except ValueError:
            k = opc = b""
        if (len(k), len(opc)) != (16, 16):
            raise ManagementError(400, "K and OPc have 32 hexadecimal digits each")
        return k, opc

    def entries(self, section: str, model: type[M]) -> list[M]:
        """Return the entries of a section. Raises ManagementError (400)."""
        return [validated(model, entry) for entry in self.sections.get(section, [])]

    def entry(self, section: str, model: type[M]) -> M | None:
        """Return the one entry of a section that an element takes no more than one of. Raises ManagementError (400)."""
        found = self.entries(section, model)
        if len(found) > 1:
            raise ManagementError(400, f"a card has one {section} here, and {len(found)} are given")
        return found[0] if found else None


class CardsPage(Model):
    """Which cards are listed, by IMSI."""

    after: str = ""
    """The IMSI after which the list goes on."""
    limit: int = Field(default=100, ge=1, le=1000)
    """Cards at most."""


class AuditPage(Model):
    """Which audit records are told, in order."""

    after: int = Field(default=0, ge=0, lt=1 << 31)
    """The number (`id`) of the record after which the list goes on."""
    limit: int = Field(default=1000, ge=1, le=1000)
    """Records at most."""


class AuditTold(Model):
    """An audit record: what was done or refused, by whom and why."""

    id: int
    at: str
    role: str
    """`operator`, `customer`, or `network` for what nobody did by hand."""
    caller: str
    action: str
    imsi: str
    """The card; empty for what is about none."""
    details: dict[str, Any]


@contextmanager
def about(card: CardProvision) -> Iterator[None]:
    """Let an error of provisioning several cards name the one that is at fault."""
    try:
        yield
    except ManagementError as error:
        error.subject = card.imsi
        raise
