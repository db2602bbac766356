"""What can go wrong on somebody's machine, said in one line."""


class StackError(Exception):
    """A reason to stop, written for the person at the keyboard."""
