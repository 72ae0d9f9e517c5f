# Two stages: the first installs into a virtual environment, the second carries only that.
# Build:  docker build -t pesisir .
# Run:    docker run --read-only --tmpfs /tmp -v pesisir:/data -p 8080:8080 -p 1812-1813:1812-1813/udp pesisir
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/pesisir
WORKDIR /src
COPY requirements.lock ./
RUN /opt/pesisir/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY radius radius
COPY app app
COPY migrations migrations
COPY portal_templates portal_templates
RUN /opt/pesisir/bin/pip install --no-cache-dir --no-index --no-build-isolation --no-deps . \
    && /opt/pesisir/bin/python -m compileall -q /opt/pesisir/lib

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 pesisir \
    && useradd --uid 10001 --gid pesisir --no-create-home --home-dir /data --shell /usr/sbin/nologin pesisir \
    && install -d -o pesisir -g pesisir -m 0700 /data
COPY --from=build /opt/pesisir /opt/pesisir
# Inside a container every interface is the container's own; what the world may reach is what -p publishes.
ENV PATH=/opt/pesisir/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PESISIR_DATA_DIR=/data \
    PESISIR_HTTP_LISTEN=0.0.0.0:8080 \
    PESISIR_ADMIN_LISTEN=0.0.0.0:8081 \
    PESISIR_RADIUS_AUTH_LISTEN=0.0.0.0:1812 \
    PESISIR_RADIUS_ACCT_LISTEN=0.0.0.0:1813
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080/tcp 8081/tcp 1812/udp 1813/udp
# /healthz of the process itself: a database that is away must not make an orchestrator kill the node that bridges it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["pesisir", "doctor", "--alive"]
ENTRYPOINT ["pesisir"]
CMD ["serve"]
