"""One settings file for every place the portal runs in. What differs comes from the environment (.env.example).

With nothing configured this is the demo: embedded PostgreSQL, files under var/, a clock that can be moved, a gateway
that moves no money. As soon as a DATABASE_URL is given it is the real portal, and icg_cert/checks.py refuses to start
it unsafe.
"""

from pathlib import Path

import dj_database_url
from environs import env

from icg_cert import embedded_postgres, reporting

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = env.bool("ICG_TESTING", False)
if not TESTING:
    env.read_env(str(BASE_DIR / ".env"), recurse=False)

DATABASE_URL = env.str("DATABASE_URL", "")
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("ICG_DEMO", not DATABASE_URL)
REAL = not (DEMO or DEBUG)
VAR_DIR = embedded_postgres.var_dir()
REHEARSAL_CLOCK_FILE = VAR_DIR / "rehearsal-clock"

# Where it is reached
PORT = env.int("PORT", 8000)
BASE_URL = env.str("BASE_URL", "").rstrip("/") or f"http://localhost:{PORT}"
HOST = BASE_URL.partition("://")[2].partition("/")[0].partition(":")[0]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if REAL else ["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [BASE_URL])
INSECURE_KEY = "insecure: the demo's sign-ins are printed on the screen anyway"
SECRET_KEY = env.str("SECRET_KEY", "") or ("" if REAL else INSECURE_KEY)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])  # what was signed with these still holds
ROOT_URLCONF = "icg_cert.urls"
WSGI_APPLICATION = "icg_cert.wsgi.application"

INSTALLED_APPS = [
    "icg_cert",
    "icg_cert.audit",
    "icg_cert.mail",
    "icg_cert.operations",
    "candidates",
    "portfolios",
    "scoring",
    "payments",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "csp",
    "django_htmx",
    "pgtrigger",
]

MIDDLEWARE = [
    "icg_cert.middleware.instant",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "icg_cert.middleware.second_factor",
]

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
                "icg_cert.context.frame",
            ],
        },
    },
]
CRISPY_TEMPLATE_PACK = "icg"
CRISPY_ALLOWED_TEMPLATE_PACKS = "icg"

# Database
DATABASES = {
    "default": {
        **dj_database_url.parse(DATABASE_URL or embedded_postgres.url(VAR_DIR)),
        "CONN_MAX_AGE": 0 if TESTING else 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Time, language
TIME_ZONE = "America/Chicago"  # the programme's; days are announced in it, instants are stored in UTC
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = False

# People (allauth: e-mail sign-in, verification, second factor)
AUTH_USER_MODEL = "candidates.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hundreds of sign-ins, no secrets
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/dashboard/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "candidates.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = False if TESTING else {}  # {} keeps allauth's own, which are on
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 0)  # whose X-Forwarded-For the rate limits believe
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "ICG certification"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not REAL
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", not DEMO)

# Mail; without a server it is written to var/mail, one file a message
if email_url := env.str("EMAIL_URL", ""):
    EMAIL = env.dj_email_url("EMAIL_URL")
    EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
    EMAIL_HOST = EMAIL["EMAIL_HOST"]
    EMAIL_PORT = EMAIL["EMAIL_PORT"]
    EMAIL_HOST_USER = EMAIL["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = EMAIL["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = EMAIL["EMAIL_USE_TLS"]
    EMAIL_USE_SSL = EMAIL["EMAIL_USE_SSL"]
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"ICG certification <certification@{HOST}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_DOMAIN = env.str("MAIL_DOMAIN", HOST)

# Files: on local disk, or in a bucket when there is one
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"  # never routed: files are served by views that ask who is asking
S3_BUCKET = env.str("S3_BUCKET", "")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", "")
S3_REGION = env.str("S3_REGION", "us-east-1")
# What browsers call, where it differs
S3_PUBLIC_URL = env.str("S3_PUBLIC_URL", "") or S3_ENDPOINT_URL or f"https://s3.{S3_REGION}.amazonaws.com"
S3_ADDRESSING = "path" if S3_ENDPOINT_URL else "virtual"  # Amazon knows a bucket by its own host name
S3_ACCESS_KEY = env.str("S3_ACCESS_KEY", "")
S3_SECRET_KEY = env.str("S3_SECRET_KEY", "")
PART_CHECKSUM = env.str("PART_CHECKSUM", "sha256")  # "none": the provider does not know SHA-256 of parts
LOCAL_FILES = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
BUCKET = {
    "BACKEND": "portfolios.storage.papers.Papers",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT_URL or None,
        "region_name": S3_REGION,
        "access_key": S3_ACCESS_KEY or None,  # None lets boto3 find the machine's own role
        "secret_key": S3_SECRET_KEY or None,
        "addressing_style": S3_ADDRESSING,
        "file_overwrite": False,
        "querystring_auth": True,
        "querystring_expire": 3600,
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
HASHED_STATIC = "icg_cert.statics.HashedStatics"
PLAIN_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": BUCKET if S3_BUCKET else LOCAL_FILES,
    "staticfiles": {"BACKEND": HASHED_STATIC if REAL else PLAIN_STATIC},
}
WHITENOISE_USE_FINDERS = not REAL  # the demo needs no collectstatic
FILE_UPLOAD_PERMISSIONS = 0o600

# Upload limits
MIB = 1024 * 1024
UPLOAD_VIDEO_MAX_BYTES = env.int("UPLOAD_VIDEO_MAX_BYTES", 4096 * MIB)
UPLOAD_DOCUMENT_MAX_BYTES = env.int("UPLOAD_DOCUMENT_MAX_BYTES", 25 * MIB)
UPLOAD_DOCUMENT_MAX_PAGES = 100
UPLOAD_CAPTIONS_MAX_BYTES = 1 * MIB
UPLOAD_PART_BYTES = 8 * MIB  # S3 wants at least 5 MiB; 4 GiB are then 512 parts, under one list page of 1,000
UPLOAD_SIGN_BATCH = 8
UPLOAD_TOKEN_SECONDS = 3600
UPLOAD_LANES = 3
UPLOAD_OPEN_PER_PERSON = 5
UPLOAD_DURATION_TOLERANCE_SECONDS = 15
UPLOAD_DURATION_MIN_SECONDS = 5
UPLOAD_FRAME_MAX = (4096, 2304)
UPLOAD_STALE_HOURS = 48
UPLOAD_PROCESSING_ATTEMPTS = 3
FFMPEG = env.str("FFMPEG", "")  # the program; empty: the one that came with the dependencies
MEDIA_POLL_SECONDS = env.int("MEDIA_POLL_SECONDS", 1 if DEMO else 5)  # how often an idle media worker looks

# How long files are kept; /policies/ says these numbers
MEDIA_RETENTION_DAYS = env.int("MEDIA_RETENTION_DAYS", 365)  # what was handed in, from the final notice on
MEDIA_KEEP_REPLACED_DAYS = env.int("MEDIA_KEEP_REPLACED_DAYS", 30)  # what was left out, from the end of its window on
MEDIA_TRAINING_EXTRA_DAYS = env.int("MEDIA_TRAINING_EXTRA_DAYS", 0)  # films that may be used to train scorers: longer

# Documents: a malware scanner ("unix:/path" or "tcp://host:port"; empty: none), and LibreOffice for previews
CLAMD_SOCKET = env.str("CLAMD_SOCKET", "")
DOCUMENT_PREVIEWS = env.bool("DOCUMENT_PREVIEWS", True)  # made where `soffice` is installed

# Badges: the file of the keys that sign them (manage.py make_badge_key); without it certificates come without badges
BADGE_KEYS_FILE = env.str("BADGE_KEYS_FILE", "") or (str(VAR_DIR / "badge-keys.json") if DEMO else "")

# Payment
PAYMENT_TIMEOUT_SECONDS = env.int("PAYMENT_TIMEOUT_SECONDS", 10)  # how long somebody waits for one answer of a provider
STANDS_IN = DEMO and not TESTING  # in the demo two programs of tests/doubles stand in for the providers
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "") or ("sk_test_practice_key_no_money" if STANDS_IN else "")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "") or ("whsec_practice_secret_no_money" if STANDS_IN else "")
STRIPE_API_URL = env.str("STRIPE_API_URL", "") or (f"http://127.0.0.1:{PORT + 1}" if STANDS_IN else "")  # "": Stripe
PAYPAL_CLIENT_ID = env.str("PAYPAL_CLIENT_ID", "") or ("practice-client-no-money" if STANDS_IN else "")
PAYPAL_CLIENT_SECRET = env.str("PAYPAL_CLIENT_SECRET", "") or ("practice-secret-no-money" if STANDS_IN else "")
PAYPAL_WEBHOOK_ID = env.str("PAYPAL_WEBHOOK_ID", "") or ("practice-webhook" if STANDS_IN else "")
PAYPAL_MERCHANT_ID = env.str("PAYPAL_MERCHANT_ID", "")  # empty: whoever the app belongs to
PAYPAL_LIVE_URL = "https://api-m.paypal.com"
PAYPAL_STAND_IN = f"http://127.0.0.1:{PORT + 2}"
PAYPAL_API_URL = env.str("PAYPAL_API_URL", "").rstrip("/") or (PAYPAL_STAND_IN if STANDS_IN else PAYPAL_LIVE_URL)
# Where PayPal's pages are, by where its interface is. A stand-in's are at its own address.
PAYPAL_PAGES = {
    PAYPAL_LIVE_URL: "https://www.paypal.com",
    "https://api-m.sandbox.paypal.com": "https://www.sandbox.paypal.com",
}
# Where a payer may be sent on to: Chrome holds the redirect after a form against the policy, too.
PAYMENT_PAGES = env.list("PAYMENT_PAGES", [])
PAYMENT_PAGES += [STRIPE_API_URL or "https://checkout.stripe.com"] if STRIPE_SECRET_KEY else []
PAYMENT_PAGES += [PAYPAL_PAGES.get(PAYPAL_API_URL, PAYPAL_API_URL)] if PAYPAL_CLIENT_ID else []

# Queue and cache: Redis, or files under var/ and the process's own memory
REDIS_URL = env.str("REDIS_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "icg_cert.file_broker:Transport"
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 3600}
    if REDIS_URL
    else {
        "data_folder_in": str(VAR_DIR / "queue"),
        "data_folder_out": str(VAR_DIR / "queue"),
        "control_folder": str(VAR_DIR / "queue-control"),
    }
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # every job is safe twice, none may be lost
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Safety
S3_ORIGIN = ["/".join(S3_PUBLIC_URL.split("/")[:3])] if S3_BUCKET else []
if S3_ADDRESSING == "virtual":
    S3_ORIGIN = [origin.replace("://", f"://{S3_BUCKET}.") for origin in S3_ORIGIN]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *S3_ORIGIN],
        "media-src": ["'self'", "blob:", *S3_ORIGIN],
        "connect-src": ["'self'", *S3_ORIGIN],
        "frame-src": ["'self'", *S3_ORIGIN],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *PAYMENT_PAGES],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = REAL
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = REAL
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, without the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if REAL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = REAL
SECURE_HSTS_PRELOAD = REAL
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if REAL else None

# Log: one JSON object a line on the console. Messages name rows by key, never people.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "icg_cert.log.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "botocore": {"level": "WARNING"},
        "paypalrestsdk": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # every scanner of the internet causes one
        "pikepdf": {"level": "WARNING"},
    },
}

# Who watches: /metrics answers whoever sends this token; what goes wrong is reported where the DSN says.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
SENTRY_DSN = env.str("SENTRY_DSN", "")
if SENTRY_DSN:
    reporting.begin(SENTRY_DSN)
