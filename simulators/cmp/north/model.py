"""Requests of the API as models, and the API's own sentences for what does not fit them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from simulators.cmp.north.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["IMEIBIND", "AREALIMIT"]
IMEI_CHANGE, AREA_CHANGE = (f"org.camaraproject.iot-sim-fraud-prevention.v0.{each}-change" for each in ("imei", "area"))
GENERIC = "Client specified an invalid argument, request body or query param."
DEVICE = "At least one of phoneNumber, networkAccessIdentifier, ipv4Address and ipv6Address must be specified"
M = TypeVar("M", bound=BaseModel)


def _given(value: Any) -> Any:
    """Refuse null: a property is absent or has a value."""
    if value is None:
        raise ValueError("null")
    return value


def _matching(pattern: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError("format")
        return value

    return AfterValidator(check)


def _ipv4(value: str) -> str:
    ipaddress.IPv4Address(value)
    return value


def _ipv6(value: str) -> str:
    ipaddress.IPv6Address(value)
    return value


def _date_time(value: Any) -> dt.datetime:
    """Read an RFC 3339 date-time, which has a time zone."""
    if not isinstance(value, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value
    ):
        raise ValueError("date-time")
    read = dt.datetime.fromisoformat(value.upper())
    try:
        return read.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("date-time") from None


Given = BeforeValidator(_given)
DateTime = Annotated[dt.datetime, BeforeValidator(_date_time)]


class Body(BaseModel):
    """Base of requests: what the API does not name is let be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Ipv4(Body):
    """`DeviceIpv4Addr`."""

    publicAddress: Annotated[StrictStr, AfterValidator(_ipv4)]  # noqa: N815 - the API's names, here and below
    privateAddress: Annotated[StrictStr | None, Given, AfterValidator(_ipv4)] = None  # noqa: N815
    publicPort: Annotated[StrictInt | None, Given, Field(ge=0, le=65535)] = None  # noqa: N815

    @model_validator(mode="after")
    def _enough(self) -> Ipv4:
        if self.privateAddress is None and self.publicPort is None:
            raise ValueError("publicPort or privateAddress")
        return self


class Device(Body):
    """`Device`: who is meant, in one or more ways."""

    phoneNumber: Annotated[StrictStr | None, Given, _matching(r"\+[1-9][0-9]{4,14}")] = None  # noqa: N815
    networkAccessIdentifier: Annotated[StrictStr | None, Given, _matching(r"[^@\s]+@[^@\s]+")] = None  # noqa: N815
    ipv4Address: Annotated[Ipv4 | None, Given] = None  # noqa: N815
    ipv6Address: Annotated[StrictStr | None, Given, AfterValidator(_ipv6)] = None  # noqa: N815

    @model_validator(mode="after")
    def _enough(self) -> Device:
        if not self.model_fields_set:
            raise ValueError("empty")
        return self


class Bind(Body):
    """`BindDeviceImeiRequest`."""

    device: Annotated[Device | None, Given] = None
    bindType: Kind  # noqa: N815


class Unbind(Body):
    """`UnBindDeviceImeiRequest`."""

    device: Annotated[Device | None, Given] = None
    unBindType: Kind  # noqa: N815


class Query(Body):
    """`QueryRequest`."""

    device: Annotated[Device | None, Given] = None
    queryType: Kind  # noqa: N815


class Credential(Body):
    """`SinkCredential`; a bearer token is the only kind that is taken."""

    credentialType: Literal["ACCESSTOKEN"]  # noqa: N815
    accessToken: Annotated[StrictStr, _matching(r"[\x21-\x7e]+")] = Field(repr=False)  # noqa: N815
    accessTokenExpiresUtc: DateTime  # noqa: N815
    accessTokenType: Literal["bearer"]  # noqa: N815


class Detail(Body):
    """`SubscriptionDetail`."""

    device: Annotated[Device | None, Given] = None


class Config(Body):
    """`Config` of a subscription."""

    subscriptionDetail: Detail  # noqa: N815
    subscriptionExpireTime: Annotated[DateTime | None, Given] = None  # noqa: N815
    subscriptionMaxEvents: Annotated[StrictInt | None, Given, Field(ge=1)] = None  # noqa: N815
    initialEvent: Annotated[StrictBool | None, Given] = None  # noqa: N815


class Subscribe(Body):
    """`SubscribeFraudPreventionRequest`."""

    sink: Annotated[StrictStr, Field(max_length=2048), _matching(r"https://[\x21-\x7e]+")]
    protocol: Literal["HTTP"]
    config: Config
    types: tuple[
        Literal[
            "org.camaraproject.iot-sim-fraud-prevention.v0.imei-change",
            "org.camaraproject.iot-sim-fraud-prevention.v0.area-change",
        ]
    ]
    sinkCredential: Annotated[Credential | None, Given] = None  # noqa: N815


#: sentences by where the fault is, the first that fits; `missing` where nothing was given
_SENTENCES: tuple[tuple[str, str, str, str], ...] = (
    ("bindType", "missing", "INVALID_ARGUMENT", "BindType must be specified"),
    ("bindType", "", "INVALID_ARGUMENT", "The value of bindType can only be IMEIBIND,AREALIMIT"),
    ("unBindType", "missing", "INVALID_ARGUMENT", "UnbindType must be specified"),
    ("unBindType", "", "INVALID_ARGUMENT", "The value of unbindType can only be IMEIBIND,AREALIMIT"),
    ("queryType", "missing", "INVALID_ARGUMENT", "QueryType must be specified"),
    ("queryType", "", "INVALID_ARGUMENT", "The value of queryType can only be IMEIBIND,AREALIMIT"),
    ("phoneNumber", "", "INVALID_ARGUMENT", "Invalid format: phoneNumber"),
    ("networkAccessIdentifier", "", "INVALID_ARGUMENT", "Invalid format: networkAccessIdentifier"),
    ("publicPort", "", "INVALID_ARGUMENT", "Invalid value: ipv4Address.publicPort"),
    ("ipv4Address", "", "INVALID_ARGUMENT", "Invalid format: ipv4Address"),
    ("ipv6Address", "", "INVALID_ARGUMENT", "Invalid format: ipv6Address"),
    ("device", "", "INVALID_ARGUMENT", DEVICE),
    ("types", "missing", "INVALID_ARGUMENT", "SubscriptionType must be specified"),
    ("sinkCredential", "", "INVALID_CREDENTIAL", "Only a bearer access token that has not expired is supported"),
    ("sink", "missing", "INVALID_ARGUMENT", "Sink must be specified"),
    (
        "sink",
        "",
        "INVALID_SINK",
        "The sink field must be an accessible client address in order to notify the other end when an event occurs",
    ),
    ("protocol", "missing", "INVALID_ARGUMENT", "Protocol must be specified"),
    ("protocol", "", "INVALID_PROTOCOL", "The value of Protocol can only be HTTP, MQTT3, MQTT5, AMQP, NATS, KAFKA"),
    ("subscriptionMaxEvents", "greater_than_equal", "OUT_OF_RANGE", "subscriptionMaxEvents must be at least 1"),
)


def read(model: type[M], body: Any) -> M:
    """Return the request. Raises ApiError (400) with the API's sentence for the first fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _told(error.errors(include_input=False, include_context=False, include_url=False)[0]) from None


def fault(where: str, kind: str = "") -> ApiError:
    """Return the API's error (400) for a property that is wrong."""
    return _told({"loc": (where,), "type": kind})


def _told(found: Mapping[str, Any]) -> ApiError:
    where = {str(step) for step in found["loc"]}
    for name, kind, code, sentence in _SENTENCES:
        if name in where and kind in ("", found["type"]):
            return invalid(sentence, code)
    return invalid(GENERIC)
