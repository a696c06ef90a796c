"""`simwarden live`: the page on a socket, until Ctrl-C."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import uvicorn

from simwarden.errors import ConfigError
from simwarden.web.doors import Doors
from simwarden.web.engine import Engine
from simwarden.web.server import Live, Pages

if TYPE_CHECKING:
    from collections.abc import Callable


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
    await engine.start()
    live = Live(engine)
    doors = Doors(Pages(live).application(), host)
    config = uvicorn.Config(doors, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    beginning = asyncio.create_task(live.tell_anew())
    name = f"[{host}]" if ":" in host else host
    told(f"http://{name}:{sock.getsockname()[1]}/", doors.token)
    try:
        await uvicorn.Server(config).serve(sockets=[sock])
    finally:
        beginning.cancel()
        await engine.close()
