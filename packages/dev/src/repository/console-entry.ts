import type { RunningServices } from './running-services.ts';

/** A page about the running services, which `npm start` serves on loopback. `services.ts` exports it as `console`. */
export interface ConsoleEntry {
  /** Default port. */
  readonly port: number;
  /** Serves the page. It is called before the services start. */
  open(options: ConsoleOptions): Promise<ServedConsole>;
}

export interface ConsoleOptions {
  /** A free port of 127.0.0.1. */
  readonly port: number;
  readonly dataFolder: string;
}

export interface ServedConsole extends AsyncDisposable {
  /** URL of the page, as `npm start` prints it. May end in a key that the API requires. */
  readonly url: string;
  /**
   * Variables of every service. A variable that `npm start` itself has takes precedence. `OTEL_METRICS_EXPORTER` is
   * exported to beside Prometheus.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** Returns the target with which one service reaches another: an address of the console that forwards to `target`. */
  lineBetween(caller: string, called: string, target: string): Promise<string>;
  /** Gives the console the services that run. Until then the page says that they start. */
  attach(running: RunningServices): void;
  /** Takes the services away before they are drained: the console ends all trouble that it made, and makes no more. */
  detach(): Promise<void>;
}
