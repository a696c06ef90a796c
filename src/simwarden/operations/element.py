"""An element of the network: Element is what you write; see `runtime.site` for what it is given.

CONTRIBUTING.md holds the conventions (names, provisioning, verbs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from simwarden.errors import ManagementError
from simwarden.operations.management import Call, Caller, Role, Route, collect_routes, manage, route, validated
from simwarden.runtime.declare import Declaration, ElementConfig, Model, Verb, collect_verbs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simwarden.operations.approval import Audit, By
    from simwarden.operations.events import Publisher
    from simwarden.operations.provision import CardProvision
    from simwarden.runtime.host import Host
    from simwarden.runtime.site import Site

C = TypeVar("C", bound=ElementConfig)


class About(Model):
    """What an element says of itself."""

    element: str
    """Its name."""
    type: str
    """Its kind."""
    routes: tuple[str, ...]
    """Methods and paths that the caller's role may call."""


class Element(ABC, Generic[C]):
    """One element of the network. Subclasses set `declaration` and implement start and stop.

    `parts` are types whose routes, verbs and `observables` are the element's as well. One object of each is made by
    `fit`, with the one thing that all of them work on.

    An element may be stopped and started again (a restart): what is not in its store is then forgotten, so `start`
    builds all of its state anew.
    """

    declaration: ClassVar[Declaration]
    parts: ClassVar[tuple[type[Any], ...]] = ()
    routes: ClassVar[tuple[Route, ...]] = ()
    verbs: ClassVar[Mapping[str, Verb]] = {}
    publisher: Publisher | None = None
    #: what it tells by `views` and does not keep: begun anew, it does not know of it until it hears
    forgets: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.routes = collect_routes(cls, *cls.parts)
        if "declaration" in vars(cls):
            seen = (each for part in cls.parts for each in getattr(part, "observables", ()))
            cls.declaration = replace(cls.declaration, observables=(*cls.declaration.observables, *seen))

    def __init__(self, site: Site, config: C) -> None:
        self.site = site
        self.config = config
        self._parts: dict[type[Any], Any] = {}
        self._shared: Any = None

    def fit(self, shared: Any) -> None:
        """Have the parts made anew, each with what they share, when one is asked for."""
        self._parts, self._shared = {}, shared

    def part(self, kind: type[Any] | None) -> Any:
        """Return the part of a type; the element itself for None."""
        if kind is None:
            return self
        if kind not in self._parts:
            self._parts[kind] = kind(self._shared)
        return self._parts[kind]

    @abstractmethod
    async def start(self) -> None:
        """Listen and connect; return when ready to serve. Raises ConfigError or ConnectionError."""

    @abstractmethod
    async def stop(self) -> None:
        """Say goodbye on the wire (DPR, detach...), close links, keep what must be kept; spawned work ends after."""

    async def killed(self) -> None:
        """Lose power: links drop without goodbye. Spawned work has ended before; by default nothing is said."""

    async def bring_up(self) -> None:
        """Start, and publish events from then on; see Managed."""
        await self.start()
        settings = self.site.host.settings.events
        if settings is not None and self.declaration.events:
            from simwarden.operations.events import publish  # noqa: PLC0415 - only a run with events pays for it

            self.publisher = publish(self.site, settings)

    async def bring_down(self, *, kill: bool) -> None:
        """Stop, or lose power, and have events wait; see Managed."""
        publisher, self.publisher, self.site.refused = self.publisher, None, None
        await (self.killed() if kill else self.stop())
        if publisher is not None:
            await publisher.stop(kill=kill)

    def census(self) -> Mapping[str, int]:
        """Count what it holds in memory for others (`connections`), by which `explore` sees what outlives its use.

        What several elements count by one name is the same thing seen from several sides: the sums agree.
        """
        return {}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell what it holds in memory that others hold too, by what it is: as each of them has it.

        Of what several kinds of elements tell by one name, all tell the same.
        """
        return {}

    async def provision_new(self, cards: Sequence[CardProvision], by: By) -> bool:  # noqa: ARG002 - some do it
        """Provision many cards in one go, all or none, if each of them is new here.

        Returns False, and keeps nothing, if one is not (or the element has no such way): each is provisioned by itself
        then. Raises ManagementError, whose `subject` is the card that is at fault.
        """
        return False

    def kept(self) -> Audit | None:
        """Return the audit in which refused calls of this element are kept; None where its core has none."""
        audit: Audit | None = getattr(getattr(self, "core", None), "audit", None)
        return audit

    @classmethod
    def all_verbs(cls) -> Mapping[str, Verb]:
        """The verbs of this class by name (collected on first use: it resolves annotations)."""
        if "verbs" not in cls.__dict__:
            found = [collect_verbs(cls), *(collect_verbs(part, part) for part in cls.parts)]
            cls.verbs = {name: each for verbs in found for name, each in verbs.items()}
        return cls.verbs

    @route("GET", "/", roles=(Role.OPERATOR, Role.CUSTOMER), gives=About)
    async def describe(self, call: Call) -> dict[str, Any]:
        """Say which element this is and what it offers to the caller's role."""
        offered = [f"{r.method} {r.path}" for r in self.routes if call.role in r.roles]
        return {"element": self.site.name, "type": self.declaration.kind, "routes": offered}

    @route("GET", "/openapi.json", roles=(Role.OPERATOR, Role.CUSTOMER), gives=dict[str, Any])
    async def document(self, call: Call) -> dict[str, Any]:
        """Give the OpenAPI document of what the caller's role may call."""
        from simwarden.operations.openapi import document  # noqa: PLC0415 - only who asks pays for it

        return document(type(self), call.role)

    @route("POST", "/verbs/{verb}", public=False)
    async def do(self, call: Call) -> Any:
        """Carry out a verb of a scenario."""
        name = call.path["verb"]
        found = self.all_verbs().get(name)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no verb {name}")
        arguments = validated(found.arguments, call.body)
        return await getattr(self.part(found.part), found.name)(arguments)

    async def manage(
        self,
        role: Role,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        caller: str = "",
        accounts: Iterable[str] = (),
    ) -> Any:
        """Call this element's management interface; a customer's cards are those of its accounts.

        Raises ManagementError.
        """
        return await manage(self, Caller(role, caller, frozenset(accounts)), method, path, body)

    async def manage_for(self, caller: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Carry out a call of the operator's; see Managed."""
        return await self.manage(Role.OPERATOR, method, path, body, caller=caller)


def element_of(host: Host, name: str) -> Element[Any]:
    """Return an element of a host with all that it is, of which the host knows what Managed has."""
    found = host.elements[name]
    assert isinstance(found, Element)  # noqa: S101 - nothing else is made
    return found
