const storageName = 'console-key';

/** Returns the key of the console's API, which this browser keeps for later tabs. Empty if it has none. */
export function consoleKey(): string {
  return localStorage.getItem(storageName) ?? '';
}

/** Takes the key out of the URL: `#key=…`. It stays neither in the address bar nor in the history. */
function takeKey(): void {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return;
  localStorage.setItem(storageName, key);
  history.replaceState(null, '', '#/');
}

takeKey();
addEventListener('hashchange', takeKey);
