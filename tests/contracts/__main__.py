"""Write docs/contracts/*.json from the code: `make contracts`.

Refuses what would break those who follow or ask: that takes an entry of the next version, or for an
answer a path of its own.
"""

import json
import sys

from tests.contracts.registry import GOLDEN, breaks, golden, lacks_default, schemas


def main() -> None:
    found, before = schemas(), golden()
    broken = [f"{name}: it is gone" for name in before if name not in found]
    for name in before.keys() & found.keys():
        broken += [f"{name}: {each}" for each in breaks(before[name], found[name])]
        if not name.startswith("internal."):
            added = lacks_default(before[name], found[name])
            broken += [f"{name}: {each} is new and has no default" for each in added]
    if broken:
        sys.exit("\n".join(["not written, since it would break others:", *sorted(broken)]))
    GOLDEN.mkdir(exist_ok=True)
    for name, schema in found.items():
        text = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (GOLDEN / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
