import type { Browser, Page } from 'puppeteer-core';

/** The console's page in a browser. Selectors are CSS. Waits end after 60 s with an Error that names the selector. */
export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings that the browser has logged, and exceptions of the page, without `overloaded`. */
  readonly problems: string[];
  /** Opens an address of the page: `#/signals`. */
  open(hash: string): Promise<void>;
  /** Goes back in the history, as the browser's button does. */
  back(): Promise<void>;
  click(selector: string): Promise<void>;
  /** Returns the text of the first match; undefined if there is none. */
  text(selector: string): Promise<string | undefined>;
  texts(selector: string): Promise<readonly string[]>;
  untilShown(selector: string): Promise<void>;
  /** Waits until the text of the first match satisfies the condition, and returns it. */
  untilText(selector: string, is: (text: string) => boolean): Promise<string>;
  /** Returns the JSON of the console's API, as the page's own script would get it. */
  api<T>(path: string): Promise<T>;
}

/**
 * What browsers log about a call that a service on a busy machine answers with UNAVAILABLE or DEADLINE_EXCEEDED. The page shows it, and
 * cannot prevent the line.
 */
const overloaded = /the server responded with a status of 50[34]/;

const timeoutMs = 60_000;
const pollMs = 100;
/** Length of the page's text in an error. */
const maxShown = 2000;
const size = { width: 1440, height: 900 };

export async function openConsolePage(browser: Browser, url: string): Promise<ConsolePage> {
  const page = await browser.newPage();
  page.setDefaultTimeout(timeoutMs);
  await page.setViewport(size);
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type()) && !overloaded.test(message.text()))
      problems.push(`${message.text()} ${message.location().url ?? ''}`.trim());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url);
  const texts = async (selector: string) =>
    (await page.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.textContent.trim())`,
    )) as string[];
  const text = async (selector: string) => (await texts(selector))[0];
  const untilText: ConsolePage['untilText'] = async (selector, is) => {
    const startMs = performance.now();
    for (;;) {
      const found = await text(selector);
      if (found !== undefined && is(found)) return found;
      if (performance.now() - startMs > timeoutMs) throw new Error(`${selector} shows ${found}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  return {
    page,
    problems,
    open: async (hash) => {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    },
    // Puppeteer's goBack waits for a load, which a change of the fragment is not.
    back: async () => {
      await page.evaluate('history.back()');
    },
    click: (selector) => page.locator(selector).click(),
    text,
    texts,
    untilShown: async (selector) => {
      await page.waitForSelector(selector).catch(async (error) => {
        const [shown = ''] = await texts('main');
        throw new Error(`${error.message}. The page shows: ${shown.slice(0, maxShown)}`);
      });
    },
    untilText,
    api: async <T>(path: string) =>
      (await page.evaluate(
        `fetch(${JSON.stringify(path)}, { headers: { authorization: 'Bearer ' + localStorage.getItem('console-key') } }).then((response) => response.json())`,
      )) as T,
    [Symbol.asyncDispose]: () => page.close(),
  };
}
