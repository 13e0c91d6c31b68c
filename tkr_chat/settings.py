"""Every setting, and the only reader of the environment. `.env.example` says what each variable is for."""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static

from tkr_chat.addresses import address_of, require_allowed
from tkr_chat.databases import tuned
from tkr_chat.env import LEVELS, WrongSetting, read_environment
from tkr_chat.secret_key import former_secret_keys, required_secret_key, saved_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = read_environment(BASE_DIR)
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# Where it runs

HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole("PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.origin("PUBLIC_URL") or address_of(HOST, PORT)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
require_allowed(PUBLIC_URL, ALLOWED_HOSTS)
TRUSTED_PROXIES = env.proxies("TRUSTED_PROXIES")
DATA_DIR = env.path("DATA_DIR", "var", BASE_DIR)
DEBUG = env.flag("DEBUG", False)
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", LEVELS)
LOG_LEVELS = env.levels("LOG_LEVELS")
LOG_FORMAT = env.choice("LOG_FORMAT", "line", ("LINE", "JSON")).lower()
LOG_FILES = env.flag("LOG_FILES", True)

# Whoever writes DEBUG=off or names hosts serves other people, and a key that appears by itself is gone with the disk.
LOCAL_USE = DEBUG or not (env.given("DEBUG") or env.given("ALLOWED_HOSTS"))
SECRET_KEY = env.text("SECRET_KEY") or (saved_secret_key(DATA_DIR) if LOCAL_USE else required_secret_key())
SECRET_KEY_FALLBACKS = [*env.words("SECRET_KEY_FALLBACKS"), *former_secret_keys(DATA_DIR)]

SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # frame-ancestors in the content policy says the same, in every browser of today
    "security.W005",  # whether all other hosts of the domain speak TLS, and
    "security.W021",  # whether browsers may learn that by heart, is for the owner of the domain to say
    "security.W008",  # the proxy that speaks TLS redirects to it
]

# What is installed

LOCAL_AGENTS_DIR = BASE_DIR / "agents_local"  # what `manage.py startagent` makes is found there
INSTALLED_APPS = [
    "tkr_chat",
    "ops",
    "metrics",
    "chat",
    "agents_app",
    "agents_app.chloe",
    "agents_app.phil_connors",
    *(f"agents_local.{config.parent.name}" for config in sorted(LOCAL_AGENTS_DIR.glob("*/apps.py"))),
    "accounts",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "csp",
    "axes",
]
# No GZipMiddleware: compressed together with a secret, a reflected word gives the secret away (BREACH).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tkr_chat.content_policy.ContentPolicyMiddleware",
    "tkr_chat.static_files.StaticFilesMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "tkr_chat.urls"
ASGI_APPLICATION = "tkr_chat.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
UNFOLD = {
    "SITE_TITLE": "tkr-agent-chat",
    "SITE_HEADER": "tkr-agent-chat",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("favicon.svg")}],
    # The indigo of dashboard.css. Links are 600 in light colours, and 500 in dark ones, where they have to be lighter.
    "COLORS": {
        "primary": {
            "50": "#eef2ff",
            "100": "#e0e7ff",
            "200": "#c7d2fe",
            "300": "#a5b4fc",
            "400": "#a3a9ff",
            "500": "#8f97ff",
            "600": "#4f46e5",
            "700": "#4338ca",
            "800": "#3730a3",
            "900": "#312e81",
            "950": "#1e1b4b",
        }
    },
    "DASHBOARD_CALLBACK": "metrics.dashboard.add_dashboard",
    "STYLES": [lambda _, name=name: static(f"css/{name}.css") for name in ("admin", "dashboard", "prompt")],
}

# Data

DB_POOL_MIN = env.whole("DB_POOL_MIN", 20)
DB_POOL_OVERFLOW = env.whole("DB_POOL_OVERFLOW", 10)
DB_POOL_TIMEOUT = env.number("DB_POOL_TIMEOUT", 30, least=0.1)
DATABASES = {
    "default": tuned(
        env.database("DATABASE_URL", DATA_DIR / "db.sqlite3", BASE_DIR),
        pool={"min_size": DB_POOL_MIN, "max_size": DB_POOL_MIN + DB_POOL_OVERFLOW, "timeout": DB_POOL_TIMEOUT},
    )
}
ON_POSTGRESQL = DATABASES["default"]["ENGINE"].endswith("postgresql")
if ON_POSTGRESQL:
    INSTALLED_APPS.append("procrastinate.contrib.django")  # its tables are made of PostgreSQL's own SQL
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
CACHES: dict[str, dict[str, Any]]
REDIS_URL = env.url("REDIS_URL", "", ("redis", "rediss", "unix"))
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "tkr_chat.cache.PatientRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }

# Files

MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "tkr_chat.static_files.StaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Backups

BACKUP_DIR = env.path("BACKUP_DIR", "backups", DATA_DIR)
BACKUP_AT = env.clock("BACKUP_AT", "03:12")
BACKUP_KEY = env.text("BACKUP_KEY")
BACKUP_KEY_FALLBACKS = env.words("BACKUP_KEY_FALLBACKS")
BACKUP_S3_URL = env.url("BACKUP_S3_URL", "")
BACKUP_S3_REGION = env.text("BACKUP_S3_REGION", "us-east-1")
BACKUP_S3_ACCESS_KEY = env.text("BACKUP_S3_ACCESS_KEY")
BACKUP_S3_SECRET_KEY = env.text("BACKUP_S3_SECRET_KEY")
BACKUP_KEEP_DAYS = env.whole("BACKUP_KEEP_DAYS", 7)
BACKUP_KEEP_WEEKS = env.whole("BACKUP_KEEP_WEEKS", 4)
BACKUP_KEEP_MONTHS = env.whole("BACKUP_KEEP_MONTHS", 12)

# What is kept for how long; 0: for ever

KEEP_WIRE_LOG_DAYS = env.whole("KEEP_WIRE_LOG_DAYS", 30)
KEEP_NOTIFICATIONS_DAYS = env.whole("KEEP_NOTIFICATIONS_DAYS", 30)
KEEP_EVENTS_DAYS = env.whole("KEEP_EVENTS_DAYS", 90)
KEEP_SIGN_IN_LINKS_DAYS = env.whole("KEEP_SIGN_IN_LINKS_DAYS", 30)

# Who somebody is, and what a browser may do

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # of both together: nobody can lock somebody else out
AXES_LOCKOUT_CALLABLE = "accounts.lockout.refuse"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_ENABLE_ADMIN = False  # accounts/admin.py shows the attempts
AXES_VERBOSE = False
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = f"django.contrib.sessions.backends.{'cached_db' if REDIS_URL else 'db'}"
SESSION_COOKIE_AGE = 30 * 24 * 3600
if PUBLIC_URL.startswith("https://"):  # then a proxy stands before us, for this server itself speaks no TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CORS_ALLOWED_ORIGINS = CORS_ORIGINS = env.origins("CORS_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
ADMIN_CONTENT_SECURITY_POLICY = {"script-src": [UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}
RATE_PER_MINUTE_ADDRESS = env.whole("RATE_PER_MINUTE_ADDRESS", 1200)
RATE_PER_MINUTE_API = env.whole("RATE_PER_MINUTE_API", 600)
RATE_PER_MINUTE_FRAMES = env.whole("RATE_PER_MINUTE_FRAMES", 1200)
RATE_PER_MINUTE_MESSAGES = env.whole("RATE_PER_MINUTE_MESSAGES", 120)
DEFAULT_EXCEPTION_REPORTER = "tkr_chat.error_pages.LocalExceptionReporter"

# Agents

# pydantic-ai advertises on the terminal at the first answer; the server's own banner is enough.
os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")
AGENT_MODEL = env.text("AGENT_MODEL")
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "")
GOOGLE_API_KEY = env.text("GOOGLE_API_KEY")
OLLAMA_URL = env.url("OLLAMA_URL", "http://127.0.0.1:11434")
EMBEDDED_MODEL = env.flag("EMBEDDED_MODEL", True)

AGENTS_QUEUE = env.choice("AGENTS_QUEUE", "inline", ("INLINE", "PROCRASTINATE")).lower()
if AGENTS_QUEUE == "procrastinate" and not (ON_POSTGRESQL and REDIS_URL):
    raise WrongSetting("AGENTS_QUEUE=procrastinate needs PostgreSQL and Redis: set DATABASE_URL and REDIS_URL too.")
AGENTS_CONCURRENCY = env.whole("AGENTS_CONCURRENCY", 100, least=1)
AGENTS_AT_ONCE = env.whole("AGENTS_AT_ONCE", 0)
AGENTS_LEASE_SECONDS = env.number("AGENTS_LEASE_SECONDS", 10, least=1)
AGENTS_HUNG_SECONDS = env.number("AGENTS_HUNG_SECONDS", 60, least=1)
AGENTS_RECOVERY_SECONDS = env.number("AGENTS_RECOVERY_SECONDS", 3, least=0.1)
AGENTS_MAX_ATTEMPTS = env.whole("AGENTS_MAX_ATTEMPTS", 3, least=1)
AGENTS_HOPS = env.whole("AGENTS_HOPS", 6)
AGENTS_TURN_SECONDS = env.number("AGENTS_TURN_SECONDS", 300, least=1)
AGENTS_TURN_TOKENS = env.whole("AGENTS_TURN_TOKENS", 200_000, least=1)
DAILY_MESSAGES = env.whole("DAILY_MESSAGES", 0)
DAILY_TOKENS = env.whole("DAILY_TOKENS", 0)
DAILY_PRICE = env.number("DAILY_PRICE", 0)
AGENTS_GATHER_SECONDS = env.number("AGENTS_GATHER_SECONDS", 0.03)
AGENTS_SAVE_SECONDS = env.number("AGENTS_SAVE_SECONDS", 1)
AGENTS_DRAIN_SECONDS = env.number("AGENTS_DRAIN_SECONDS", 10)

# A2A, for other programs and agents

A2A_ANONYMOUS = env.choice("A2A_ANONYMOUS", "loopback" if LOCAL_USE else "off", ("OFF", "LOOPBACK", "ON")).lower()
A2A_GRPC_URL = env.address("A2A_GRPC_URL")
A2A_GRPC_HOST = env.text("A2A_GRPC_HOST", "127.0.0.1")
A2A_GRPC_PORT = env.whole("A2A_GRPC_PORT", 50051, least=1, most=65535)
A2A_GRPC_CERT = env.text("A2A_GRPC_CERT")
A2A_GRPC_KEY = env.text("A2A_GRPC_KEY")
A2A_GRPC_CLIENT_CA = env.text("A2A_GRPC_CLIENT_CA")
A2A_MAX_BODY_BYTES = env.whole("A2A_MAX_BODY_BYTES", 32 * 1024 * 1024, least=1024)
A2A_MAX_PARTS = env.whole("A2A_MAX_PARTS", 100, least=1)
A2A_MAX_STREAMS = env.whole("A2A_MAX_STREAMS", 100, least=1)
A2A_RATE_PER_MINUTE = env.whole("A2A_RATE_PER_MINUTE", 6000)
A2A_WAIT_SECONDS = env.number("A2A_WAIT_SECONDS", 300, least=0.1)
A2A_PUSH_MAX_CONFIGS = env.whole("A2A_PUSH_MAX_CONFIGS", 16, least=1)
A2A_PUSH_TIMEOUT_SECONDS = env.number("A2A_PUSH_TIMEOUT_SECONDS", 15, least=0.1)
A2A_PUSH_RETRY_SECONDS = env.number("A2A_PUSH_RETRY_SECONDS", 5, least=0.01)
A2A_PUSH_MAX_TRIES = env.whole("A2A_PUSH_MAX_TRIES", 32, least=1)
A2A_CERTIFY_HOURS = env.number("A2A_CERTIFY_HOURS", 24)
A2A_WIRE_LOG = env.flag("A2A_WIRE_LOG", True)
A2A_WIRE_LOG_MAX_BYTES = env.whole("A2A_WIRE_LOG_MAX_BYTES", 64 * 1024, least=1024)

# What is measured

METRICS = env.flag("METRICS", True)
METRICS_ALLOW = env.proxies("METRICS_ALLOW")
METRICS_KEEP_DAYS = env.whole("METRICS_KEEP_DAYS", 30, least=1)
METRICS_FULL_HOURS = env.whole("METRICS_FULL_HOURS", 48, least=1)
ALERT_EMAILS = env.words("ALERT_EMAILS")
ALERT_WEBHOOK_URL = env.url("ALERT_WEBHOOK_URL", "")
ALERT_WEBHOOK_SECRET = env.text("ALERT_WEBHOOK_SECRET")
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.whole("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD")
EMAIL_USE_TLS = (EMAIL_TLS := env.choice("EMAIL_TLS", "STARTTLS", ("STARTTLS", "TLS", "OFF"))) == "STARTTLS"
EMAIL_USE_SSL = EMAIL_TLS == "TLS"
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT_SECONDS", 15, least=1)
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "tkr-agent-chat@localhost")

# Traces: OpenTelemetry's SDK reads its variables in the process's environment, so those of `.env` are put there.

OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", "")
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
OTEL_EXPORTER_OTLP_HEADERS = env.text("OTEL_EXPORTER_OTLP_HEADERS")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "tkr-agent-chat")
OTEL_RESOURCE_ATTRIBUTES = env.text("OTEL_RESOURCE_ATTRIBUTES")
OTEL_TRACES_SAMPLER = env.text("OTEL_TRACES_SAMPLER", "parentbased_always_on")
OTEL_TRACES_SAMPLER_ARG = env.text("OTEL_TRACES_SAMPLER_ARG")
OTEL_SDK_DISABLED = env.flag("OTEL_SDK_DISABLED", False)
TRACES = bool(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT) and not OTEL_SDK_DISABLED
if TRACES:
    os.environ.update({name: value for name, value in env.values.items() if name.startswith("OTEL_")})
    os.environ["OTEL_SERVICE_NAME"] = OTEL_SERVICE_NAME
# The A2A SDK wraps each of its functions in a span, which costs a quarter of a call; ours cover the same.
os.environ.setdefault("OTEL_INSTRUMENTATION_A2A_SDK_ENABLED", "false")

# Tools, and what they may reach

OPENWEATHER_API_KEY = env.text("OPENWEATHER_API_KEY")
OPENWEATHER_URL = env.url("OPENWEATHER_URL", "https://api.openweathermap.org")
OPEN_METEO_URL = env.url("OPEN_METEO_URL", "https://api.open-meteo.com")
OPEN_METEO_GEOCODING_URL = env.url("OPEN_METEO_GEOCODING_URL", "https://geocoding-api.open-meteo.com")
OUTGOING_ALLOW = env.networks("OUTGOING_ALLOW")
OUTGOING_MAX_BYTES = env.whole("OUTGOING_MAX_BYTES", 2 * 1024 * 1024, least=1024)
OUTGOING_TIMEOUT_SECONDS = env.number("OUTGOING_TIMEOUT_SECONDS", 15, least=0.1)

# Chat

CHAT_MESSAGE_MAX_CHARS = env.whole("CHAT_MESSAGE_MAX_CHARS", 100_000, least=1)
CHAT_PAGE_SIZE = env.whole("CHAT_PAGE_SIZE", 50, least=1, most=500)
ATTACHMENT_MAX_BYTES = env.whole("ATTACHMENT_MAX_BYTES", 20 * 1024 * 1024, least=1)
WEBSOCKET_PING_SECONDS = env.number("WEBSOCKET_PING_SECONDS", 30, least=1)
WEBSOCKET_PING_TIMEOUT_SECONDS = env.number("WEBSOCKET_PING_TIMEOUT_SECONDS", 10, least=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * CHAT_MESSAGE_MAX_CHARS + 64 * 1024  # JSON's longest way to write a character is 12

# Logging

OUR_APPS = ("tkr_chat", "ops", "metrics", "chat", "agents_app", "accounts")
LOG_HANDLERS = ["stderr", *(("file", "errors") if LOG_FILES else ())]
LOG_DIR = DATA_DIR / "logs"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "tkr_chat.log_lines.WithContext"}},
    "formatters": {
        "line": {"()": "tkr_chat.log_lines.LogLine", "fold_tracebacks": not DEBUG},
        "json": {"()": "tkr_chat.log_lines.JsonLine"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["context"]},
        "file": {
            "()": "tkr_chat.log_files.DailyFile",
            "path": LOG_DIR / "server.log",
            "formatter": LOG_FORMAT,
            "filters": ["context"],
        },
        "errors": {
            "()": "tkr_chat.log_files.DailyFile",
            "path": LOG_DIR / "errors.log",
            "formatter": LOG_FORMAT,
            "filters": ["context"],
            "level": "ERROR",
        },
    },
    "root": {"handlers": LOG_HANDLERS, "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # instead of Django's own: a console only in DEBUG, and mail
        "django.request": {
            "level": "ERROR"
        },  # a page that is not there is no news, and its address may be a spent link
        **{app: {"level": LOG_LEVEL} for app in OUR_APPS},
        **{part: {"level": level} for part, level in LOG_LEVELS.items()},
    },
}
