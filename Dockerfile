# The image of a service: docker build --build-arg SERVICE=NAME --tag NAME .
# It uses no feature that needs BuildKit.

# Pinned by digest, so that a build is repeatable. Renovate updates it with the tag.
ARG NODE_IMAGE=node:26-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2

# The files that npm reads and no others, so that an edited source file does not repeat the installation.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc ! -name '*.tgz' -delete \
 && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=manifests /app .
# No production dependency needs an install script. Source maps and type declarations are half of what npm installs, and are
# not read here. Licences stay.
RUN npm ci --omit=dev --ignore-scripts \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
COPY . .
# Links the commands of the workspaces, whose files were not there when npm installed. Makes a folder for the secrets of each
# service, see the stage `tools`.
RUN npm rebuild --ignore-scripts && for name in $(ls services) operator postgres; do install -d "/secrets/$name"; done

# The commands of this repository, and every service from its sources: docker build --target tools .
FROM ${NODE_IMAGE} AS tools
COPY --from=build /app /app
# A named volume takes the owner of the folder on which it is first mounted.
COPY --from=build --chown=1000:1000 /secrets /secrets
WORKDIR /app
# The default, made explicit: development keys, development certificates and plain text are rejected.
ENV NODE_ENV=production
# The user node, by number: Kubernetes cannot verify that a name is not root.
USER 1000:1000
ENTRYPOINT ["node"]

FROM build AS bundle
ARG SERVICE=
RUN node_modules/.bin/svc bundle "${SERVICE:?is missing: docker build --build-arg SERVICE=NAME}" /bundle

FROM ${NODE_IMAGE} AS service
COPY --from=bundle /bundle /app
WORKDIR /app
RUN install -d -o 1000 -g 1000 compiled
ENV NODE_ENV=production
USER 1000:1000
# Compiles here and not at every start: without settings the programs load their modules, then exit with an error. As the
# user of the service, because Node keeps a cache for each user.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN for program in dist/main.js dist/*.js; do node $program > /dev/null 2>&1; done; test -n "$(ls compiled)"
# For a container of 512 MiB: the rest is for buffers, TLS and code. Set other values for a larger container. The space for new
# objects keeps the size that it had in a burst.
ENV NODE_OPTIONS="--max-old-space-size=256 --max-semi-space-size=16"
# Buffers from 128 KiB are returned to the system when they are freed. By default glibc raises this limit up to 32 MiB, and
# keeps the memory of large messages. The threads of Node share two heaps, where by default each has its own.
ENV MALLOC_MMAP_THRESHOLD_=131072 MALLOC_ARENA_MAX=2
# Readiness. A probe starts a Node process, which takes 0.1 s of CPU: hence the interval. On a machine with little CPU it
# is slow although the service is healthy: hence the timeout.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 CMD ["node", "dist/health-probe.js"]
CMD ["node", "dist/main.js"]
