import { expect, test, vi } from 'vitest';
import { pageFile } from './page-bundle.ts';

const { rolldown } = vi.hoisted(() => ({ rolldown: vi.fn() }));
vi.mock('rolldown', () => ({ rolldown }));

test('a page that could not be bundled is bundled again', async () => {
  rolldown.mockRejectedValueOnce(new Error('main.tsx is half saved'));
  await expect(pageFile('/page.js')).rejects.toThrow('half saved');
  rolldown.mockResolvedValueOnce({
    generate: async () => ({ output: [{ code: 'script' }] }),
    close: async () => {},
  });
  expect(await pageFile('/page.js')).toMatchObject({ body: 'script' });
  expect(await pageFile('/none.js')).toBeUndefined();
});
