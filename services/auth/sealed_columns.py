"""All that auth seals in its tables, but for the journal, which keeps what it holds."""

from services.auth.accounts.service.ask import ERRAND
from services.auth.factors.service.codes import SECRET as AUTHENTICATOR
from services.auth.factors.service.passkeys import NAME as PASSKEY
from services.auth.identity_providers.service.settle import SECRET as PROVIDER
from services.auth.identity_providers.service.start import BEGUN
from services.auth.keys.service import PRIVATE as SIGNING_KEY
from services.auth.mail.service import MAIL
from services.auth.one_time.service import EMAIL as NEW_EMAIL
from services.auth.scim.service.profile import PROFILE
from services.auth.sessions.service.device import DEVICE
from services.auth.users.service.sealed import EMAIL, NAME, PROFILE_KEY
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.resealing import SealedColumn

SEALED_COLUMNS = (
    SealedColumn("users", "email_sealed", EMAIL),
    SealedColumn("users", "name_sealed", NAME),
    SealedColumn("users", "profile_key_sealed", PROFILE_KEY),
    SealedColumn("authenticators", "secret_sealed", AUTHENTICATOR, key="user_id"),
    SealedColumn("authenticators", "pending_sealed", AUTHENTICATOR, key="user_id"),
    SealedColumn("passkeys", "name_sealed", PASSKEY),
    SealedColumn("identity_providers", "client_secret_sealed", PROVIDER, key="tenant_id"),
    SealedColumn("provided_sign_ins", "begun_sealed", BEGUN),
    SealedColumn("provisioned_users", "profile_sealed", PROFILE, key="user_id"),
    SealedColumn("one_time_tokens", "email_sealed", NEW_EMAIL),
    SealedColumn("mails", "mail_sealed", MAIL),
    SealedColumn("errands", "asked_sealed", ERRAND),
    SealedColumn("sessions", "device_sealed", DEVICE),
    SealedColumn(
        "signing_keys", "private_sealed", SIGNING_KEY,
        key="kid", key_type="text", tenant_id=DEFAULT_TENANT_ID,
    ),
)  # fmt: skip
