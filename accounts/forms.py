from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.throttle import forget_attempts, seconds_to_wait


class SignInForm(AuthenticationForm):
    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username", "")
        if wait := seconds_to_wait(self.request, username):
            raise ValidationError(f"Too many attempts. Try again in {wait} seconds.", code="throttled")
        cleaned = super().clean()
        forget_attempts(self.request, username)
        return cleaned


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("display_name",)


class TokenForm(forms.Form):
    LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until revoked"))

    name = forms.CharField(max_length=120, label="What it is for")
    days = forms.ChoiceField(choices=LIFETIMES, initial="90", required=False, label="Works for")

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def password_form(user: User, data: Any = None) -> SetPasswordForm[User]:
    """Whoever came in by a link has no old password to type."""
    return PasswordChangeForm(user, data) if user.has_usable_password() else SetPasswordForm(user, data)
