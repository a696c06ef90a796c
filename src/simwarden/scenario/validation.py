"""Parts of a file checked by the models that elements declare, with pydantic's errors put in our words and places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from simwarden.model.units import seconds
from simwarden.scenario.problems import guess, nearest
from simwarden.scenario.secrets import HIDDEN, KEY_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

M = TypeVar("M", bound=BaseModel)
#: what is expected, by the ends of the kinds of errors that pydantic knows
_EXPECTED: Final = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a number",
    "bool": "true or false",
    "string": "a text",
    **dict.fromkeys(("list", "tuple", "set", "frozen_set"), "a list"),
    **dict.fromkeys(("dict", "model", "mapping"), "keys and values"),
}
_BOUNDS: Final = {
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
}


def check(
    model: type[M], data: Any, spot: Spot, problems: Problems, *, also: Iterable[str] = (), what: str = "key"
) -> M | None:
    """Make a model of data read from `spot`, or note every error. `also` are keys allowed beside the model's own."""
    if data == "":
        data = {}
    if not isinstance(data, dict):
        problems.add(f"keys and values are expected here, not {short(data)}", spot.place)
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        for each in found:
            if not (_is_other_form(each, found) or _is_misspelt(each, found) or _is_short_of_others(each, found)):
                _report(model, {**each, "loc": _steps(data, each)}, spot, problems, tuple(also), what)
    return None


def read_seconds(value: Any, spot: Spot, problems: Problems, about: str = "") -> float | None:
    """Return a duration in seconds, or note what is wrong with it; `about` stands before that."""
    if not isinstance(value, str):
        problems.add(f"{about}a duration is expected, not {short(value)}", spot.place)
        return None
    try:
        return seconds(value)
    except ValueError as error:
        problems.add(f"{about}{error}", spot.place)
        return None


def _is_other_form(error: ErrorDetails, among: Iterable[ErrorDetails]) -> bool:
    """Return True if a mapping was tried as the text or word that may stand in its place, beside another error."""
    beside = error["loc"][:-1]
    return _is_of_text(error) and any(
        not _is_of_text(other) and other["loc"][: len(beside)] == beside for other in among
    )


def _is_of_text(error: ErrorDetails) -> bool:
    """Return True if the alternative of a union that takes a text or one of some words was given a mapping."""
    form = str(error["loc"][-1]) if error["loc"] else ""
    return isinstance(error["input"], dict) and (
        (error["type"] == "string_type" and form == "str")
        or (error["type"] == "literal_error" and form.startswith("literal["))
    )


def _is_misspelt(error: ErrorDetails, among: Iterable[ErrorDetails]) -> bool:
    """Whether what is missing is there under a name so much like it that it is told as the one that was meant."""
    *above, name = error["loc"] or ("",)
    return error["type"] == "missing" and any(
        other["type"] == "extra_forbidden"
        and [*other["loc"][:-1]] == above
        and nearest(str(other["loc"][-1]), [str(name)])
        for other in among
    )


def _is_short_of_others(error: ErrorDetails, among: Iterable[ErrorDetails]) -> bool:
    """Whether a list is too short only since pydantic counts none of its parts that are wrong."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in among
    )


def _steps(data: Any, error: ErrorDetails) -> tuple[str | int, ...]:
    """Return the way to an error without the alternatives of unions, which pydantic names and no file has."""
    found: list[str | int] = []
    value = data
    for place, step in enumerate(error["loc"]):
        is_missing = error["type"] == "missing" and place == len(error["loc"]) - 1
        if isinstance(value, dict) and (step in value or is_missing):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(step, str) and not is_missing:
            continue
        found.append(step)
    return tuple(found)


def _report(  # noqa: PLR0917 - the arguments of check, and an error
    model: type[BaseModel], error: ErrorDetails, spot: Spot, problems: Problems, also: tuple[str, ...], what: str
) -> None:
    steps = tuple(error["loc"])
    here = spot.join(steps)
    name = next((str(step) for step in reversed(steps) if isinstance(step, str)), "")
    if name.lower() in KEY_NAMES:
        error = {**error, "input": HIDDEN}
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        around = _model_at(model, steps[:-1])
        own = around.model_fields.items() if around else ()
        known = [*(info.alias or key for key, info in own), *(also if around is model else ())]
        deeper = _deeper(around, name)
        hint = f"did you mean {deeper}?" if deeper and not nearest(name, known, 0.8) else guess(name, known)
        problems.add(f"{what} {name!r} is not known", here.key, hint)
    elif kind == "missing":
        problems.add(f"{what} {name!r} is missing", spot.join(steps[:-1]).place)
    elif kind in ("literal_error", "enum"):
        words = _words(str(error.get("ctx", {}).get("expected", "")))
        told = f"{name}: {short(given)} is not one of {', '.join(words)}"
        problems.add(told, here.place, guess(str(given), words, most=0))
    else:
        text = _said(error)
        problems.add(f"{name}: {text}" if name else text, here.place)


def _said(error: ErrorDetails) -> str:
    """Return what is wrong in our words; in those of the model where it says so itself."""
    kind, context = error["type"], error.get("ctx", {})
    expected = _EXPECTED.get(re.sub(r"_(type|parsing|from_float|parsing_size|attributes_type)$", "", kind), "")
    expected = expected or _BOUNDS.get(kind, "").format_map(context)
    said = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind in ("value_error", "assertion_error"):
        return re.sub("does not appear to be an IPv4 or IPv6 (address|network)", r"is no IP \1", said)
    verb = "are" if expected == _EXPECTED["dict"] else "is"
    return f"{f'{expected} {verb} expected' if expected else said}, not {short(error['input'])}"


def _words(expected: str) -> list[str]:
    return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",") if word.strip(" '")]


def short(value: Any) -> str:
    """Show a value of a file in a few words."""
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value) if value != "" else "nothing"


def _deeper(model: type[BaseModel] | None, name: str) -> str:
    """Return the way to a key of a part of a model that is very much like a name, or an empty string."""
    parts = {key: _inner(each.annotation) for key, each in model.model_fields.items()} if model else {}
    inside = [(key, each) for key, part in parts.items() if part for each in part.model_fields]
    near = nearest(name, [each for _, each in inside], 0.8)
    return " or ".join(f"{key}: {{{each}: ...}}" for key, each in inside if each == near)


def _model_at(model: type[BaseModel], steps: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the model in which an error lies, as far as the path tells; None where it does not."""
    found: type[BaseModel] | None = model
    for step in steps:
        if found is None:
            return None
        if isinstance(step, str) and step in found.model_fields:
            found = _inner(found.model_fields[step].annotation)
    return found


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner(argument)
        if inner is not None:
            return inner
    return None
