from accounts.models.api_token import ApiToken, Scope
from accounts.models.sign_in_link import SignInLink
from accounts.models.user import User

__all__ = ["ApiToken", "Scope", "SignInLink", "User"]
