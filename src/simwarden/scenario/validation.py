"""Parts of a file checked by the models that elements declare, with pydantic's errors put in our words and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

M = TypeVar("M", bound=BaseModel)


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
        for each in error.errors(include_url=False):
            if not _is_other_form(each):
                _report(model, {**each, "loc": _steps(data, each["loc"])}, spot, problems, tuple(also), what)
    return None


def _is_other_form(error: ErrorDetails) -> bool:
    """Whether a mapping was tried as the text that might stand in its place: what is wrong with it is told beside."""
    return error["type"] == "string_type" and error["loc"][-1:] == ("str",) and isinstance(error["input"], dict)


def _steps(data: Any, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the way to an error without the names of forms that pydantic puts between, which no file has."""
    found: list[str | int] = []
    value = data
    for place, step in enumerate(loc):
        last = place == len(loc) - 1
        if isinstance(value, dict) and (step in value or last):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(step, str) and not last:
            continue
        found.append(step)
    return tuple(found)


def _report(  # noqa: PLR0917 - the arguments of check, and an error
    model: type[BaseModel], error: ErrorDetails, spot: Spot, problems: Problems, also: tuple[str, ...], what: str
) -> None:
    steps = tuple(error["loc"])
    here = spot.join(steps)
    name = str(steps[-1]) if steps else ""
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        around = _model_at(model, steps[:-1])
        known = [*(around.model_fields if around else ()), *(also if around is model else ())]
        problems.unknown(what, name, known, here.key)
    elif kind == "missing":
        problems.add(f"{what} {name!r} is missing", spot.join(steps[:-1]).place)
    elif kind in ("literal_error", "enum"):
        words = _words(str(error.get("ctx", {}).get("expected", "")))
        problems.add(f"{name}: {short(given)} is not one of {', '.join(words)}", here.place, _only_near(given, words))
    else:
        said = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        text = said if kind == "value_error" else f"{said}, not {short(given)}"
        problems.add(f"{name}: {text}" if name else text, here.place)


def _words(expected: str) -> list[str]:
    return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",") if word.strip(" '")]


def _only_near(given: Any, words: list[str]) -> str:
    hint = guess(str(given), words)
    return hint if hint.startswith("did you") else ""


def short(value: Any) -> str:
    """Show a value of a file in a few words."""
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value) if value != "" else "nothing"


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
