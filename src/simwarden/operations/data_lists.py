"""With whom a card exchanges packets: what an operator provisions, in the element that decides it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import FlowRule, rules_of
from simwarden.policy.held import Held
from simwarden.runtime.declare import Model


def _is_destination(value: str) -> str:
    Destination.parse(value)
    return value.strip()


DestinationText = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_is_destination)]
#: what the guideline wants denied at least (2.2.4)
_KINDS = frozenset({"social", "video", "shopping", "games"})


class DataLists(Model):
    """With whom a card exchanges packets (1.3(1), 2.2.4). Data of a card that says nothing of it is not directed."""

    whitelist: tuple[DestinationText, ...] | None = None
    """Its destinations, in principle at most 10: an address or network, a name, `*.` and a name, or a URL, each with
    its port and, by the scheme (`udp://`, `mqtts://`), its protocol; an unknown scheme is an error. The path of a URL
    is judged where it is said in the clear (`http`); of another one it is the host that is listed. Without a list its
    data is not directed; with an empty one nothing passes."""
    blacklist: tuple[DestinationText, ...] = Field(default=(), max_length=1000)
    """Destinations that are denied to it, listed or not, in the same forms; questions for denied names as well. A name
    alone is that name: what is below it, such as a payment service, passes unless `*.` and the name are denied too."""
    apps: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")], ...], Field(max_length=50)] = ()
    """Kinds of people's apps that are denied to it, of those in the lists of apps: `social`, `video`, `shopping`,
    `games`, or others of a file of the PGW (`app_lists`). What devices of its use need beside them is not hurt."""
    exception: Annotated[str, Field(max_length=100)] = ""
    """Reference of the approval by which it has more destinations, or wider ones."""

    @field_validator("whitelist")
    @classmethod
    def _without_ftp(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for entry in value or ():
            if entry.lower().startswith("ftp://"):
                raise ValueError(
                    f"{entry!r}: FTP opens data connections at ports that the entry does not name; "
                    "list tcp://HOST:21 and the server's passive ports, for example tcp://HOST:50000-50009"
                )
        return value

    def rules(self) -> tuple[FlowRule, ...]:
        """Return the rules that the lists of destinations stand for."""
        listed = None if self.whitelist is None else map(Destination.parse, self.whitelist)
        return rules_of(listed, map(Destination.parse, self.blacklist))

    @property
    def untold(self) -> tuple[str, ...]:
        """The entries whose path nobody can judge, so that their host is listed."""
        entries = map(Destination.parse, (*(self.whitelist or ()), *self.blacklist))
        return tuple(each.text for each in entries if each.untold)

    def held(self) -> Held:
        """Tell `classify` where the card may go; with an empty list it is directed, to nobody."""
        has = {"directed-data"} if self.whitelist is not None else set()
        has |= {"blacklist"} if set(self.apps) >= _KINDS else set()
        return Held(frozenset(has), data=tuple(map(Destination.parse, self.whitelist or ())))
