"""The JSON Schema of scenario files, assembled from what the elements declare.

YAML in an editor has types that simwarden does not use (it reads every scalar as a string), so the schema takes a
number where a text is meant, and a word where a switch is.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from simwarden.model.interfaces import INTERFACES
from simwarden.model.profile import use_names
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import UtcOffset, Verb
from simwarden.runtime.transport.choose import NAMES
from simwarden.scenario.case_steps import NAME
from simwarden.scenario.decision_words import DecisionModel
from simwarden.scenario.document import NO_ANSWER
from simwarden.scenario.during import ALTER, AT_ONCE, LASTING
from simwarden.scenario.event_fields import ANSWER, events_of
from simwarden.scenario.identities import MOST, CardKeys
from simwarden.scenario.load import Header
from simwarden.scenario.messages import spoken_names
from simwarden.scenario.network import SERVICES, TRANSPORT, UTC_OFFSET
from simwarden.scenario.parameters import WITH
from simwarden.scenario.schema_parameters import PARAMETER, parameter_keys, with_parameters
from simwarden.scenario.schema_values import (
    DURATION,
    EXTERNAL,
    IDENTITIES,
    INTERFACE_NAMES,
    IP,
    SCALAR,
    SOURCE,
    SWITCH,
    WHOLE,
    duration,
    one_of,
    value,
)
from simwarden.scenario.steps import (
    BESIDE,
    CORE_VERBS,
    DURING,
    METHODS,
    POWER,
    STATUSES,
    FailModel,
    ManageModel,
    may_end,
)
from simwarden.scenario.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic import BaseModel

    from simwarden.runtime.declare import Declaration, Observable, VerbModel
    from simwarden.scenario.registry import Registry

_TEXT = ["string", "number", "boolean"]
_COUNT = {
    "type": ["integer", "string"],
    "minimum": 1,
    "maximum": MOST,
    "description": WORDS["count"].doc,
}
_TIMES = _COUNT | {"description": WORDS["times"].doc}
#: what pydantic calls bounds of a type that has a reader of its own
_KEYWORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
#: the verbs of no element that have arguments
_CORE: dict[str, type[VerbModel]] = {"fail": FailModel, "manage": ManageModel}


def scenario_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) for the elements of a registry."""
    return _Assembly(registry).schema()


class _Assembly:
    """Collects the models' schemas as definitions and builds the rest around them."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        models: list[type[BaseModel]] = [Header, CardKeys, DecisionModel, *_CORE.values()]
        for each in registry.kinds.values():
            models += [each.declaration.config, *each.declaration.card.values()]
            models += [verb.arguments for verb in each.all_verbs().values()]
        unique = list(dict.fromkeys(models))
        refs, top = models_json_schema([(model, "validation") for model in unique], ref_template="#/$defs/{model}")
        self.definitions: dict[str, Any] = _with_names(_loosen(top.get("$defs", {})))
        self.names = {model: refs[model, "validation"]["$ref"].rpartition("/")[2] for model in unique}

    def fields(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the properties of a model."""
        found: dict[str, Any] = self.definitions[self.names[model]].get("properties", {})
        return found

    def schema(self) -> dict[str, Any]:
        """Return the whole."""
        properties = {**self.fields(Header), "network": self.network(), "steps": self.steps()}
        properties["proves"] = {
            "type": "array",
            "items": {"enum": list(requirements())},
            "description": "Ids of the requirements that this scenario proves.",
        }
        for section, kind in self.registry.sections.items():
            entry = self.card() if section == "cards" else self._config(self.registry.declaration(kind))
            entry["properties"] = {**entry["properties"], "count": _COUNT}
            properties[section] = {"type": ["object", "null"], "additionalProperties": entry}
        top = with_parameters(
            {
                "type": "object",
                "properties": properties,
                "required": ["scenario", "steps"],
                "additionalProperties": False,
                "$defs": self.definitions,
            }
        )
        top["properties"] |= parameter_keys(top["properties"])
        top["$defs"]["parameter"] = PARAMETER
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "simwarden scenario", **top}

    def _config(self, declaration: Declaration) -> dict[str, Any]:
        properties = self.fields(declaration.config)
        description = declaration.title
        return _object(properties, description)

    def network(self) -> dict[str, Any]:
        """Return the schema of `network`: each standing element by name, others by type."""
        words = {"enum": list(NAMES)}
        services = {
            "enum": sorted({name for each in self.registry.kinds.values() for name in each.declaration.services})
        }
        known: dict[str, Any] = {
            TRANSPORT: {
                "anyOf": [words, {"type": "object", "propertyNames": INTERFACE_NAMES, "additionalProperties": words}]
            },
            UTC_OFFSET: TypeAdapter(UtcOffset).json_schema(),
            SERVICES: {"anyOf": [services, {"type": "array", "items": services}]},
        }
        added: list[dict[str, Any]] = []
        another = {"$ref": "#/$defs/element"}
        self.definitions["element"] = {"anyOf": added}
        for kind in self.registry.kinds:
            declaration = self.registry.declaration(kind)
            if not declaration.instances:
                own = {"type": {"enum": [kind]}, "external": EXTERNAL, "address": IP, "source": SOURCE}
                element = _object({**self.fields(declaration.config), **own}, declaration.title)
                known[kind] = {"anyOf": [element, {"enum": ["off", "on", False, True]}, another]}
                added.append({**element, "type": "object", "required": ["type"]})
        return {"type": ["object", "null"], "properties": known, "additionalProperties": another}

    def card(self) -> dict[str, Any]:
        """Return the schema of one card."""
        declaration = self.registry.declaration(self.registry.sections["cards"])
        properties = {**self.fields(declaration.config), **self.fields(CardKeys)}
        for name in ("use", "profile"):
            properties[name] = {"enum": ["", *use_names()], "description": properties[name].get("description", "")}
        for section, offered in self.registry.card_sections.items():
            choices = [{"$ref": f"#/$defs/{self.names[each.model]}"} for each in offered]
            one = choices[0] if len(choices) == 1 else {"anyOf": choices}
            properties[section] = {"anyOf": [one, {"type": "array", "items": one}]}
        return _object(properties, declaration.title)

    # -- steps

    def steps(self) -> dict[str, Any]:
        """Return the schema of `steps`."""
        verbs = {name: self._verb([verb for _, verb in found]) for name, found in self.registry.verbs.items()}
        verbs["wait"] = duration(CORE_VERBS["wait"])
        verbs |= {name: {"type": "string", "description": CORE_VERBS[name]} for name in POWER}
        verbs["mend"] = {"type": "string", "description": CORE_VERBS["mend"]}
        paths = {route.path for kind in self.registry.kinds.values() for route in kind.routes}
        pattern = f"^({'|'.join(map(_as_pattern, sorted(paths)))})(\\?.*)?$"
        self.definitions["path"] = {"type": "string", "pattern": pattern}
        self.fields(ManageModel).update({method: {"$ref": "#/$defs/path"} for method in METHODS})
        one_method = {"oneOf": [{"required": [each]} for each in METHODS]}
        self.definitions[self.names[ManageModel]] |= {"if": {"not": {"required": [WITH]}}, "then": one_method}
        verbs |= {name: self._verb([Verb(name, each, CORE_VERBS[name])]) for name, each in _CORE.items()}
        one = {"type": "object", "properties": dict(verbs), "additionalProperties": False, "maxProperties": 1}
        verbs["together"] = {"type": "array", "items": one, "minItems": 2, "description": CORE_VERBS["together"]}
        subjects = self._subjects()
        judged = {
            "expect": {"anyOf": [subjects, {"type": _TEXT}], "description": WORDS["expect"].doc},
            "never": {"anyOf": [subjects, {"type": "string"}], "description": WORDS["never"].doc},
        }
        beside: dict[str, Any] = {key: duration(WORDS[key].doc) for key in BESIDE if key != NAME}
        beside[NAME] = {"type": "string", "description": WORDS[NAME].doc}
        beside[DURING] = self._during(one)
        step = {
            "type": "object",
            "properties": {**verbs, **judged, **beside},
            "additionalProperties": False,
            "minProperties": 1,
            "dependentSchemas": self._one_verb(verbs, (*judged, *beside), subjects),
        }
        self.definitions["step"] = step
        choices = [{"$ref": "#/$defs/step"}, {"enum": sorted(self.registry.verbs)}]
        return {"type": "array", "minItems": 1, "items": {"anyOf": choices}}

    def _one_verb(self, verbs: Collection[str], others: Collection[str], subjects: dict[str, Any]) -> dict[str, Any]:
        """Return what a verb demands of its step: no other verb in it, and one of its outcomes, if it has some."""
        words: dict[str, list[str]] = {
            name: [word for kind, each in found for word in may_end(self.registry, kind, each)]
            for name, found in self.registry.verbs.items()
            if all(each.outcomes for _, each in found)
        }
        words["manage"] = [*STATUSES, NO_ANSWER]
        demands: dict[str, dict[str, Any]] = {}
        for name in verbs:
            demands[name] = {"propertyNames": {"enum": [name, *others, WITH]}}
            if name in words:
                text = {"type": "string", "pattern": one_of(words[name]), "examples": words[name]}
                numbers = {"enum": [int(word) for word in words[name] if word.isdecimal()]}
                demands[name]["properties"] = {"expect": {"anyOf": [subjects, text, numbers]}}
        return demands

    @staticmethod
    def _during(verb: dict[str, Any]) -> dict[str, Any]:
        mishaps = {word: duration() for word in LASTING} | {word: {"enum": ["", "yes", True]} for word in AT_ONCE}
        mishaps[ALTER] = {"type": "object", "minProperties": 1}
        mishap = {"type": "object", "properties": mishaps, "additionalProperties": False, "maxProperties": 1}
        alone = {"enum": [*AT_ONCE, *verb["properties"]]}
        choices = [verb, mishap, alone, {"type": "array", "items": {"anyOf": [verb, alone]}, "minItems": 1}]
        number = {"type": ["integer", "string"], "minimum": 1, "maximum": 9999, "pattern": r"^0*[1-9]\d{0,3}$"}
        properties = {
            "before": {"enum": _messages(), "description": WORDS["before"].doc},
            "nth": {**number, "description": WORDS["nth"].doc},
            "do": {"anyOf": choices, "description": WORDS["do"].doc},
        }
        one = {"type": "object", "properties": properties, "additionalProperties": False, "required": ["before", "do"]}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}], "description": WORDS[DURING].doc}

    def _verb(self, verbs: list[Verb]) -> dict[str, Any]:
        choices: list[dict[str, Any]] = []
        for verb in verbs:
            choices.append({"$ref": f"#/$defs/{self.names[verb.arguments]}"})
            if verb.arguments.shorthand:
                choices.append({"type": _TEXT})
        if all(not info.is_required() for info in verbs[0].arguments.model_fields.values()):
            choices.append({"type": "null"})
        return {"anyOf": choices, "description": verbs[0].doc}

    def _subjects(self) -> dict[str, Any]:
        occasions = {
            str(word) for pairs in self.registry.controls.values() for _, each in pairs for word in each.occasions
        }
        words = {"control": {"enum": list(self.registry.controls)}, "on": {"enum": sorted(occasions)}}
        decision = _object({**self.fields(DecisionModel), **words}, "A decision of a control.")
        properties: dict[str, Any] = {
            "decision": _some({"$ref": "#/$defs/decision"}),
            "within": duration("How long it may take: `10 s`."),
        }
        self.definitions["decision"] = decision
        facts = {kind: f"facts-{kind}" for kind in self.registry.kinds}
        self.definitions |= {name: self._facts(self.registry.declaration(kind)) for kind, name in facts.items()}
        refs = {kind: {"$ref": f"#/$defs/{name}"} for kind, name in facts.items()}
        an_outcome = {"$ref": "#/$defs/decision"}  # with whose decision it is: `expect: {forbidden: {by: ...}}`
        self.definitions["facts"] = {"anyOf": [*refs.values(), an_outcome]}
        for kind in self.registry.kinds:
            declaration = self.registry.declaration(kind)
            if not declaration.instances:
                properties[kind] = refs[kind]
        self.definitions["subjects"] = {
            "type": "object",
            "properties": properties,
            "patternProperties": {r"\.": True},
            "propertyNames": {"anyOf": [{"pattern": r"^[^.]*$"}, {"enum": _messages()}]},
            "additionalProperties": {"$ref": "#/$defs/facts"},
            "minProperties": 1,
        }
        return {"$ref": "#/$defs/subjects"}

    def _facts(self, declaration: Declaration) -> dict[str, Any]:
        told = {name: _told(name) for name in events_of(declaration.records)}
        return _object(
            told | {each.name: self._observable(each) for each in declaration.observables}, declaration.title
        )

    @staticmethod
    def _observable(observable: Observable) -> dict[str, Any]:
        if not observable.record:
            return {
                **_some(value(observable.values)),
                "description": observable.doc,
                "examples": list(observable.values.words),
            }
        fields: dict[str, Any] = {name: _some(value(values)) for name, values in observable.fields.items()}
        fields |= {"card": SCALAR, "device": SCALAR}
        fields |= {name: {"type": "object"} for name, values in observable.fields.items() if values.inside}
        record = _object({"times": _TIMES} | fields, observable.doc)
        return {"anyOf": [record, {"type": "array", "items": record}, {"enum": ["none", "absent", "any"]}]}


def _told(name: str) -> dict[str, Any]:
    """Return the schema of the answers, CDRs or flow records expected of an element; their fields are `validate`'s."""
    status = {"status": {"enum": [*STATUSES, *(int(each) for each in STATUSES if each.isdecimal())]}}
    one = {
        "type": "object",
        "properties": {"times": _TIMES, **(status if name == ANSWER else {})},
    }
    words = [] if name == ANSWER else [{"enum": ["none", "absent", "any"]}]
    return {"anyOf": [one, {"type": "array", "items": one}, *words], "description": WORDS[name].doc}


def _some(one: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _messages() -> list[str]:
    """Return the messages that can be expected, as files write them: `s6a.update-location-answer`."""
    return sorted(f"{name.lower()}.{each}" for name in INTERFACES for each in spoken_names(name))


def _as_pattern(path: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(path))


def _object(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
        "description": description,
    }


def _loosen(schema: Any) -> Any:
    """Take what YAML makes of an unquoted scalar wherever a model takes a text that it reads as such."""
    if isinstance(schema, list):
        return [taken for each in schema if (taken := _loosen(each)) is not None]
    if not isinstance(schema, dict):
        return schema
    loose: dict[str, Any] = {
        _KEYWORDS.get(str(key), str(key)): _loosen(each)
        if key != "properties"  # whose keys are names, also where they read as keywords
        else {name: _loosen(one) for name, one in each.items()}
        for key, each in schema.items()
        if key not in ("default", "title")
    }
    if schema.get("type") == "string":
        if "enum" not in schema and "const" not in schema:
            loose["type"] = _TEXT
    elif schema.get("type") == "null":
        return None  # what a file leaves empty reads as a text of no characters
    elif schema.get("type") in ("integer", "number", "boolean"):
        loose |= {"type": [schema["type"], "string"], **_written(loose)}
    if isinstance(named := loose.get("properties"), dict):
        named |= {
            name: named[name] | IDENTITIES[name]
            for name in IDENTITIES.keys() & named.keys()
            if named[name].get("type") == _TEXT
        }
    return loose


def _written(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a number must be like where it is written as a text."""
    if schema["type"] == "boolean":
        return SWITCH
    if schema["type"] == "integer" and "enum" not in schema:
        return WHOLE
    if schema["type"] == "number" and schema.get("minimum") == 0:
        return DURATION  # numbers with a fraction that have no other unit are durations: a test holds that
    return {}


def _with_names(definitions: dict[str, Any]) -> dict[str, Any]:
    """Let a numbered enumeration be written by its names too, as fields that hold one take them."""
    for name, definition in definitions.items():
        numbers = definition.get("enum", ())
        for each in enum.IntEnum.__subclasses__():
            if each.__name__ == name and [int(member) for member in each] == numbers:
                definition["enum"] = [*numbers, *(member.name for member in each)]
    return definitions
