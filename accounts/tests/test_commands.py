from __future__ import annotations

from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.access import find_token
from accounts.models import ApiToken, Scope, User


def output_of(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue().strip()


def test_it_works(grace: User, client: Client) -> None:
    client.get(urlsplit(output_of("signinlink")).path)

    assert client.session["_auth_user_id"] == str(grace.pk)


def test_a_link_is_made_for_whoever_is_named(ada: User, grace: User, client: Client) -> None:
    client.get(urlsplit(output_of("signinlink", "ada")).path)

    assert client.session["_auth_user_id"] == str(ada.pk)


def test_there_is_no_link_for_somebody_unknown(db: None) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        output_of("signinlink", "nobody")
    with pytest.raises(CommandError, match="no administrator yet"):
        output_of("signinlink")


def test_there_is_no_link_for_somebody_switched_off(ada: User) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="switched off"):
        output_of("signinlink", "ada")


def test_a_token_is_printed_and_works(ada: User) -> None:
    text = output_of("createtoken", "ada", "cron", "--days=7")

    token = find_token(text)
    assert token and token.user == ada and token.scopes == Scope.values
    expires_at = ApiToken.objects.get().expires_at
    assert expires_at and timedelta(days=6) < expires_at - timezone.now() < timedelta(days=8)


def test_there_is_no_token_for_somebody_unknown(ada: User) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        output_of("createtoken", "nobody", "cron")
    with pytest.raises(CommandError, match="at least 1"):
        output_of("createtoken", "ada", "cron", "--days=0")


def test_a_token_is_limited(ada: User) -> None:
    output_of("createtoken", "ada", "partner", "--scope=a2a:send", "--scope=a2a:read", "--agent=chloe", "--tenant=acme")

    token = ApiToken.objects.get()
    assert (token.scopes, token.agents, token.tenant) == (["a2a:send", "a2a:read"], ["chloe"], "acme")


def test_there_is_no_token_for_an_unknown_agent_or_scope(ada: User) -> None:
    with pytest.raises(CommandError, match="no agent nobody"):
        output_of("createtoken", "ada", "cron", "--agent=nobody")
    with pytest.raises(CommandError, match="invalid choice: 'root'"):
        output_of("createtoken", "ada", "cron", "--scope=root")
