import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Signals } from '../../api.ts';
import { getJson } from '../data/console-api.ts';
import { isConnected, partOf } from '../data/live.ts';
import { pause, whileVisible } from '../data/visibility.ts';
import { counted } from '../widgets/format.ts';
import { Notice, TelemetryElsewhere } from '../widgets/notice.tsx';
import { PartStateMark } from '../widgets/part-state.tsx';
import { type History, newestMs, type ServiceHistory, startOfCharts, withNewer } from './history.ts';
import { MethodCharts } from './method-charts.tsx';
import { SaturationCharts } from './saturation-charts.tsx';

const pollMs = 2000;

/** The four golden signals of the last ten minutes. */
export function SignalsPage() {
  const history = useSignal<History>(new Map());
  useEffect(() => whileVisible((hidden) => poll(history, hidden)), []);
  const services = [...history.value.values()];
  const startMs = startOfCharts(history.value, Date.now());
  return (
    <div class="signals">
      <TelemetryElsewhere />
      {services.length === 0 && <Notice>The services have not reported any signals yet.</Notice>}
      {services.map((service) => (
        <ServiceSection key={service.service} history={service} startMs={startMs} />
      ))}
    </div>
  );
}

async function poll(history: { value: History }, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    if (isConnected.value) {
      const newer = await getJson<Signals>(`/api/signals?since=${newestMs(history.value)}`, stopped).catch(
        () => undefined,
      );
      if (newer && !stopped.aborted) history.value = withNewer(history.value, newer, Date.now());
    }
    await pause(pollMs, stopped);
  }
}

interface ServiceSectionProps {
  readonly history: ServiceHistory;
  readonly startMs: number;
}

function ServiceSection({ history, startMs }: ServiceSectionProps) {
  const { service, methods, saturation } = history;
  const part = partOf(service);
  const breakers = Object.entries(part?.breakers ?? {});
  const called = [...methods].filter(([, points]) => points.some(({ perSecond }) => perSecond > 0));
  const idle = methods.size - called.length;
  return (
    <section class="service" aria-labelledby={`signals-${service}`} data-service={service}>
      <h2 id={`signals-${service}`}>
        {service} {part && <PartStateMark state={part.state} />}
        {breakers.map(([name, state]) => (
          <span key={name} class={state === 'closed' ? 'aside' : 'breaker'}>
            breaker of {name} {state}
          </span>
        ))}
        {idle > 0 && <span class="aside">{counted(idle, 'method')} without calls</span>}
      </h2>
      {called.map(([method, points]) => (
        <MethodCharts key={method} method={method} points={points} startMs={startMs} />
      ))}
      {saturation.length > 0 && <SaturationCharts points={saturation} startMs={startMs} />}
    </section>
  );
}
