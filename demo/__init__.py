"""The main job on real sales, driven through the public API."""
