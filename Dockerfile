# The image of a service: docker build --build-arg SERVICE=orders --tag orders .
# It takes nothing that only BuildKit has.

# Pinned by digest, so that a build is repeatable. Renovate moves it with the tag.
ARG NODE_IMAGE=node:26-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2

# What npm reads and nothing else, so that an edited source does not install everything again.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /build
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
 && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
ARG SERVICE
WORKDIR /build
COPY --from=manifests /build .
# Nothing that runs in production needs an install script. Source maps and types are half of what npm brings, and nothing
# reads them here. Licences stay.
RUN npm ci --omit=dev --ignore-scripts --workspace="@acme/$SERVICE" \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
COPY . .
# npm has linked the workspaces that the service is made of: those and no others. They stay links, because Node strips
# no types below node_modules.
RUN mkdir /app && cp -a --parents node_modules $(realpath --relative-to=. node_modules/@acme/*) /app

FROM ${NODE_IMAGE} AS runtime
ARG SERVICE
COPY --from=build /app /app
WORKDIR /app/node_modules/@acme/$SERVICE
# Compiled here, and not at every start. Started with nothing configured the service ends at once, and says so.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN for program in src/main.ts /app/packages/rpc/src/client/health-probe.ts; do node $program > /dev/null 2>&1; done; test -d /app/compiled
# Explicit, though absent means the same: development keys, certificates and plain text are refused.
ENV NODE_ENV=production
# The user node, by number: Kubernetes cannot tell of a name that it is not root's.
USER 1000:1000

# The commands of this repository: docker build --build-arg SERVICE=lab --target tools .
FROM runtime AS tools
USER root
WORKDIR /app
COPY --from=build /build/services.ts .
# Named volumes take the owner of the folder that they are first mounted on.
RUN install -d -o 1000 -g 1000 /secrets/operator /secrets/postgres /secrets/inventory /secrets/orders
USER 1000:1000
ENTRYPOINT ["node"]

FROM runtime AS service
# For a container of 512 MiB: the rest is for buffers, TLS and code. A larger container gets its own value.
ENV NODE_OPTIONS=--max-old-space-size=256
# Readiness. A probe starts a Node of its own, which takes 0.3 s of CPU: hence the interval. A machine
# that is short of CPU is slow at it, which says nothing of the service: hence the timeout.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 \
  CMD ["node", "/app/packages/rpc/src/client/health-probe.ts"]
CMD ["node", "src/main.ts"]
