"""What the schema knows of parameters: where `$name` may stand, and the keys of a file that say what it stands for."""

from __future__ import annotations

from typing import Any, Final

from simwarden.scenario.case_steps import ATTACHED
from simwarden.scenario.cases import TWIN_KEYS
from simwarden.scenario.parameters import WITH

#: a text in which something is used
PARAMETER: Final = {"type": "string", "pattern": r"\$[A-Za-z]"}
_USE: Final = {"$ref": "#/$defs/parameter"}
#: keywords whose value is a schema, and those whose values are schemas
_ONE: Final = ("items", "additionalProperties")
_MANY: Final = ("properties", "patternProperties", "dependentSchemas")
_NAMED: Final = {"type": ["object", "null"], "additionalProperties": True}
_WORDS: Final = {"anyOf": [{"type": "array", "items": {"type": ["string", "number", "boolean"]}}, _NAMED]}


def with_parameters(schema: Any) -> Any:
    """Return a schema that takes a parameter in the place of any value, and `with` in any mapping."""
    if isinstance(schema, list):
        return [with_parameters(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _inner(key, value) for key, value in schema.items()}
    if "properties" in made and made.get("additionalProperties") is not True:
        made["properties"][WITH] = _USE
    if "required" in made:
        made["anyOf"] = [{"required": made.pop("required")}, {"required": [WITH]}]
    return made


def _inner(key: str, value: Any) -> Any:
    """Return what stands under a keyword of a schema, with parameters."""
    if key == "$defs":
        return {name: with_parameters(inner) for name, inner in value.items()}
    if key == "anyOf":
        return with_parameters(value)
    if key in _MANY:
        return {name: _or_parameter(inner) for name, inner in value.items()}
    return _or_parameter(value) if key in _ONE else value


def _or_parameter(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = with_parameters(schema)
    told = {"description": made.pop("description")} if "description" in made else {}
    return {"anyOf": [made, _USE], **told}


def parameter_keys(top: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of `set`, `vary`, `exclude`, `given` and `twin`, beside those of the other keys of a file."""
    twin = {key: top[key] for key in TWIN_KEYS if key in top}
    twin |= {"set": {**_NAMED, "maxProperties": 1}, "from": {"type": "string"}}
    twin |= {"without": {"type": ["string", "array"], "items": {"type": "string"}}}
    twin |= {key: {"$ref": f"#/$defs/step/properties/{key}"} for key in ("expect", "never")}
    return {
        "set": {**_NAMED, "description": "Named values: `$name` inserts one."},
        "vary": {
            "type": ["object", "null"],
            "additionalProperties": _WORDS,
            "description": "Axes: each word of one makes a case, `$axis` is what it stands for.",
        },
        "exclude": {"type": "array", "items": _NAMED, "description": "Words of axes that make no case."},
        "given": {
            "type": "object",
            "properties": {ATTACHED: _NAMED},
            "additionalProperties": False,
            "description": "Devices that are attached before the first step, each with its card.",
        },
        "twin": {
            "anyOf": [top["twin"], {"type": "object", "properties": twin, "additionalProperties": False}],
            "description": "The counterpart that must pass: a file, or where it differs from this one.",
        },
    }
