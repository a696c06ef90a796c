"""Management calls to an element in another process: JSON over HTTP, as `operations.http` serves it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simwarden.errors import ConfigError, ManagementError
from simwarden.operations.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Mapping

#: octets of the largest answer taken
_LARGEST = 1 << 24
#: calls to one element at the same time
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the management interface of an element in another process is, and the operator's token for it."""

    url: str
    token: str = field(default="", repr=False)
    timeout: float = 10.0
    """Seconds to wait for an answer."""
    _threads: Threads = field(default_factory=lambda: Threads(_AT_ONCE), repr=False, compare=False)

    async def __call__(self, _caller: str, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """Make a call of the operator's, whose token it is."""
        return await self._threads.run(partial(call, self, method, path, body))


def call(endpoint: Endpoint, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
    """Make one call and wait for its answer (blocks). Raises ManagementError: 503 for no answer, 502 for no JSON."""
    where = urlsplit(endpoint.url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if where.scheme not in kinds or where.hostname is None:
        raise ConfigError(f"{endpoint.url!r} is no http or https URL of a management interface")
    connection = kinds[where.scheme](where.hostname, where.port, timeout=endpoint.timeout)
    headers = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": "application/json"}
    octets = json.dumps(body).encode() if body is not None else b""
    try:
        connection.request(method, where.path.rstrip("/") + path, octets, headers)
        answer = connection.getresponse()
        said = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        raise ManagementError(503, f"{endpoint.url} cannot be reached: {error}") from error
    finally:
        connection.close()
    return _read(answer.status, said)


def _read(status: int, said: bytes) -> Any:
    if not said:
        value: Any = None
    else:
        try:
            value = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise ManagementError(502, f"an answer of status {status} that is no JSON: {error}") from error
    if 200 <= status < 300:
        return value
    reason = value.get("message") if isinstance(value, dict) else None
    raise ManagementError(status, str(reason or f"refused with status {status}"))
