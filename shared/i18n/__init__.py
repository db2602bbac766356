"""Languages: choosing one, and finding a message in it.

English source text stands in the code, marked with `N_`; the French text stands in
`locales/fr/LC_MESSAGES/messages.po` of the package that owns the message (gettext, by Babel).
"""

from shared.i18n.catalogue import (
    LANGUAGES,
    N_,
    NP_,
    load_catalogues,
    translate,
    translate_plural,
)
from shared.i18n.negotiation import negotiate

__all__ = [
    "LANGUAGES",
    "NP_",
    "N_",
    "load_catalogues",
    "negotiate",
    "translate",
    "translate_plural",
]
