"""Imported by the fork server alone: all that training processes are to share, loaded once.

The methods come first: they hold numeric libraries to one thread before any of these starts.
"""

import gc
import logging
from importlib import import_module

LIBRARIES = (
    "services.forecasting.methods.training",
    "pandas",
    "prophet.serialize",
    "statsmodels.tsa.statespace.sarimax",
    "holidays",
)

logging.getLogger("prophet.plot").disabled = True  # It misses a plotting library, as an error.
for library in LIBRARIES:
    import_module(library)
gc.collect()
gc.freeze()  # The collector would otherwise touch, and so copy, every page that is shared.
