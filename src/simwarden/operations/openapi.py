"""The OpenAPI document of an element's management interface, made of what its routes declare."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

import simwarden

if TYPE_CHECKING:
    from simwarden.operations.element import Element
    from simwarden.operations.management import Role, Route

    Mode = Literal["validation", "serialization"]

_REF = "#/components/schemas/{model}"
_JSON = "application/json"


class Error(BaseModel):
    """What stands in every answer that is an error."""

    status: int = Field(description="The HTTP status.")
    code: str = Field(description="What kind of error it is, for programs.")
    message: str = Field(description="What is wrong, for a person.")


def document(kind: type[Element[Any]], role: Role | None = None) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an element type: of all its routes, or of those that a role may call."""
    routes = [each for each in kind.routes if each.public and (role is None or role in each.roles)]
    schemas, components = _schemas(routes)
    paths: dict[str, Any] = {}
    for each in routes:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    title = f"{kind.declaration.title}: management"
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": simwarden.__version__, "description": _about(role)},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _about(role: Role | None) -> str:
    whom = f"What the {role.value} may call." if role is not None else "`x-roles` tells who may call an operation."
    return f"{whom} Callers are told apart by bearer tokens. Errors have one form, `Error`."


def _schemas(routes: list[Route]) -> tuple[dict[tuple[Any, Mode], Any], dict[str, Any]]:
    """Return the schema of each model of the routes by model and mode, and the definitions that they refer to."""
    inputs: dict[tuple[Any, Mode], TypeAdapter[Any]] = {(Error, "serialization"): TypeAdapter(Error)}
    for each in routes:
        for model in (each.takes, *dict(each.types).values()):
            if model is not None:
                inputs[model, "validation"] = TypeAdapter(model)
        if each.gives not in (None, type(None)):
            inputs[each.gives, "serialization"] = TypeAdapter(each.gives)
    listed = [(key, key[1], adapter) for key, adapter in inputs.items()]
    schemas, definitions = TypeAdapter.json_schemas(listed, ref_template=_REF)
    return {key: schema for (key, _), schema in schemas.items()}, definitions.get("$defs", {})


def _operation(route: Route, schemas: dict[tuple[Any, Mode], Any]) -> dict[str, Any]:
    summary, _, more = route.doc.partition("\n")
    found: dict[str, Any] = {
        "operationId": route.handler,
        "summary": summary,
        "x-roles": sorted(role.value for role in route.roles),
        "parameters": [_place(name, dict(route.types), schemas) for name in route.places] + _query(route),
        "responses": _responses(route, schemas),
    }
    if more.strip():
        found["description"] = re.sub(r"\n +", "\n", more.strip())
    if route.takes is not None:
        needed = any(each.is_required() for each in route.takes.model_fields.values())
        content = {_JSON: {"schema": schemas[route.takes, "validation"]}}
        found["requestBody"] = {"required": needed, "content": content}
    return found


def _place(name: str, types: dict[str, Any], schemas: dict[tuple[Any, Mode], Any]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    schema = schemas[types[name], "validation"] if name in types else text
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(route: Route) -> list[dict[str, Any]]:
    """Return the parameters of a query, each of which is a property of its model."""
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=_REF)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": each.pop("description", ""),
            "schema": each,
        }
        for name, each in schema["properties"].items()
    ]


def _responses(route: Route, schemas: dict[tuple[Any, Mode], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if route.gives is type(None):
        found["204"] = {"description": "Done."}
    else:
        schema = schemas.get((route.gives, "serialization"), {})
        found["200"] = {"description": "Done.", "content": {_JSON: {"schema": schema}}}
    error = {_JSON: {"schema": schemas[Error, "serialization"]}}
    for status in _statuses(route):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": error}
    return found


def _statuses(route: Route) -> list[int]:
    """Return the statuses of errors that a call of a route may get."""
    found = {400, 401, 403, 429, 503, *route.errors}
    if route.takes is not None:
        found |= {413, 415}
    if route.places:
        found.add(404)
    return sorted(found)
