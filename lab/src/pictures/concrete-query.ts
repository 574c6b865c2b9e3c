export interface QueryTiming {
  readonly scrapeSeconds: number;
  /** Between the points of a line. */
  readonly stepSeconds: number;
}

/**
 * A panel's query as Grafana would send it, with every service chosen: `$__rate_interval` is long enough for four
 * scrapes, and for what happens between two points.
 *
 * @throws Error for a variable of Grafana's that this knows nothing of.
 */
export function concreteQuery(query: string, { scrapeSeconds, stepSeconds }: QueryTiming): string {
  const variables: Record<string, string> = {
    $__rate_interval: `${Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds)}s`,
    $job: '.+',
  };
  return query.replaceAll(/\$\w+/g, (variable) => {
    const value = variables[variable];
    if (value === undefined) throw new Error(`nothing to put in the place of ${variable}: ${query}`);
    return value;
  });
}

/** A line's name by its panel's legendFormat: `{{job}} in flight`. Labels that the series has not got leave nothing. */
export function seriesName(legendFormat: string, labels: Readonly<Record<string, string>>): string {
  const name = legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_all, label: string) => labels[label] ?? '');
  return name.replaceAll(/\s+/g, ' ').trim();
}
