"""Forecasting methods: numbers in, numbers out; no database, no HTTP, no settings.

Numeric libraries are held to one thread here, before any module of this package imports NumPy:
training already runs one item per process, and more threads would only fight for the cores.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
