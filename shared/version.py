"""The release, one for all parts."""

VERSION = "0.1.0"
