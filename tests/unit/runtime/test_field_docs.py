"""What a field means is read from the docstring below it."""

from __future__ import annotations

from simwarden.runtime.declare import Model, field_docs


class Base(Model):
    """A base."""

    number: int = 0
    """How many."""
    silent: str = ""


class Derived(Base):
    """Changes one field and adds another."""

    number: int = 1
    """How many of these.

    At least one."""
    inner: Base = Base()
    """What is inside."""


def test_each_field_has_the_docstring_below_it_and_inherits_others() -> None:
    assert field_docs(Base) == {"number": "How many.", "silent": ""}
    assert field_docs(Derived) == {
        "number": "How many of these.\n\nAt least one.",
        "silent": "",
        "inner": "What is inside.",
    }


def test_the_json_schema_shows_them_also_of_models_inside() -> None:
    schema = Derived.model_json_schema()
    assert schema["properties"]["inner"]["description"] == "What is inside."
    assert schema["$defs"]["Base"]["properties"]["number"]["description"] == "How many."
    assert "description" not in schema["$defs"]["Base"]["properties"]["silent"]
