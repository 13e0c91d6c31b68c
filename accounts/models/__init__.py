from accounts.models.api_token import ApiToken, Scope
from accounts.models.append_only import AppendOnly, AppendOnlyModel, AppendOnlyQuerySet
from accounts.models.audit_entry import AuditEntry
from accounts.models.browser_session import BrowserSession
from accounts.models.sign_in_link import SignInLink
from accounts.models.user import User

__all__ = [
    "ApiToken",
    "AppendOnly",
    "AppendOnlyModel",
    "AppendOnlyQuerySet",
    "AuditEntry",
    "BrowserSession",
    "Scope",
    "SignInLink",
    "User",
]
