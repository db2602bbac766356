"""Fitting in processes of its own: no feature, and the one user of `methods`."""
