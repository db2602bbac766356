"""What a mail is, and when one that could not be sent is tried again."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from textwrap import TextWrapper
from typing import Final

TRIES_MAX: Final = 12  # Over some two days.
FIRST_RETRY: Final = timedelta(seconds=30)
RETRY_MAX: Final = timedelta(hours=6)
_LINES: Final = TextWrapper(width=78, break_long_words=False, break_on_hyphens=False)
LEASE: Final = timedelta(minutes=5)  # So long one that is being sent is nobody else's.


@dataclass(frozen=True, slots=True)
class Mail:
    """A text for one person."""

    to: str
    subject: str
    text: str
    language: str


def message_of(mail: Mail, sender: str, now: datetime) -> EmailMessage:
    """Return the mail as it goes out (RFC 5322), marked as nobody's answer (RFC 3834).

    Its text is written as it is, in short lines of whole words: a link or token that stands alone
    in its line can be copied from the raw mail too.
    Raises ValueError for an address or subject with a line break: it cannot add headers.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(map(_LINES.fill, mail.text.split("\n"))), cte="8bit")
    message["Content-Language"] = mail.language
    return message


def names(text: str, address: str) -> bool:
    """Say whether a text names this address, and not a longer one that it is a part of."""
    found = rf"(?<![^\s<>(\[\"':,;]){re.escape(address)}(?![\w@-]|\.\w)"
    return re.search(found, text, re.IGNORECASE) is not None


def retry_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries; None when it is given up."""
    if tries >= TRIES_MAX:
        return None
    return min(FIRST_RETRY * int(2 ** (tries - 1)), RETRY_MAX)
