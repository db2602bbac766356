"""What a model's status may be."""

from enum import StrEnum


class Status(StrEnum):
    """One model of an item is active at most; the others are archived."""

    ACTIVE = "active"
    ARCHIVED = "archived"
