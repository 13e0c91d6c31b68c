"""The prompt on an agent's page in the admin: a field, its history, and the way back."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.models import User
from agents_app import registry
from agents_app.actions.prompts import NoPrompt, get_shipped_prompt, override_prompt, tidy
from agents_app.models import Agent, PromptVersion
from agents_app.prompt_page import prompt_page

PROMPT_MAX_CHARS = 100_000
CHANGED_MEANWHILE = "The prompt was changed while this page was open. Load the page again, then change what it is now."
HELP = (
    "Holds from the next answer on. Empty: the shipped prompt. The embedded brain reads no prompt, and an agent whose code "
    "gives a prompt of its own to think() keeps that one."
)


class PromptField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")


class PromptForm(forms.ModelForm):
    # With what it was when the page was loaded: to save something else must not bring an older prompt back.
    prompt = PromptField(
        required=False,
        show_hidden_initial=True,
        strip=False,
        max_length=PROMPT_MAX_CHARS,
        help_text=HELP,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = PromptVersion.objects.of(self.instance.pk).first()
        self.initial["prompt"] = (newest.text if newest else "") or get_shipped_prompt(self.instance.pk)

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"]
        seen = self.fields["prompt"].to_python(self.data.get(self["prompt"].html_initial_name))
        if "prompt" in self.changed_data and seen != self.initial["prompt"]:
            raise forms.ValidationError(CHANGED_MEANWHILE)
        return prompt


class PromptAdmin(ModelAdmin):
    """For agents whose code is here, and for who may change them."""

    change_form_outer_after_template = "agents_app/_prompt.html"

    def get_urls(self) -> list[URLPattern]:
        choose = self.admin_site.admin_view(require_POST(self.choose_prompt))
        return [path("<str:agent_id>/prompt/", choose, name="agents_app_agent_prompt"), *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Agent | None = None) -> Any:
        fields = list(super().get_fields(request, obj))
        if self._has_prompt(request, obj):
            fields.insert(fields.index("queue") + 1, "prompt")  # with what else an operator decides
        return fields

    def get_form(self, request: HttpRequest, obj: Agent | None = None, change: bool = False, **kwargs: Any) -> Any:
        if self._has_prompt(request, obj):
            kwargs["form"] = PromptForm
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> Any:
        agent: Agent | None = kwargs.get("obj")
        if agent is not None and self._has_prompt(request, agent):
            context["prompt"] = prompt_page(agent.pk, request.GET.get("history"))
        return super().render_change_form(request, context, **kwargs)

    def save_model(self, request: HttpRequest, obj: Agent, form: forms.ModelForm[Agent], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "prompt" in form.changed_data:
            override_prompt(obj, form.cleaned_data["prompt"], cast("User", request.user))

    def choose_prompt(self, request: HttpRequest, agent_id: str) -> HttpResponse:
        """One of the versions again, or without `version` the shipped prompt."""
        agent = get_object_or_404(Agent, pk=agent_id)
        if not self.has_change_permission(request, agent):
            raise PermissionDenied
        try:
            made = override_prompt(agent, self._chosen(request, agent), cast("User", request.user))
        except NoPrompt as wrong:
            self.message_user(request, str(wrong), messages.ERROR)
        else:
            said = "It holds from the next answer on." if made else "That is the prompt already."
            self.message_user(request, said, messages.SUCCESS if made else messages.INFO)
        return HttpResponseRedirect(reverse("admin:agents_app_agent_change", args=[agent.pk]))

    def _chosen(self, request: HttpRequest, agent: Agent) -> str:
        number = request.POST.get("version", "")
        if not number:
            return ""
        found = PromptVersion.objects.of(agent.pk)
        return get_object_or_404(found, pk=int(number) if number.isascii() and number.isdigit() else 0).text

    def _has_prompt(self, request: HttpRequest, agent: Agent | None) -> bool:
        return agent is not None and agent.pk in registry.agents() and self.has_change_permission(request, agent)
