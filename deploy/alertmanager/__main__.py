"""`python -m deploy.alertmanager FILE`: write Alertmanager's configuration from the environment."""

import os
import sys
from pathlib import Path

from deploy.alertmanager.render import BadReceiver, render, write

if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument.
        sys.exit("usage: python -m deploy.alertmanager FILE")
    try:
        write(Path(sys.argv[1]), render(os.environ))
    except BadReceiver as error:
        sys.exit(str(error))
