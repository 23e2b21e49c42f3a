/** What an operator can ask of a running gateway by a signal. */
export interface SignalHandlers {
  /** SIGTERM and SIGINT. */
  stop(): void;
  /** SIGINT once more, by somebody who does not want to wait. */
  hurry(): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR2. */
  reopenLogs(): void;
}

/** One Ctrl-C arrives twice where npm, or another program in between, passes it on. */
const SAME_PRESS_MS = 500;

/** Listens to signals. SIGUSR1 would start Node's inspector in a running process: whoever may send a signal must not get a debugger. */
export function onSignals(handlers: SignalHandlers): void {
  process.on('SIGTERM', () => handlers.stop());
  let pressed: number | undefined;
  process.on('SIGINT', () => {
    if (pressed === undefined) handlers.stop();
    else if (performance.now() - pressed > SAME_PRESS_MS) handlers.hurry();
    pressed ??= performance.now();
  });
  process.on('SIGHUP', () => handlers.reload());
  process.on('SIGUSR2', () => handlers.reopenLogs());
  process.on('SIGUSR1', () => {});
}
