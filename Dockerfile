# One image for web, worker, beat and the migrate step.
FROM python:3.12-slim AS build
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.12-slim
# Letters for every name that a certificate or a receipt may carry; LibreOffice, which shows documents to scorers as PDF.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-core fonts-noto-cjk libreoffice-writer-nogui && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /app --shell /usr/sbin/nologin icg \
    && install -d -o icg -g icg /app/var
COPY --from=build /venv /venv
WORKDIR /app
COPY --chown=root:root . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ICG_DEMO=0 STATIC_ROOT=/app/collected
# Collected at build time under throw-away settings; names change with the content, so they are cached for a year.
RUN DATABASE_URL=postgresql://none SECRET_KEY=build BASE_URL=https://build \
    python manage.py collectstatic --noinput --verbosity 0
USER icg
VOLUME /app/var
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD \
    python -c "from urllib.request import *; urlopen(Request('http://127.0.0.1:8000/healthz', headers={'Host': '${ALLOWED_HOSTS%%,*}'}), timeout=4)"
CMD ["gunicorn", "icg_cert.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=3", "--threads=8", \
     "--timeout=120", "--max-requests=2000", "--max-requests-jitter=200", "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
