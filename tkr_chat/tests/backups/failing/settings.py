"""A later version of the product, one of whose migrations fails."""

from tkr_chat.settings import *  # noqa: F403
from tkr_chat.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tkr_chat.tests.backups.failing"]
