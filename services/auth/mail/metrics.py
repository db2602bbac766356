"""What is measured of mail."""

from prometheus_client import Counter

mails = Counter("auth_mails_total", "Mails by what became of them.", ["outcome"])

for _outcome in ("sent", "failed", "given_up"):
    mails.labels(_outcome)
