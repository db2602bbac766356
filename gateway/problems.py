"""Where the `type` of a problem leads: what it means and what to do, as a page or as JSON."""

import html
import re
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.call import Answer, Call
from gateway.docs import SECURITY_OF_PAGES
from shared.i18n import N_, translate

# Made by `make messages` of the problems of all services, none of which the gateway imports.
CATALOGUE: Final[dict[str, dict[str, Any]]] = orjson.loads(
    (Path(__file__).parent / "problems.json").read_bytes()
)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_CODE: Final = N_("The code that programs compare:")
_FILLED_IN: Final = N_("A name in italics stands for a value of the request.")
_DOCUMENTED: Final = N_("The documentation names all problems of each operation.")
_PAGE: Final = """<!doctype html>
<html lang="{language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title} ({status})</title>
    <link rel="icon" href="/docs/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/docs/docs.css">
  </head>
  <body>
    <header class="bar"><a class="brand" href="/docs"><img src="/docs/icon.svg" alt="" width="24" height="24">Stockwright</a></header>
    <main class="problem">
      <h1>{title}</h1>
      {details}
      <p>{code_text} <code>{code}</code> (HTTP {status})</p>
      <p>{filled_in} <a href="/docs">{documented}</a></p>
    </main>
  </body>
</html>
"""  # noqa: E501 - as it is sent.


async def explain(slug: str, default_language: str, call: Call) -> Answer:
    """Return what a problem means, as a page to who asks for HTML."""
    about, language = CATALOGUE[slug], call.language(default_language)
    is_page = b"text/html" in dict(call.fields).get(b"accept", b"")
    headers = [
        (b"content-language", language.encode()),
        (b"vary", b"accept, accept-language"),
        (b"cache-control", b"public, max-age=300"),
    ]
    known = {
        "type": f"/problems/{slug}",
        "title": about["title"][language],
        "status": about["status"],
        "code": slug.replace("-", "_"),
        "details": about["details"][language],
    }
    if not is_page:
        return Answer(orjson.dumps(known), headers=headers)
    return Answer(
        _page(known, language).encode(),
        "text/html; charset=utf-8",
        headers=headers,
        security=SECURITY_OF_PAGES,
    )


def _page(known: dict[str, Any], language: str) -> str:
    shown = [_PLACEHOLDER.sub(r"<var>\1</var>", html.escape(text)) for text in known["details"]]
    has_names = any(_PLACEHOLDER.search(text) for text in known["details"])
    return _PAGE.format(
        language=language,
        title=html.escape(known["title"]),
        status=known["status"],
        code=known["code"],
        details="\n      ".join(f"<p>{text}</p>" for text in shown),
        code_text=translate(_CODE, language),
        filled_in=translate(_FILLED_IN, language) if has_names else "",
        documented=translate(_DOCUMENTED, language),
    )
