"""What auth journals of accounts that a directory keeps (SCIM), beside the changes themselves."""

from typing import ClassVar

from shared.contracts.auth.users import AboutUser


class ProvisionedUserSaved(AboutUser):
    """A directory described an account; `changed` names the attributes, by SCIM's names."""

    name: ClassVar[str] = "auth.provisioned-user-saved.v1"
    changed: tuple[str, ...]


class ProvisionedUserRemoved(AboutUser):
    """A directory removed an account: it is deactivated, and the directory sees it no more."""

    name: ClassVar[str] = "auth.provisioned-user-removed.v1"
