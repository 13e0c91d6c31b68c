"""The product as it is, with agents that do what a test asks for."""

from tkr_chat.settings import *  # noqa: F403
from tkr_chat.settings import INSTALLED_APPS

INSTALLED_APPS = ["tkr_chat.tests.workers.cast", *INSTALLED_APPS]
