import type { Log } from '../pipeline/stage.ts';

/** More defects than this within a minute, and it is better to begin anew. */
const MOST_PER_MINUTE = 100;

/**
 * An exception that nobody caught is a defect of ours. It has ended whatever it happened in; all other connections are unaffected, and
 * to die would let one request end everyone's (a "query of death"). So it is logged and the process goes on, unless they pile up.
 */
export function surviveDefects(log: Log): void {
  let count = 0;
  let minute = 0;
  const survive = (error: unknown) => {
    const now = Math.floor(performance.now() / 60_000);
    count = now === minute ? count + 1 : 1;
    minute = now;
    log.error('a defect: an exception that nobody caught', { event: 'defect', error });
    if (count > MOST_PER_MINUTE) process.exit(70);
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}
