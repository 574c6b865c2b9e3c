# The image of a service: docker build --build-arg SERVICE=NAME --tag NAME .
# It uses no feature that needs BuildKit.

# Pinned by digest, so that a build is repeatable. Renovate updates it with the tag.
ARG NODE_IMAGE=node:26-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2

# The files that npm reads and no others, so that an edited source file does not repeat the installation.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /build
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc ! -name '*.tgz' -delete \
 && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
ARG SERVICE=
WORKDIR /build
COPY --from=manifests /build .
# No production dependency needs an install script. npm also installs what the omitted dependencies of this workspace share with
# another one. Source maps and type declarations are half of what it installs, and are not read here. Licences stay.
RUN npm ci --omit=dev --ignore-scripts ${SERVICE:+--workspace="@acme/$SERVICE"} \
 && npm query ':extraneous' | grep -o '"location": "node_modules/[^"]*' | cut -d '"' -f 4 | xargs rm -rf \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
COPY . .
# npm has linked the workspaces that the service imports and no others. They stay links: Node does not strip types below
# node_modules. Links their commands, whose files were not there when npm installed.
RUN npm rebuild --ignore-scripts && mkdir /app && cp -a --parents node_modules $(realpath --relative-to=. node_modules/@acme/*) /app
# A folder for the secrets of each service, see the stage `tools`.
RUN cd services && for service in *; do install -d "/secrets/$service"; done && install -d /secrets/operator /secrets/postgres

FROM ${NODE_IMAGE} AS runtime
ARG SERVICE=
COPY --from=build /app /app
WORKDIR /app/node_modules/@acme/$SERVICE
# Compiles here and not at every start: without settings the service loads its modules, then exits with an error.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN for program in src/main.ts /app/node_modules/.bin/rpc-health-probe; do node $program > /dev/null 2>&1; done; test -d /app/compiled
# The default, made explicit: development keys, development certificates and plain text are rejected.
ENV NODE_ENV=production
# The user node, by number: Kubernetes cannot verify that a name is not root.
USER 1000:1000

# The commands of this repository, and every service: docker build --target tools .
FROM runtime AS tools
USER root
WORKDIR /app
COPY --from=build /build/package.json /build/services.ts ./
# A named volume takes the owner of the folder on which it is first mounted.
COPY --from=build --chown=1000:1000 /secrets /secrets
USER 1000:1000
ENTRYPOINT ["node"]

FROM runtime AS service
# For a container of 512 MiB: the rest is for buffers, TLS and code. Set other values for a larger container. The space for new
# objects keeps the size that it had in a burst.
ENV NODE_OPTIONS="--max-old-space-size=256 --max-semi-space-size=16"
# Buffers from 128 KiB are returned to the system when they are freed. By default glibc raises this limit up to 32 MiB, and
# keeps the memory of large messages.
ENV MALLOC_MMAP_THRESHOLD_=131072
# Readiness. A probe starts a Node process, which takes 0.3 s of CPU: hence the interval. On a machine with little CPU it
# is slow although the service is healthy: hence the timeout.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 \
  CMD ["node", "/app/node_modules/.bin/rpc-health-probe"]
CMD ["node", "src/main.ts"]
