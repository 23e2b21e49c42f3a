/** What an operator can ask of a running gateway by a signal. */
export interface SignalHandlers {
  /** SIGTERM and SIGINT. */
  stop(): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR2. */
  reopenLogs(): void;
}

/** Listens to signals. SIGUSR1 would start Node's inspector in a running process: whoever may send a signal must not get a debugger. */
export function onSignals(handlers: SignalHandlers): void {
  process.on('SIGTERM', () => handlers.stop());
  process.on('SIGINT', () => handlers.stop());
  process.on('SIGHUP', () => handlers.reload());
  process.on('SIGUSR2', () => handlers.reopenLogs());
  process.on('SIGUSR1', () => {});
}
