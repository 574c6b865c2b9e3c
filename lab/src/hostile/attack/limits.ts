/** Figures of one attack. */
export interface Figures {
  /** Resident memory of the replica in MiB: before the attack, at its peak, and some seconds after. */
  readonly idleMiB: number;
  readonly peakMiB: number;
  readonly keptMiB: number;
  readonly logBytes: number;
  readonly attackMs: number;
  readonly bystander: BystanderFigures;
}

/** Measurements of the bystander during the attack. */
export interface BystanderFigures {
  readonly calls: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Longest time from the resume of a watch to its first event. */
  readonly longestResumeMs: number;
  /** Failed calls, watches, resumes, newcomers and health checks, each with its count. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface Limits {
  readonly growthMiB: number;
  readonly peakMiB: number;
  /** Memory over idle that may remain `releaseMs` after the attack: V8 collects garbage late. */
  readonly keptGrowthMiB: number;
  readonly p99Ms: number;
  readonly resumeMs: number;
  readonly logBytesPerSecond: number;
}

/**
 * Limits of an attack unless it sets its own. A replica in the manifests has 512 MiB, 256 of them heap, so that 450
 * leaves a margin. An idle replica uses about 150 MiB.
 */
export const defaultLimits: Limits = {
  growthMiB: 150,
  peakMiB: 450,
  keptGrowthMiB: 120,
  p99Ms: 1000,
  resumeMs: 5000,
  logBytesPerSecond: 1024 * 1024,
};

/** Time in which memory must be released. */
export const releaseMs = 10_000;

/** Returns the exceeded limits with their figures, a line each. */
export function exceeded(figures: Figures, limits: Limits): string[] {
  const { idleMiB, peakMiB, keptMiB, logBytes, attackMs, bystander } = figures;
  const over = (value: number, limit: number, text: (value: number, limit: number) => string) =>
    value > limit ? [text(Math.round(value), limit)] : [];
  const logBytesPerSecond = logBytes / Math.max(1, attackMs / 1000);
  return [
    ...over(peakMiB - idleMiB, limits.growthMiB, (is, limit) => `memory grew by ${is} MiB, limit ${limit}`),
    ...over(peakMiB, limits.peakMiB, (is, limit) => `memory peaked at ${is} MiB, limit ${limit}`),
    ...over(
      keptMiB - idleMiB,
      limits.keptGrowthMiB,
      (is, limit) => `${is} MiB were not released within ${releaseMs / 1000} s, limit ${limit}`,
    ),
    ...over(
      bystander.p99Ms,
      limits.p99Ms,
      (is, limit) =>
        `the bystander's p99 was ${is} ms, limit ${limit} (longest ${Math.round(bystander.longestMs)})`,
    ),
    ...over(
      bystander.longestResumeMs,
      limits.resumeMs,
      (is, limit) => `the bystander's resumed watch took ${is} ms, limit ${limit}`,
    ),
    ...over(
      logBytesPerSecond,
      limits.logBytesPerSecond,
      (is, limit) => `the replica logged ${is} bytes a second, limit ${limit}`,
    ),
    ...(bystander.calls === 0 ? ['the bystander made no call'] : []),
    ...Object.entries(bystander.failures).map(([failure, count]) => `bystander: ${failure} (${count} times)`),
  ];
}
