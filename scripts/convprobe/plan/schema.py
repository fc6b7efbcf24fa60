"""The JSON schema of the config, generated from its sections.

After an edit of `plan/sections.py`, `make generate` writes it anew.
"""

import json

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from convprobe.plan.sections import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, but each mistake breaks one rule only: a user reads one line of it."""

    def field_title_should_be_set(self, schema: core_schema.CoreSchema) -> bool:
        """No: a title would only repeat the key."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A key may be left out, but null is no value."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Without a type, which the values imply."""
        return {"enum": list(schema["expected"])}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """By a key that only one of the two has, so that mistakes are of that form alone."""
        forms = {key: self.generate_inner(form) for key, form in schema["choices"].items()}
        other, chosen = forms.values()
        (*_, key) = forms
        return {"if": {"required": [key]}, "then": chosen, "else": other}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """With a rule for names of its own, so that its message can name them."""
        mapping = {
            "type": "object",
            "propertyNames": self.generate_inner(schema["keys_schema"]),
            "additionalProperties": self.generate_inner(schema["values_schema"]),
        }
        self.update_with_validations(mapping, schema, self.ValidationsMapping.object)
        return mapping


def schema() -> dict:
    """The schema of a whole config."""
    generated = Config.model_json_schema(schema_generator=_Generator)
    for section in generated["$defs"].values():
        del section["title"]
    return {"$schema": DIALECT, **generated, "title": "convprobe config"}


def text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
