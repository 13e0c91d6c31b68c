from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.validators import RegexValidator
from django.utils import timezone

from accounts.models import Scope, User
from accounts.models.api_token import all_scopes
from accounts.offered import agent_choices


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("display_name",)


class TokenLimitsForm(forms.Form):
    """What a token may do, and where. The settings page and the admin add to it what they ask besides."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=all_scopes,
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    agents = forms.MultipleChoiceField(
        choices=agent_choices,
        required=False,
        label="Agents it may call",
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them, also those to come.",
    )
    tenant = forms.CharField(
        max_length=200,
        required=False,
        validators=[RegexValidator(r"^[\w.~-]+$", "Use letters, digits, “-”, “_”, “.” and “~”.", flags=re.ASCII)],
        help_text="Keeps its tasks apart from all others of yours. Empty, if you serve no tenants.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        limited = cleaned.get("agents") or cleaned.get("tenant")
        if limited and Scope.API in cleaned.get("scopes", ()):
            self.add_error("scopes", "REST reaches every agent and tenant: leave it out for a token with limits.")
        return cleaned


class TokenForm(TokenLimitsForm):
    LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until revoked"))

    name = forms.CharField(max_length=120, label="What it is for")
    days = forms.ChoiceField(choices=LIFETIMES, initial="90", required=False, label="Works for")

    @property
    def has_limits(self) -> bool:
        """Whether the part of the form that few need is to be open."""
        return self.is_bound and any(self[name].errors or self[name].data for name in ("agents", "tenant"))

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def password_form(user: User, data: Any = None) -> SetPasswordForm[User]:
    """Whoever came in by a link has no old password to type."""
    return PasswordChangeForm(user, data) if user.has_usable_password() else SetPasswordForm(user, data)
