from __future__ import annotations

from typing import Any, cast

from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from accounts.actions.api_tokens import issue_token, revoke_token
from accounts.actions.audit import note
from accounts.actions.sessions import end_session
from accounts.actions.sign_in_links import make_sign_in_link
from accounts.forms import TokenLimitsForm
from accounts.models import ApiToken, AuditEntry, BrowserSession, User
from accounts.read_only_admin import ReadOnly

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "display_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "display_name", "email")
    ordering = ("username",)
    readonly_fields = ("last_login", "date_joined")
    actions = ("make_link",)
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("What a day has for them", {"fields": ("daily_messages", "daily_tokens", "daily_price")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    @admin.action(description="Make a sign-in link", permissions=["change"])
    def make_link(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Whoever may change a user may set its password, so a link gives them nothing new."""
        for user in users:
            self.message_user(request, f"{user.username}: {make_sign_in_link(user)} (works once, for a day)")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


class NewTokenForm(TokenLimitsForm, forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ("user", "name", "expires_at", "scopes", "agents", "tenant")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].widget = UnfoldAdminTextInputWidget()
        for name in ("scopes", "agents"):
            field = cast("forms.MultipleChoiceField", self.fields[name])
            field.widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=field.choices)


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """A token is made, seen and revoked, and never changed. Its text is shown once, right after it was made."""

    list_display = ("name", "prefix", "user", "may", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username", "tenant")
    fields = readonly_fields = (*list_display, "agents", "tenant")
    actions = ("revoke",)

    @admin.display(description="May", ordering="scopes")
    def may(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            revoke_token(token)
        self.message_user(request, "Revoked.", messages.SUCCESS)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return super().get_fields(request, obj) if obj else NewTokenForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | ({} if obj else {"form": NewTokenForm}))

    def save_model(self, request: HttpRequest, obj: ApiToken, form: forms.ModelForm[ApiToken], change: bool) -> None:
        if not change:
            text = issue_token(obj)
            self.message_user(request, f"The token is {text} Copy it now: it is not shown again.", messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A token acts as its user, so only those may make one for others who may set their passwords, too."""
        return super().has_add_permission(request) and request.user.has_perm("accounts.change_user")


@admin.register(BrowserSession)
class BrowserSessionAdmin(ReadOnly, ModelAdmin):
    """Who is signed in, where. To sign somebody out is an action."""

    list_display = ("user", "browser", "address", "created_at", "seen_at")
    list_display_links = None
    list_select_related = ("user",)
    list_filter = ("seen_at",)
    search_fields = ("user__username", "address")
    actions = ("sign_out",)

    @admin.action(description="Sign out", permissions=["sign_out"])
    def sign_out(self, request: HttpRequest, sessions: QuerySet[BrowserSession]) -> None:
        for session in sessions:
            end_session(session)
        self.message_user(request, "Signed out.", messages.SUCCESS)

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.change_user"))


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnly, ModelAdmin):
    """Who guessed passwords. Whoever is shut out after too many attempts can be let in again at once."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent")
    list_display_links = None
    search_fields = ("username", "ip_address")
    actions = ("let_in",)

    @admin.action(description="Let in again", permissions=["let_in"])
    def let_in(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        for attempt in attempts:
            note("person.let_in_again", name=attempt.username)
            attempt.delete()
        self.message_user(request, "They may try again.", messages.SUCCESS)

    def has_let_in_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.change_user"))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, ModelAdmin):
    """Who changed what, when and from where. It can be read, and nothing else."""

    list_display = ("at", "action", "actor", "about_name", "address", "via")
    list_filter = ("via", "at")
    search_fields = ("action", "actor", "about", "about_name", "address", "request")
    fields = ("at", "action", "actor", "actor_id", "about", "about_name", "details", "address", "via", "request")
    ordering = ("-id",)
    show_full_result_count = False
