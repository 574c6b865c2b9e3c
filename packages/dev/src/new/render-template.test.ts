import { expect, test } from 'vitest';
import { policies, services } from '../repository/load-services.ts';
import { calledService } from './called-service.ts';
import { planService, type ServiceOptions } from './plan-service.ts';
import { renderTemplate } from './render-template.ts';

/** Returns the text of the new service's files, or of one of them. */
function render(service: string, options: ServiceOptions): (file?: string) => string {
  const files = renderTemplate(planService(service, options), {
    port: 50099,
    webPort: 8053,
    metricsPort: 9499,
  });
  return (file = '') =>
    [...files]
      .filter(([path]) => path.endsWith(file))
      .map(([, text]) => text)
      .join('\n');
}

/** The parts of a text in the order in which it has them. */
const inOrder = (...parts: string[]) => new RegExp(parts.join(String.raw`[^\w]+`));

test('the states are in the order of the life of a resource', () => {
  const payments = render('payments', { rpcs: ['Authorize', 'Capture', 'Void'], settle: true });
  const order = inOrder('PENDING', 'AUTHORIZED', 'CAPTURED', 'VOIDED');
  expect(payments('payment-state.ts')).toMatch(order);
  expect(payments('payment-state.ts')).not.toContain('never');
  expect(payments('0001_payments.sql')).toMatch(order);
  expect(payments('0001_payments.sql')).toContain("'VOIDED'\n  )),");
  expect(render('refunds', { rpcs: [], settle: true })('0001_refunds.sql')).toContain("'CREATED'\n  )),");
});

test('the comment of a state says what it means with a settler, and without', () => {
  const commentOf = (settle: boolean, state: string) => {
    const proto = render('payments', { rpcs: ['Authorize', 'Void'], settle })('/payment.proto');
    return new RegExp(String.raw`// (.*)\n *STATE_${state} `).exec(proto)?.[1];
  };
  expect(commentOf(false, 'AUTHORIZED')).toBe('State of a new payment.');
  expect(commentOf(true, 'PENDING')).toContain('State of a new payment.');
  expect(commentOf(true, 'AUTHORIZED')).toBe('The work of the payment is done.');
});

test('the comment of the etag mentions a change that takes one only if a method does', () => {
  const sentence = 'A client sends it with a change';
  expect(render('refunds', { rpcs: [], settle: true })('/refund.proto')).not.toContain(sentence);
  expect(render('refunds', { rpcs: ['Request', 'Cancel'] })('/refund.proto')).toContain(sentence);
});

test.each([
  ['ledger', { rpcs: ['AuthorizeEntry', 'WatchEntries'] }],
  ['ledger', { rpcs: ['AuthorizeEntry'], settle: true }],
])('a service without methods that read has no code for them: %s with %j', (service, options) => {
  const ledger = render(service, options);
  expect(ledger('entry-store.ts')).not.toMatch(/\b(get|list|maxId)\b/);
  expect(ledger()).not.toMatch(/ENTRY_NOT_FOUND|store\.(get|list)\b|entries_by_owner ON/);
  expect(render(service, { rpcs: ['GetEntry', 'ListEntries'] })('entry-store.ts')).toMatch(
    /get: [\s\S]*list: /,
  );
});

// A repository without services has none to call.
const calls = services.slice(0, 1).map(({ name }) => calledService(name, services, policies));

test.each(calls)(
  'a service that calls $name shows how, and passes the client to the code that calls',
  (called) => {
    const call = `circuitBreaker.execute(() => ${called.name}.client.`;
    const passed = `${called.name},\n`;
    const ledger = render('ledger', { rpcs: ['AuthorizeEntry'], calls: called });
    expect(ledger('ledger-service.ts')).toContain(call);
    expect(ledger('app.ts').split(passed)).toHaveLength(2);
    const settling = render('ledger', { rpcs: ['AuthorizeEntry'], calls: called, settle: true });
    expect(settling('ledger-service.ts')).not.toContain(`readonly ${called.name}`);
    expect(settling('settle-entry.ts')).toContain(call);
    expect(settling('app.ts').split(passed)).toHaveLength(2);
  },
);

test('a name that ends in s gets no possessive, and a resource is not defined by itself', () => {
  const called = calls[0] && { ...calls[0], name: 'payments' };
  const texts = render('invoices', { rpcs: [], calls: called, watch: true, settle: true })();
  expect(texts).not.toMatch(/s['’]s\b/);
  expect(texts).toContain('// Invoice is a resource of InvoiceService.');
});
