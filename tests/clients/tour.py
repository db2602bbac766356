"""What a Python program does first, with a client made from the document.

It signs in, adds an item, reads it, and is told why something was refused; prints that as JSON.
"""

import json
import os

from stockwright_client import AuthenticatedClient, Client
from stockwright_client.api.items import add_item, get_item
from stockwright_client.api.sessions import sign_in
from stockwright_client.models import ItemCreate, ItemRead, Problem, SignedInRead, SignInCreate

URL = os.environ["API_URL"]
credentials = {name.lower(): os.environ[name] for name in ("EMAIL", "PASSWORD", "TENANT")}

anybody = Client(base_url=URL)
asked = sign_in.sync(client=anybody, body=SignInCreate(**credentials))
signed_in = sign_in.sync(client=anybody, body=SignInCreate(**credentials, code=os.environ["CODE"]))
assert isinstance(asked, Problem), asked
assert isinstance(signed_in, SignedInRead), signed_in

client = AuthenticatedClient(base_url=URL, token=signed_in.access_token)
item = ItemCreate(code="PY-1", name="Flour", unit="kg", par_level="12.5")
added = add_item.sync(client=client, body=item)
assert isinstance(added, ItemRead), added
read = get_item.sync(added.id, client=client)
refused = add_item.sync(client=client, body=item)
assert isinstance(read, ItemRead), read
assert isinstance(refused, Problem), refused

seen = {"asked": asked.code, "par_level": read.par_level, "refused": refused.code}
print(json.dumps(seen))  # noqa: T201 - for who called it.
