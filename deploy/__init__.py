"""How the system is brought up: locally, in containers, and its database."""
