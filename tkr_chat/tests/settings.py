"""The product's settings as a fresh machine has them, with a data folder of their own.

Of the environment only the database and Redis are taken, so that nobody's `.env` changes what is tested.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

_example = Path(__file__).resolve().parents[2] / ".env.example"
for _name in re.findall(r"^#?([A-Z0-9_]+)=", _example.read_text(), flags=re.MULTILINE):
    if _name not in {"DATABASE_URL", "REDIS_URL"}:
        os.environ.pop(_name, None)

os.environ["ENV_FILE"] = "none"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="tkr-chat-tests-")
os.environ["DB_POOL_MIN"] = "1"  # a test process needs few connections, and waits for them to open
os.environ["DB_POOL_OVERFLOW"] = "29"
os.environ["EMBEDDED_MODEL"] = "off"  # tests of the embedded brain switch it on; the others need no 145 MB
os.environ["OLLAMA_URL"] = ""
os.environ["LOG_FILES"] = "off"
if os.environ.get("REDIS_URL"):  # a database for each of the processes that share the tests: some empty the cache
    _number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{15 - _number}").geturl()
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

from tkr_chat.settings import *  # noqa: E402, F403
from tkr_chat.settings import DATA_DIR, DATABASES  # noqa: E402

_sqlite = DATABASES["default"]["ENGINE"].endswith("sqlite3")
# A file and not memory: threads share it, as they do in the product. On PostgreSQL two runs at once do not meet.
DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3" if _sqlite else f"test_tkr_chat_{os.getpid()}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
