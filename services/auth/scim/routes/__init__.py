"""SCIM 2.0 over HTTP (RFC 7644): what it says of itself, users, and groups."""

from services.auth.scim.routes import discovery, groups, users

routers = (discovery.router, users.router, groups.router)

__all__ = ["routers"]
