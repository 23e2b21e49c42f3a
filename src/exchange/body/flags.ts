import type { Flag, FlagCode } from './parsed.ts';

const MOST = 32;

/**
 * The flags of one body. A hostile one may have a hundred thousand of them, and a few tell all; but of each code the first is always
 * there, since a caller that lets one code pass must not miss another behind a flood of it.
 */
export class Flags {
  readonly list: Flag[] = [];

  /** Whether one more of this code is wanted: the place need not be worked out where it is not. */
  wants(code: FlagCode): boolean {
    return this.list.length < MOST || !this.list.some((flag) => flag.code === code);
  }

  add(code: FlagCode, place: string, at: number): void {
    this.list.push({ code, place, at });
  }
}
