"""Names look like what they are: people tell by them whom and what they deal with."""

from collections.abc import Iterator
from importlib import import_module

from pydantic import BaseModel, ValidationError

from shared.schemas import Input
from tests.support.tree import services

HIDDEN = "\u202e\u200b\x07"  # Turns others round, has no width, is a control.


def bodies(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from bodies(one)


def takes(model: type[BaseModel], field: str, value: str) -> bool:
    try:
        model.model_validate({field: value})
    except ValidationError as error:
        return all(one["loc"][0] != field for one in error.errors())
    return True


def test_whatever_is_called_a_name_shows_all_that_is_in_it():
    for service in services():
        import_module(f"services.{service.name}.app")
    names = [
        (model, info.alias or field)
        for model in bodies(Input)
        if model.__module__.startswith("services.")
        for field, info in model.model_fields.items()
        if "name" in field
    ]

    assert len(names) > 10
    assert [
        f"{model.__name__}.{field}"
        for model, field in names
        if any(takes(model, field, f"A{hidden}b") for hidden in HIDDEN)
    ] == []
