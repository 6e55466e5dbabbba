# rules-harness in a container; docs/ci.md says how to run it.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/rules-harness \
 && /opt/rules-harness/bin/python -m pip install --quiet --no-cache-dir --require-hashes --requirement requirements.lock
COPY src src
COPY openapi openapi
COPY strategies strategies
COPY harness harness
COPY reports reports
RUN /opt/rules-harness/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /opt/rules-harness /opt/rules-harness
RUN useradd --create-home harness && mkdir /work && chown harness /work
USER harness
WORKDIR /work
ENTRYPOINT ["/opt/rules-harness/bin/rules-harness"]
CMD ["--help"]
