"""The form of a config: keys, types and bounds, by its JSON schema; and its defaults."""

import copy
import difflib
import math
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema
import yaml
from jsonschema import Draft202012Validator, ValidationError

from convprobe.plan import mistakes
from convprobe.plan.mistakes import Mistake

TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of keys to values",
}
BOUNDS = {
    "minimum": "of at least",
    "maximum": "of at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}


def with_defaults(value: Any, schema: dict, root: dict | None = None) -> Any:
    """A copy of a value in which missing keys have the schema's defaults.

    Args:
        value: the config, or a part of it.
        schema: of the value.
        root: schema of the whole config; by default, `schema` is that.
    """
    root = root or schema
    schema = _resolved(schema, root, value)
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(item, schema["items"], root) for item in value]
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    filled = dict(value)
    for key, below in schema.get("properties", {}).items():
        if key not in filled and "default" in below:
            filled[key] = below["default"]
        if key in filled:
            filled[key] = with_defaults(filled[key], below, root)
    return filled


def canonical(value: Any, schema: dict, root: dict | None = None) -> Any:
    """A copy of a value in the one way to write it, so that only a change of meaning is a change.

    Mappings have their keys in the schema's order, and a whole number is a float where the schema
    allows any number: Snakemake compares how the two are printed. Args as for `with_defaults`.
    """
    root = root or schema
    schema = _resolved(schema, root, value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        ordered = [key for key in known if key in value]
        ordered += [key for key in value if key not in known]
        other = schema.get("additionalProperties")
        if not isinstance(other, dict):
            other = {}  # anything is allowed, as in what a factory is called with
        return {key: canonical(value[key], known.get(key, other), root) for key in ordered}
    if isinstance(value, list) and "items" in schema:
        return [canonical(item, schema["items"], root) for item in value]
    return float(value) if schema.get("type") == "number" else value


def _resolved(schema: dict, root: dict, value: Any = None) -> dict:
    """A schema with what it refers to; of two forms, with that of a value."""
    if "if" in schema and isinstance(value, dict):
        chosen = "then" if set(schema["if"]["required"]) <= value.keys() else "else"
        return _resolved(schema[chosen], root)
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return root["$defs"][reference.rpartition("/")[2]] | schema


def check(config: Any, schema: dict) -> list[Mistake]:
    """The mistakes of form, in the order of their keys."""
    errors = sorted(_Validator(schema).iter_errors(config), key=_place)
    found = []
    for error in errors:
        found += _mistakes(error, schema)
    return found


def _place(error: ValidationError) -> list[str]:
    return [str(part) for part in error.absolute_path]


def _is_integer(_: jsonschema.TypeChecker, value: object) -> bool:
    """JSON allows 3.0 for a whole number; Python takes True for one."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(types: jsonschema.TypeChecker, value: object) -> bool:
    """YAML knows .nan and .inf, which no key allows, and whole numbers beyond all floats."""
    if isinstance(value, float):
        return math.isfinite(value)
    return _is_integer(types, value) and abs(value) <= sys.float_info.max


_TYPE_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {"integer": _is_integer, "number": _is_number}
)
_Validator = jsonschema.validators.extend(Draft202012Validator, type_checker=_TYPE_CHECKER)


def _mistakes(error: ValidationError, root: dict) -> Iterator[Mistake]:
    """What an error of the schema means, in our words."""
    key = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error)
    elif error.validator == "required":
        yield _missing_key(error, root)
    elif "propertyNames" in error.absolute_schema_path:
        found = mistakes.shown(error.instance)
        yield mistakes.at(key, f"has the key {found}, expected {_expected(error.schema)}")
    else:
        found = mistakes.shown(error.instance)
        yield mistakes.at(key, f"is {found}, expected {_expected(error.schema)}{_hint(error)}")


def _unknown_keys(error: ValidationError) -> Iterator[Mistake]:
    known = list(error.schema["properties"])
    for unknown in sorted(set(error.instance) - set(known)):
        # One that goes with another key may itself be the unknown one, where that is missing.
        others = [key for key in (*known, *error.schema.get("x-also", [])) if key != unknown]
        close = difflib.get_close_matches(unknown, others, n=1)
        advice = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(others)}"
        key = (*error.absolute_path, unknown)
        yield Mistake(key, f"{mistakes.name(key)}: unknown key, {advice}")


def _missing_key(error: ValidationError, root: dict) -> Mistake:
    # There is one error per key, and only jsonschema's message says which.
    missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))
    section = _resolved(error.schema, root)
    meaning = _resolved(section["properties"][missing], root)["description"]
    above = tuple(error.absolute_path)
    return Mistake(above, f"{mistakes.name((*above, missing))} is missing, expected: {meaning}")


def _expected(schema: dict) -> str:
    """What a schema asks for, in words: its own `x-expected`, or by its type and bounds."""
    if "x-expected" in schema:
        return schema["x-expected"]
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    limits = [f"{words} {schema[key]}" for key, words in BOUNDS.items() if key in schema]
    return f"{TYPES[schema['type']]} {' and '.join(limits)}".rstrip()


def _hint(error: ValidationError) -> str:
    """YAML 1.1 reads `1e-3` as text: a number needs a dot, `1.0e-3`."""
    text = error.instance
    if error.validator != "type" or not isinstance(text, str):
        return ""
    try:
        number = float(text)
        number = int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return ""
    if not _TYPE_CHECKER.is_type(number, error.validator_value):
        return ""
    # As YAML writes it: Python's 1e-05 would be text again.
    written = yaml.safe_dump(number).split()[0]
    return f" (YAML reads {text} as text: write {written})"
