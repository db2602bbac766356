from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class IdentityProvider(Base):
    """By which provider a tenant's users sign in beside their passwords."""

    __tablename__ = "identity_providers"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=FetchedValue())
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret_sealed: Mapped[bytes]
    redirect_uri: Mapped[str]
    vouches_for_factor: Mapped[bool]  # Whether its `mfa` counts as a second factor.
    version: Mapped[int] = mapped_column("revision", default=1)
    changed_at: Mapped[datetime]


class IdentityLink(Base):
    """Whose account an identity at the provider is."""

    __tablename__ = "identity_links"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    subject_index: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    linked_at: Mapped[datetime]


class ProvidedSignIn(Base):
    """A sign-in that was begun; once the provider has vouched, `user_id` says for whom."""

    __tablename__ = "provided_sign_ins"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state_index: Mapped[bytes]
    binding_index: Mapped[bytes]
    begun_sealed: Mapped[bytes]  # JSON: nonce, verifier, issuer.
    user_id: Mapped[UUID | None]
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
