"""Why a sealed file does not open; each says in one line what to do next."""


class SafekeepingError(Exception):
    """Something that is put by for later cannot be made or read; nothing in use was touched."""


class KeyIsWrong(SafekeepingError):
    """The file is whole as far as can be told, but was sealed with another key."""


class FileDamaged(SafekeepingError):
    """The file is not what was written: changed, swapped, or longer than it was."""


class FileTruncated(SafekeepingError):
    """The file ends before what was written does."""
