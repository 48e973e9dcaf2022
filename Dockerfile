# The image answers over HTTP with no network: models and the index of seeds/ are in it. It holds no torch: indexing,
# asking and serving run on exported graphs. `make image-proof` runs these steps in a clean Debian root without Docker.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
RUN python -m venv /opt/nutgraf
# Dependencies and weights first: a change of the code does not fetch them again.
COPY requirements/serving.lock requirements/serving.lock
RUN /opt/nutgraf/bin/pip install -q --require-hashes --no-deps --only-binary :all: -r requirements/serving.lock
# The client of Milvus, for NUTGRAF_STORE: docker build --build-arg MILVUS=1
ARG MILVUS=
COPY requirements/milvus.lock requirements/milvus.lock
RUN if [ -n "$MILVUS" ]; then /opt/nutgraf/bin/pip install -q --require-hashes --no-deps --only-binary :all: -r requirements/milvus.lock; fi
COPY pyproject.toml README.md LICENSE ./
COPY index index
COPY qa qa
COPY seeds seeds
RUN /opt/nutgraf/bin/pip install -q --no-deps --no-build-isolation .
RUN NUTGRAF_DATA_DIR=/build/data /opt/nutgraf/bin/nutgraf index seeds
# What only an installation needs stays behind.
RUN /opt/nutgraf/bin/pip uninstall -q -y hatchling editables trove-classifiers pathspec pluggy tomlkit setuptools pip

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nutgraf
COPY --from=build /opt/nutgraf /opt/nutgraf
COPY --from=build /build/seeds /corpus
COPY --from=build --chown=nutgraf:nutgraf /build/data /data
ENV PATH=/opt/nutgraf/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 ORT_DISABLE_TELEMETRY=1
# Inside a container every address is bound, so serving refuses to start without NUTGRAF_API_KEY (16 characters or more).
ENV NUTGRAF_HOST=0.0.0.0 NUTGRAF_PORT=8000 NUTGRAF_DATA_DIR=/data NUTGRAF_CORPUS=/corpus
WORKDIR /data
USER nutgraf
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['NUTGRAF_PORT']), timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
CMD ["nutgraf", "serve"]
