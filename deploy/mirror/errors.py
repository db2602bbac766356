"""What a person is told when a mirror cannot do what was asked."""


class MirrorError(Exception):
    """A reason in one line, which ends with what to do next."""
