"""A small network of toys that declares everything an element can: a gate that decides, pipes that speak through it."""

# ruff: noqa: TC001, TC003, ARG002  # annotations are read at run time; verbs take what they are given

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Annotated, Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import Field

from simwarden.errors import ManagementError
from simwarden.model.identity import Imei
from simwarden.model.values import IMEI, IMSI, SWITCH, members, one_of
from simwarden.operations.element import Element
from simwarden.operations.management import Call, Role, route
from simwarden.policy import Control, Ruling
from simwarden.runtime.declare import Declaration, ElementConfig, Model, Names, Observable, VerbModel, verb
from simwarden.runtime.link import Link
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult
from simwarden.scenario.runner import RunOptions, run_scenario

Pipes = tuple[Annotated[str, Names("pipe")], ...]


class Cause(enum.IntEnum):
    NO_REASON = 0
    ILLEGAL_ME = 6


def _bound(imei: str, bound: str) -> Ruling:
    return (
        Ruling.admit("bound", seen=imei)
        if imei == bound
        else Ruling.refuse("other terminal", expected=bound, seen=imei)
    )


BOUND = Control("bind.hss.learned", "bind.hss.learned", _bound, ("attach",))
OWNER = Control(
    "bind.operator", "bind.operator", lambda role: Ruling(role == "operator", f"asked by {role}"), ("bind",)
)


class GateBinding(Model):
    by: Literal["gate"]
    learn: Literal["first-use", "never"] = "never"
    imei: str = ""


class SimBinding(Model):
    by: Literal["sim"]


class GateConfig(ElementConfig):
    delay: float = 0.0
    cause: Cause = Cause.ILLEGAL_ME


_TABLES = sa.MetaData()
BINDINGS = sa.Table("bindings", _TABLES, sa.Column("imsi", sa.String, primary_key=True), sa.Column("imei", sa.String))


class Gate(Element[GateConfig]):
    declaration = Declaration(
        kind="gate",
        title="Gate",
        lane=80,
        config=GateConfig,
        listens=("S1-MME",),
        card={"binding": GateBinding},
        observables=(
            Observable("binding", "what is bound", fields={"imsi": IMSI, "imei": IMEI}, kept=True),
            Observable("open", "whether it is open", values=SWITCH),
        ),
        controls=(BOUND, OWNER),
    )

    async def start(self) -> None:
        self.engine = self.site.open_store(_TABLES)
        self.learn: dict[str, str] = {}
        await self.site.listen("S1-MME", self.accept)
        self.site.observe("open", "yes")

    async def stop(self) -> None:
        self.site.observe("open", "no")

    @route("PUT", "/cards/{imsi}")
    async def put(self, call: Call) -> None:
        for entry in call.body["sections"].get("binding", []):
            binding = GateBinding.model_validate(entry)
            self.learn[call.path["imsi"]] = binding.learn
            if binding.imei:
                self.bind(call.path["imsi"], binding.imei)

    @route("PUT", "/cards/{imsi}/binding", roles=(Role.OPERATOR, Role.CUSTOMER))
    async def rebind(self, call: Call) -> str:
        if not self.site.decide(OWNER, call.path["imsi"], on="bind", role=call.role.value).admitted:
            raise ManagementError(403, "only the operator binds")
        self.bind(call.path["imsi"], call.body["imei"])
        return "bound"

    def bind(self, imsi: str, imei: str) -> None:
        with self.engine.begin() as db:
            db.execute(BINDINGS.delete().where(BINDINGS.c.imsi == imsi))
            db.execute(BINDINGS.insert().values(imsi=imsi, imei=imei))
        self.site.observe("binding", {"imsi": imsi, "imei": imei}, key=imsi)

    def accept(self, link: Link) -> None:
        link.on_receive = lambda data, _stream: self.site.spawn(self.serve(link, data)) and None  # type: ignore[assignment]

    async def serve(self, link: Link, data: bytes) -> None:
        if data == b"crash":
            raise KeyError("crashed")
        imsi, imei = data.decode().split()
        await self.site.clock.sleep(self.config.delay)
        with self.engine.begin() as db:
            bound = db.execute(sa.select(BINDINGS.c.imei).where(BINDINGS.c.imsi == imsi)).scalar()
        if bound is None and self.learn.get(imsi) == "first-use":
            self.bind(imsi, imei)
            bound = imei
        decision = self.site.decide(BOUND, imsi, on="attach", imei=imei, bound=bound or imei)
        link.send(b"0" if decision.admitted else b"%d" % self.config.cause)


class SimConfig(ElementConfig):
    form: str = "plug-in"


class Sim(Element[SimConfig]):
    declaration = Declaration(
        kind="sim",
        title="Card",
        lane=0,
        config=SimConfig,
        instances="cards",
        card={"binding": SimBinding},
        observables=(Observable("imsi", "its IMSI"),),
    )

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    @route("PUT", "/cards/{imsi}")
    async def put(self, call: Call) -> None:
        self.site.observe("imsi", call.path["imsi"])


class PipeConfig(ElementConfig):
    type: Literal["module", "handset"] = "module"
    imei: str = ""
    gate: Annotated[str, Names("gate")] = "gate"
    gates: dict[Annotated[str, Names("element")], Pipes] = Field(default_factory=dict)

    @classmethod
    def identities(cls, given: Mapping[str, Any], number: int) -> Mapping[str, str]:
        return {"imei": str(given.get("imei") or Imei(f"990001010000{number:02d}").imei)}


class Insert(VerbModel):
    target = "into"
    card: Annotated[str, Names("sim")]
    into: Annotated[str, Names("pipe")]


class Power(VerbModel):
    shorthand = "pipe"
    target = "pipe"
    pipe: Annotated[str, Names("pipe")]


class Pipe(Element[PipeConfig]):
    declaration = Declaration(
        kind="pipe",
        title="Terminal",
        lane=10,
        config=PipeConfig,
        instances="devices",
        starts_after=("gate",),
        calls=("S1-MME",),
        observables=(
            Observable("attach", "state", values=one_of("accepted", "rejected", "none")),
            Observable("emm_cause", "cause", values=members(Cause)),
        ),
    )
    inserted = ""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    @verb()
    async def insert(self, arguments: Insert) -> str:
        """Put a card into the terminal."""
        self.inserted = arguments.card
        return "inserted"

    @verb("accepted", "rejected", "refused")
    async def power_on(self, arguments: Power) -> str:
        """Switch on and attach."""
        link = await self.site.connect("S1-MME", self.config.gate)
        answer = self.site.host.loop.create_future()
        link.on_receive = lambda data, _stream: answer.set_result(data)
        card: Any = self.site.host.elements[self.inserted]
        link.send(f"{await imsi_of(card)} {self.config.imei}".encode())
        outcome = "accepted" if await answer == b"0" else "rejected"
        self.site.clock.call_later(2.0, lambda: self.site.observe("emm_cause", Cause(int(answer.result()))))
        self.site.observe("attach", outcome)
        return outcome

    @verb()
    async def hang(self, arguments: Power) -> None:
        """Never return."""
        while True:
            pass

    @verb()
    async def wait_for_nothing(self, arguments: Power) -> None:
        """Wait for what never comes."""
        await self.site.host.loop.create_future()

    @verb()
    async def crash(self, arguments: Power) -> None:
        """Make the gate crash."""
        (await self.site.connect("S1-MME", self.config.gate)).send(b"crash")

    @verb()
    async def pretend(self, arguments: Power) -> None:
        """Show a refusal that nobody decided."""
        self.site.observe("attach", "rejected")


async def imsi_of(card: Sim) -> str:
    states = [
        e
        for e in card.site.trace.events
        if getattr(e, "observable", "") == "imsi" and getattr(e, "element", "") == card.site.name
    ]
    return str(states[-1].value)  # type: ignore[attr-defined]


@pytest.fixture
def registry() -> Registry:
    return Registry([Sim, Pipe, Gate])


@pytest.fixture
def loader(registry: Registry) -> Loader:
    return Loader(registry)


HEAD = """\
scenario: A story
cards:
  card: {binding: {by: gate, learn: first-use}}
devices:
  meter: {type: module}
  phone: {type: handset}
"""


@pytest.fixture
def play(loader: Loader) -> Callable[..., ScenarioResult]:
    """Run steps on the toys."""

    def run(steps: str, head: str = HEAD, **options: Any) -> ScenarioResult:
        text = head + "steps:\n" + dedent(steps)
        return run_scenario(loader.load("story.yaml", text), "story", RunOptions(**options))

    return run


@pytest.fixture
def errors(loader: Loader) -> Callable[..., list[str]]:
    """Return the errors of a file."""

    def found(steps: str, head: str = HEAD) -> list[str]:
        from simwarden.scenario.problems import ScenarioErrors

        with pytest.raises(ScenarioErrors) as caught:
            loader.load("story.yaml", head + "steps:\n" + dedent(steps))
        return [str(problem) for problem in caught.value.problems]

    return found
