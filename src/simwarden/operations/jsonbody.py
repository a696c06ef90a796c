"""Bodies from outside that say they are JSON: read strictly, once for all interfaces.

Whatever comes, the outcome is a value that any of our databases can keep and any JSON can say again, or a
ManagementError: 400 for what is no JSON (RFC 8259), 413 for too much, 415 for another kind or another charset.
"""

from __future__ import annotations

import json
import math
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NoReturn

from simwarden.errors import ManagementError

if TYPE_CHECKING:
    from starlette.requests import Request


#: keys of the largest object: what is not known of them is told one by one
_MOST_KEYS = 1000


async def read_octets(request: Request, largest: int) -> bytes:
    """Return a request's body. Raises ManagementError (413), before more than that was taken."""
    too_large = ManagementError(413, f"a body has at most {largest} octets")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:19]) > largest:
        raise too_large
    octets = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            octets += chunk
            if len(octets) > largest:
                raise too_large
    return bytes(octets)


def check_kind(request: Request) -> None:
    """Take `application/json` in UTF-8, as it is. Raises ManagementError (415)."""
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    if kind.strip() != "application/json":
        raise ManagementError(415, "the body must be application/json")
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise ManagementError(415, "the charset of JSON is UTF-8")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise ManagementError(415, "a body is taken without Content-Encoding only")


def parse(octets: bytes) -> Any:
    """Read JSON. Raises ManagementError (400); a key twice in an object is none, for it has no one meaning."""
    try:
        text = octets.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "no UTF-8, a number too long, or too deep"
        raise ManagementError(400, f"the body is no JSON: {reason}") from None
    # A NUL and half a surrogate pair can stand in JSON as escapes only; where there is none nobody has to look.
    if "\\u0000" in text or "\\ud" in text.lower():
        _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    rest = [value]
    while rest:
        found: list[Any] = []
        for each in rest:
            if isinstance(each, dict):
                found += [*each, *each.values()]
            elif isinstance(each, list):
                found += each
            elif isinstance(each, str) and ("\0" in each or any("\ud800" <= sign <= "\udfff" for sign in each)):
                raise ManagementError(400, "the body has a NUL or half a surrogate pair in a text")
        rest = found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        last = {name: place for place, (name, _) in enumerate(pairs)}
        twice = next(name for place, (name, _) in enumerate(pairs) if last[name] != place)
        raise ManagementError(400, f"the body has the key {twice[:64]!a} twice in one object")
    if len(found) > _MOST_KEYS:
        raise ManagementError(400, f"the body has an object of {len(found)} keys; {_MOST_KEYS} are the most")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
