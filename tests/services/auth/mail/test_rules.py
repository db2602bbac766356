from datetime import UTC, datetime, timedelta

import pytest

from services.auth.mail.rules import (
    FIRST_RETRY,
    RETRY_MAX,
    TRIES_MAX,
    Mail,
    message_of,
    names,
    retry_after,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_a_mail_says_who_when_and_that_nobody_wrote_it():
    mail = Mail("ada@example.com", "Vérifiez", "Été\n", "fr")
    message = message_of(mail, "Stock <no-reply@shop.example>", NOW)

    assert (message["To"], message["Subject"]) == ("ada@example.com", "Vérifiez")
    assert message["Date"] == "Fri, 27 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"].endswith("@shop.example>")
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    assert message.get_content() == "Été\n"


def test_a_token_stands_whole_in_its_line_also_in_the_raw_mail():
    link = f"https://shop.example/reset-password#token=ot_{'Ab-_' * 40}"
    text = f"Quelqu'un a demandé à rétablir votre mot de passe chez {'Épicerie ' * 20}:\n\n{link}\n"
    raw = bytes(message_of(Mail("ada@example.com", "x", text, "fr"), "no-reply@shop.example", NOW))

    head, _, body = raw.decode().partition("\n\n")
    assert "Content-Transfer-Encoding: 8bit" in head
    assert link in body.split("\n")
    others = [line for line in body.split("\n") if line != link]
    assert max(map(len, others)) <= 78
    assert " ".join(body.split()) == " ".join(text.split())


@pytest.mark.asvs("F10")
@pytest.mark.parametrize(
    ("to", "subject"),
    [("ada@example.com\r\nBcc: eve@example.com", "x"), ("ada@example.com", "x\nBcc: eve@e.com")],
)
def test_no_text_adds_a_header(to: str, subject: str):
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        message_of(Mail(to, subject, "x", "en"), "no-reply@shop.example", NOW)


def test_retries_wait_ever_longer_and_end():
    waits = [retry_after(tries) for tries in range(1, TRIES_MAX + 1)]

    assert waits[0] == FIRST_RETRY
    assert waits[-1] is None
    lasting = [wait for wait in waits if wait is not None]
    assert lasting == sorted(lasting)
    assert lasting[-1] <= RETRY_MAX
    assert timedelta(hours=2) < sum(lasting, timedelta()) < timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("ada@example.com", True),
        ("To Ada@Example.com.", True),
        ("<ada@example.com>, and", True),
        ("is nada@example.com", False),
        ("x.ada@example.com", False),
        ("ada@example.com.au", False),
        ("ada@example.community", False),
        ("adaxexample.com", False),
    ],
)
def test_a_text_names_an_address_whole_or_not_at_all(text, is_named):
    assert names(text, "ada@example.com") is is_named
