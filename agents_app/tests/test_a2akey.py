from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from agents_app.actions.signing_keys import make_signing_key
from agents_app.models import SigningKey


def a2akey(*words: str) -> str:
    out = StringIO()
    call_command("a2akey", *words, stdout=out)
    return out.getvalue().strip()


def test_it_works(db: None) -> None:
    assert a2akey("list") == "There is no key yet."

    said = a2akey("make")

    key = SigningKey.objects.in_use().get()
    assert key.kid in said and key.kid == key.public_jwk["kid"] and key.kid.isalnum()
    assert f"{key.kid}  in use since" in a2akey("list")


@pytest.mark.parametrize("words", [("rotate",), ("make", "--rotate")])
def test_rotating_retires_the_key_before(db: None, words: tuple[str, ...]) -> None:
    first = make_signing_key()

    a2akey(*words)

    first.refresh_from_db()
    assert first.retired_at and not first.revoked_at
    assert SigningKey.objects.trusted().count() == 2 and SigningKey.objects.in_use().get() != first
    assert f"{first.kid}  retired on" in a2akey("list")


def test_a_second_key_is_not_made_by_accident(db: None) -> None:
    a2akey("make")

    with pytest.raises(CommandError, match="There is a key already.*a2akey rotate"):
        a2akey("make")
    assert SigningKey.objects.count() == 1


def test_a_revoked_key_is_trusted_no_more(db: None) -> None:
    key = make_signing_key()

    assert "Cards are not signed any more" in a2akey("revoke", key.kid)
    assert not SigningKey.objects.trusted().exists() and "revoked on" in a2akey("list")
    with pytest.raises(CommandError, match="no key"):
        a2akey("revoke", key.kid)


def test_revoking_a_retired_key_leaves_the_cards_signed(db: None) -> None:
    retired = make_signing_key()
    a2akey("rotate")

    assert a2akey("revoke", retired.kid) == f"{retired.kid} is revoked."


def test_a_key_that_is_not_there_is_not_revoked(db: None) -> None:
    with pytest.raises(CommandError, match="There is no key 'invented'"):
        a2akey("revoke", "invented")


class TestAdmin:
    PAGE = "/admin/agents_app/signingkey/"

    @pytest.fixture(autouse=True)
    def signed_in(self, client: Client, grace: User) -> None:
        client.force_login(grace)

    def test_it_works(self, client: Client) -> None:
        key = make_signing_key()

        pages = [client.get(page).text for page in (self.PAGE, f"{self.PAGE}{key.pk}/change/")]
        assert all(key.kid in page and key.private_pem not in page for page in pages)

    def test_adding_one_rotates(self, client: Client) -> None:
        first = make_signing_key()
        assert "What the one before has signed still holds" in client.get(f"{self.PAGE}add/").text

        assert client.post(f"{self.PAGE}add/").status_code == 302
        first.refresh_from_db()
        assert first.retired_at and SigningKey.objects.in_use().get() != first

    def test_one_is_revoked(self, client: Client) -> None:
        key = make_signing_key()
        form = {"action": "revoke", "_selected_action": key.pk}

        assert key.kid in client.post(self.PAGE, form).text
        assert SigningKey.objects.trusted().exists(), "it asks first"

        client.post(self.PAGE, form | {"confirmed": "yes"})
        assert not SigningKey.objects.trusted().exists()

    def test_none_is_changed_or_deleted(self, client: Client) -> None:
        key = make_signing_key()

        assert client.post(f"{self.PAGE}{key.pk}/change/", {"kid": "x"}).status_code == 403
        assert client.post(f"{self.PAGE}{key.pk}/delete/", {"post": "yes"}).status_code == 403
