# The proxy without a desktop: the base dependencies of requirements.lock, each checked by its hash, and no Qt.
#   docker build -t anthropic-proxy .
#   docker run -p 5000:5000 -e PROXY_ACCESS_KEY=… -e SERVER_API_KEY=… -v anthropic-proxy:/data anthropic-proxy
# hadolint global ignore=DL3059

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock resources/packaging/base-packages.txt resources/packaging/build-packages.txt resources/packaging/pick.awk ./
RUN awk -f pick.awk base-packages.txt requirements.lock > base.lock
RUN awk -f pick.awk build-packages.txt requirements.lock > build.lock
RUN python -m venv /opt/build
RUN /opt/build/bin/pip install --require-hashes --only-binary :all: -r build.lock
RUN python -m venv /opt/anthropic-proxy
RUN /opt/anthropic-proxy/bin/pip install --require-hashes --only-binary :all: -r base.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY proxy_core proxy_core
COPY resources resources
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .
RUN /opt/anthropic-proxy/bin/pip install --no-deps --no-index dist/*.whl
RUN /opt/anthropic-proxy/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
COPY --from=build /opt/anthropic-proxy /opt/anthropic-proxy
# What the named volumes of docker-compose.yml are made from, so that they belong to the user, too.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin proxy \
 && install --directory --owner proxy --mode 0700 /data /data/logs /data/cache
ENV PATH=/opt/anthropic-proxy/bin:$PATH \
    ANTHROPIC_PROXY_HOME=/data \
    HOST=0.0.0.0 \
    PORT=5000 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring
WORKDIR /data
USER 10001
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["anthropic-proxy", "--health"]
CMD ["anthropic-proxy", "--headless"]
