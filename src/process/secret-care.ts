import { longestFirst, redact, redactAll, type Hidden } from '../config/redact.ts';
import type { Environment } from '../config/references.ts';
import type { SecretUse } from '../config/secret-references.ts';
import type { Log } from '../pipeline/stage.ts';

/**
 * Keeps the secrets of the configuration out of what this process shows and hands on: out of its log, and out of its environment, which
 * workers inherit and reports of crashes print.
 */
export class SecretCare {
  /** As it was when the process began: later loads still find what has been taken out of `process.env`. */
  readonly environment: Environment = { ...process.env };
  #hidden: readonly Hidden[] = [];

  /** Takes care of what a load of the configuration found, and of what the one before had: that may still be in use. */
  take(use: Partial<SecretUse> & Pick<SecretUse, 'hidden'>): void {
    for (const name of use.variables ?? []) delete process.env[name];
    const before = this.#hidden.filter(({ text }) => !use.hidden.some((one) => one.text === text));
    this.#hidden = [...use.hidden, ...before.slice(0, MOST_OLD)].toSorted(longestFirst);
  }

  /** For workers, which take care of them too. */
  get hidden(): readonly Hidden[] {
    return this.#hidden;
  }

  redact(text: string): string {
    return redact(text, this.#hidden);
  }

  /** The log, without secrets: what others throw may hold what they were given. */
  guard(log: Log): Log {
    const fieldsOf = (fields: Record<string, unknown> | undefined) =>
      fields && Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, this.#clean(value)]));
    return {
      info: (message, fields) => log.info(this.redact(message), fieldsOf(fields)),
      warn: (message, fields) => log.warn(this.redact(message), fieldsOf(fields)),
      error: (message, fields) => log.error(this.redact(message), fieldsOf(fields)),
    };
  }

  #clean(value: unknown): unknown {
    return value instanceof Error ? this.#cleanError(value, 0) : redactAll(value, this.#hidden);
  }

  #cleanError(error: Error, depth: number): Error {
    const cause = error.cause instanceof Error && depth < 3 ? this.#cleanError(error.cause, depth + 1) : undefined;
    const clean = new Error(this.redact(error.message), { cause });
    const stack = error.stack === undefined ? undefined : this.redact(error.stack);
    return Object.assign(clean, { name: error.name, code: (error as NodeJS.ErrnoException).code, stack });
  }
}

/** Values of configurations that are gone; each load brings few. */
const MOST_OLD = 300;
