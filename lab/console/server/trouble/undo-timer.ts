/** Whether a part is in trouble, and when that is undone. */
export interface UndoTimer {
  readonly isTroubled: boolean;
  /** Null if no time is set. */
  readonly undoAtMs: number | null;
  /** Begins trouble, which is undone after `forMs`; null is on request only. */
  begin(forMs: number | null): void;
  end(): void;
}

/** @param undo Called at the time of the undo. */
export function createUndoTimer(undo: () => void): UndoTimer {
  let isTroubled = false;
  let undoAtMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    clearTimeout(timer);
    isTroubled = false;
    undoAtMs = null;
  };
  return {
    get isTroubled() {
      return isTroubled;
    },
    get undoAtMs() {
      return undoAtMs;
    },
    begin: (forMs) => {
      end();
      isTroubled = true;
      if (forMs === null) return;
      undoAtMs = Date.now() + forMs;
      timer = setTimeout(undo, forMs);
    },
    end,
  };
}
