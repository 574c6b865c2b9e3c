import type { LogLine } from '../../api.ts';
import { fineTime } from '../widgets/format.ts';
import { Notice } from '../widgets/notice.tsx';

export interface LogLinesProps {
  readonly logs: readonly LogLine[];
  /** Span whose lines are marked. */
  readonly selected: string | undefined;
}

export function LogLines({ logs, selected }: LogLinesProps) {
  return (
    <section class="logs" aria-labelledby="logs-title">
      <h3 id="logs-title">Log lines</h3>
      {logs.length === 0 && <Notice>No service has written a line in this trace.</Notice>}
      <ol>
        {logs.map((line) => (
          <li
            key={`${line.atMs} ${line.spanId} ${line.message}`}
            class={line.spanId === selected ? `selected ${line.level}` : line.level}
          >
            <p>
              <time>{fineTime(line.atMs)}</time>{' '}
              <span class={`service-name of-${line.service}`}>{line.service}</span> <b>{line.level}</b>{' '}
              {line.message}
            </p>
            <p class="fields">
              {Object.entries(line.fields).map(([key, value]) => (
                <span key={key}>
                  {key}={typeof value === 'string' ? value : JSON.stringify(value)}
                </span>
              ))}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
