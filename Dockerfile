# The image of a service: docker build --build-arg SERVICE=orders --tag orders .
# It takes nothing that only BuildKit has.

# What npm reads and nothing else, so that an edited source does not install everything again.
FROM node:26-bookworm-slim AS manifests
WORKDIR /build
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
 && find . -type d -empty -delete

FROM node:26-bookworm-slim AS build
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

FROM node:26-bookworm-slim AS runtime
ARG SERVICE
COPY --from=build /app /app
WORKDIR /app/node_modules/@acme/$SERVICE
# Compiled here, and not at every start. Started with nothing configured the service ends at once, and says so.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN for program in src/main.ts /app/packages/rpc/src/health-probe.ts; do node $program > /dev/null 2>&1; done; test -d /app/compiled
# Refuses development keys and certificates, unless whoever runs it says otherwise.
ENV NODE_ENV=production
# The user node, by number: Kubernetes cannot tell of a name that it is not root's.
USER 1000:1000

# The tools of this repository: docker build --build-arg SERVICE=tools --target tools .
FROM runtime AS tools
USER root
# Named volumes take the owner of the folder that they are first mounted on.
RUN install -d -o 1000 -g 1000 /secrets/operator /secrets/postgres /secrets/inventory /secrets/orders
USER 1000:1000
ENTRYPOINT ["node"]

FROM runtime AS service
# Readiness. A probe starts a Node of its own, which takes 0.3 s of CPU: hence the interval. A machine
# that is short of CPU is slow at it, which says nothing of the service: hence the timeout.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 \
  CMD ["node", "/app/packages/rpc/src/health-probe.ts"]
CMD ["node", "src/main.ts"]
