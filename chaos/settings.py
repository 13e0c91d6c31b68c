"""The product's settings, with one more app: agents whose answers can be checked, and a way to die at a bad moment."""

from tkr_chat.settings import *  # noqa: F403
from tkr_chat.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "chaos"]
