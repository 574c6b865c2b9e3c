/** The memory settings of the Dockerfile, for a container with the 512 MiB of the manifests. */
export const imageEnvironment = {
  NODE_OPTIONS: '--max-old-space-size=256 --max-semi-space-size=16',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_ARENA_MAX: '2',
};
