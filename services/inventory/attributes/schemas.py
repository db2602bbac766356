from typing import Annotated, Any

from pydantic import AfterValidator, Field

from shared.free_json import bounded

SIZE_BYTES_MAX = 16_384
ATTRIBUTES_MAX = 100

Attributes = Annotated[
    dict[str, Any],
    Field(
        max_length=ATTRIBUTES_MAX,
        description="Whatever else is known of it, by names of your own; as the schema of its "
        "category says, if that has one. At most 16 KiB. Null takes one away.",
        examples=[{"colour": "red", "weight_g": 500}],
    ),
    AfterValidator(bounded(depth=5, size_bytes=SIZE_BYTES_MAX)),
]
AttributeSchema = Annotated[
    dict[str, Any],
    Field(
        max_length=ATTRIBUTES_MAX,
        description="JSON Schema 2020-12 of the attributes of its items, and of those in "
        "categories below that have none of their own. Without references; at most 16 KiB; "
        "patterns without look-around. Null for none.",
        examples=[{"properties": {"weight_g": {"type": "number", "minimum": 0}}}],
    ),
    AfterValidator(bounded(depth=12, size_bytes=SIZE_BYTES_MAX)),
]
