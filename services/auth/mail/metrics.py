"""What is measured of mail."""

from prometheus_client import Counter

mails = Counter("auth_mails_total", "Mails by what became of them.", ["outcome"])
