from __future__ import annotations

from accounts.actions.users import make_first_admin
from accounts.models import User


def test_it_works(db: None) -> None:
    admin = make_first_admin()

    assert admin and admin.username == "admin" and admin.is_superuser and admin.is_staff
    assert not admin.has_usable_password()


def test_there_is_no_second_one(grace: User) -> None:
    assert make_first_admin() is None
    assert User.objects.get() == grace


def test_an_ordinary_person_called_admin_stays_ordinary(db: None) -> None:
    User.objects.create_user("admin")

    admin = make_first_admin()

    assert admin and admin.username == "admin1"
    assert not User.objects.get(username="admin").is_superuser
