from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.auth.accounts.rules import Kind
from services.auth.api_keys.schemas import ApiKeyRead
from services.auth.one_time.rules import Purpose
from services.auth.users.schemas import UserRead
from shared.schemas import Output


class AccountDataRead(UserRead):
    """The account as it stands, with the moments that are kept of it."""

    verified_at: datetime | None = Field(description="When the address was shown to be his.")
    approved_at: datetime | None
    role_given_at: datetime | None
    locked_at: datetime | None = Field(examples=[None])
    deactivated_at: datetime | None = Field(examples=[None])
    password_change_required: bool


class EarlierProfileRead(Output):
    """What was another name, address or language, until when; null: there was none."""

    until: datetime
    fields: dict[str, str | None] | None = Field(
        description="Null where no key opens it.", examples=[{"name": "Ada Byron"}]
    )


class SignInDataRead(Output):
    """A sign-in, those that ended too, with what was last used."""

    id: UUID
    address: str = Field(examples=["203.0.113.7"])
    user_agent: str = Field(examples=["Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"])
    methods: list[str] = Field(examples=[["pwd", "otp"]])
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = Field(examples=[None])


class FactorDataRead(Output):
    """Second factors, without what they are made of."""

    authenticator_since: datetime | None
    recovery_codes_left: int
    passkeys: list["PasskeyDataRead"]
    recovery_requested_at: datetime | None = Field(
        description="Since when somebody asks that he may begin anew.", examples=[None]
    )


class PasskeyDataRead(Output):
    id: UUID
    name: str | None = Field(examples=["My phone"])
    transports: list[str] = Field(examples=[["internal"]])
    created_at: datetime
    last_used_at: datetime | None


class ApiKeyDataRead(ApiKeyRead):
    """An API key, those that ended too."""

    revoked_at: datetime | None = Field(examples=[None])


class ProviderLinkRead(Output):
    """The identity at the company's provider, which is kept as a keyed hash alone."""

    issuer: str = Field(examples=["https://id.example.com"])
    linked_at: datetime


class MailDataRead(Output):
    """A mail that waits to be sent."""

    to: str = Field(examples=["ada@example.com"])
    subject: str = Field(examples=["Your password was changed"])
    due_at: datetime


class MailedTokenRead(Output):
    """A link that was mailed and is still good."""

    purpose: Purpose
    expires_at: datetime


class ErrandDataRead(Output):
    """What was asked for, and is not done yet."""

    kind: Kind
    due_at: datetime


class JournalDataRead(Output):
    """Entries of auth's journal, and where those of all services are listed."""

    by_person: int = Field(description="Entries of what he did.", examples=[17])
    about_person: int = Field(description="Entries about his account.", examples=[23])
    first_at: datetime | None
    last_at: datetime | None
    listed_at: list[str] = Field(
        description="Where whoever may audit reads them, of all services.",
        examples=[["/api/audit?actor=user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"]],
    )


class PersonalDataRead(Output):
    """All that is kept of a person, but for secrets; elsewhere he is an id."""

    exported_at: datetime
    account: AccountDataRead
    earlier: list[EarlierProfileRead]
    sign_ins: list[SignInDataRead]
    known_networks: int = Field(
        description="Networks that he signed in from, kept as keyed hashes.", examples=[2]
    )
    second_factors: FactorDataRead
    api_keys: list[ApiKeyDataRead]
    identity_provider: ProviderLinkRead | None
    directory: dict[str, str | list[dict[str, str | bool | None]] | None] | None = Field(
        description="What the company's directory said (SCIM).",
        examples=[{"userName": "ada@example.com", "displayName": "Ada Lovelace"}],
    )
    mails: list[MailDataRead]
    mailed_links: list[MailedTokenRead]
    errands: list[ErrandDataRead]
    legal_holds: list[UUID] = Field(
        description="Those in force that keep this from erasure.", examples=[[]]
    )
    journal: JournalDataRead
