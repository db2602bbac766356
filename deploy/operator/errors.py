class OperatorError(Exception):
    """What was asked could not be done; the text says why."""
