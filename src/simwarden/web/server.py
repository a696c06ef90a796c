"""The live page over HTTP: the page, what happens as server-sent events, and what a person does as POST.

All browsers see one network. What has happened in it is kept as it was told, so that one that comes later, or was
away, is told all of it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import socket
import zipfile
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from simwarden.errors import ConfigError, ManagementError
from simwarden.operations.jsonbody import parse, read_octets
from simwarden.scenario.report.page import asset, document, packed
from simwarden.web.doors import Doors
from simwarden.web.engine import Engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from starlette.requests import Request

_OWN = "simwarden.web"
#: seconds between two moments of use that goes on, and how many of them there are at most without anybody acting
_PACE, _MOST = 1.0, 600
#: seconds after which a stream says that it is still there
_ALIVE = 15.0
#: octets of the largest body of a request, and of the largest recorded page; and cards of the largest fleet
LARGEST, LARGEST_PAGE, LARGEST_FLEET = 1 << 16, 2_000_000, 10_000
#: files of what was done
FILES = ("story.zip", "capture.pcapng", "report.html", "recorded.html")


class Live:
    """One network for all browsers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: what has happened in this network, as JSON of an event each
        self.told: list[str] = []
        self._network = 0
        #: held from a question until all of its answer is told: what a page hears is in the order in which it happened
        self._turn = asyncio.Lock()
        self._heard = asyncio.Condition()
        #: how many events what takes long has come to; 0: nothing takes long
        self._done = 0
        engine.heard = self._hear
        #: the use that goes on; none is cancelled, since the engine answers what it was asked
        self._using: asyncio.Task[None] | None = None

    async def _hear(self, done: int) -> None:
        self._done = done
        async with self._heard:
            self._heard.notify_all()

    async def begin(self, fleet: int = 0) -> dict[str, Any]:
        """Begin with a new network; `fleet` is how many cards it has more."""
        self._using = None
        self._engine.interrupt()
        async with self._turn:
            await self._begin(fleet)
            return self._so_far()

    async def _begin(self, fleet: int = 0) -> None:
        begun = await self._engine.ask("begin", fleet=fleet)
        if "error" in begun:  # who has no patience ended what began
            begun = await self._engine.ask("begin", fleet=0)
        self._network += 1
        self.told.clear()
        await self._tell({"begin": begun, "off": [], "stolen": {}})

    def _so_far(self) -> dict[str, Any]:
        """Return up to which event a page has to have heard what it did."""
        return {"at": [self._network, len(self.told)]}

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Have the engine do something, and tell all of it; return why it makes no sense, if it does not."""
        async with self._turn:
            said = await self._engine.ask(what, **more)
            await self._hear(0)
            if "ended" in said:
                await self._begin()
            if "told" in said:
                said = {"told": await self._tell_of(said, goes_on=what == "use")}
            return said | self._so_far()

    async def _tell_of(self, said: dict[str, Any], *, goes_on: bool) -> int:
        """Tell what was done, or of how things stand alone; return how much that was."""
        told = said.pop("told")
        for each in told or [{}]:
            await self._tell({**each, **said, **({"use": True} if goes_on else {})})
        if not said["goes_on"]:
            self._using = None
        elif not goes_on:
            self._using = asyncio.create_task(self._use())
        return len(told)

    async def _use(self) -> None:
        """Let use go on that a rule refuses, a moment each second, so that one sees what a control is worth."""
        for _ in range(_MOST):
            await asyncio.sleep(_PACE)
            if self._using is not asyncio.current_task():
                return
            await self.ask("use")

    async def _tell(self, event: Mapping[str, Any]) -> None:
        self.told.append(json.dumps(event, separators=(",", ":"), ensure_ascii=False))
        await self._hear(0)

    async def stream(self) -> AsyncIterator[str]:
        """Yield all that has happened, and what happens (the event stream format of HTML 9.2.6)."""
        network, place = -1, 0
        while True:
            if network != self._network:
                network, place = self._network, 0
            for each in self.told[place:]:
                place += 1
                yield f"id: {network}.{place}\ndata: {each}\n\n"
            here = (network, place, self._done)
            yield f"event: now\ndata: {self._done}\n\n"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ALIVE), self._heard:
                    while here == (self._network, len(self.told), self._done):
                        await self._heard.wait()

    # -- what is served of it

    def application(self) -> Starlette:
        """Return the application without its doors."""
        routes = [Route("/", self._page), Route("/events", self._events), Route("/act", self._act, methods=["POST"])]
        return Starlette(routes=[*routes, *(Route(f"/{name}", self._file) for name in FILES)])

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(live_page())

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self.stream(), media_type="text/event-stream")

    async def _act(self, request: Request) -> Response:
        try:
            asked = parse(await read_octets(request, LARGEST))
        except ManagementError as error:
            return JSONResponse({"error": str(error)}, error.status)
        match asked:
            case {"step": dict() | str() as step}:
                said = await self.ask("act", step=step if isinstance(step, str) else json.dumps(step))
            case {"control": str(control), "off": bool(off)}:
                said = await self.ask("switch", control=control, off=off)
            case {"begin": int(fleet)} if 0 <= fleet <= LARGEST_FLEET and fleet is not True:
                said = await self.begin(fleet)
            case _:
                said = {"error": "a step, a control with off, or begin is expected"}
        return JSONResponse(said, HTTPStatus.BAD_REQUEST if "error" in said else HTTPStatus.OK)

    async def _file(self, request: Request) -> Response:
        """Answer with a file of what was done so far."""
        name = request.url.path[1:]
        try:
            octets = await self._octets(name.partition(".")[0])
        except ConfigError as error:
            return Response(str(error), HTTPStatus.CONFLICT, media_type="text/plain")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(octets, media_type="application/octet-stream", headers=headers)

    async def _octets(self, what: str) -> bytes:
        """Return a file. Raises ConfigError, which says why there is none."""
        if what == "recorded":
            octets = live_page(self.told).encode()
            if len(octets) > LARGEST_PAGE:
                raise ConfigError("too much has happened for one page: begin anew")
            return octets
        said = await self.ask(what)
        if "story" in said:
            said = await _saved(said["story"])
        if "error" in said:
            raise ConfigError(said["error"])
        return base64.b64decode(said["octets"]) if "octets" in said else _zipped(said)


def live_page(told: Sequence[str] = ()) -> str:
    """Return the page that follows a network; with what was `told`, the one that shows that again without a server.

    What ladder, fields and octets are drawn by is the report's.
    """
    scripts = [asset("parts.js"), asset("ladder.js"), asset("live.js", _OWN)]
    styles = [asset("tokens.css"), asset("ladder.css"), asset("live.css", _OWN)]
    recorded = packed(f"[{','.join(told)}]") if told else ""
    return document(asset("live.html.j2", _OWN), scripts, styles, recorded=recorded)


def _zipped(files: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return stream.getvalue()


async def _saved(story: Mapping[str, Any]) -> dict[str, str]:
    """Have a story made a scenario, by a process of its own (see `saved`)."""
    process = Engine("simwarden.scenario.saved")
    try:
        return await process.ask("save", story=story)
    finally:
        await process.close()


def serve(host: str, port: int, told: Callable[[str, str], None]) -> None:
    """Serve until the process is interrupted; `told` hears the address and the token. Raises ConfigError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{host} port {port} cannot be listened on: {reason}") from error
    with sock:
        asyncio.run(_serve(sock, host, told))


async def _serve(sock: socket.socket, host: str, told: Callable[[str, str], None]) -> None:
    engine = Engine()
    live = Live(engine)
    doors = Doors(live.application(), host)
    config = uvicorn.Config(doors, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    beginning = asyncio.create_task(live.begin())
    name = f"[{host}]" if ":" in host else host
    told(f"http://{name}:{sock.getsockname()[1]}/", doors.token)
    await uvicorn.Server(config).serve(sockets=[sock])
    beginning.cancel()
    await engine.close()
