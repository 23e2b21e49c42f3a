/**
 * One transformation (`t:name`). Byte strings in and out. `apply` gives back the very same string where nothing changes, so that callers
 * can compare by `===` cheaply.
 */
export interface Transformation {
  /** Canonical spelling, as in the reference manual. */
  readonly name: string;
  apply(value: string): string;
  /**
   * Necessary for a change: `apply(v) === v` for every v that holds none of these bytes. One entry per byte, 1 = may trigger; undefined:
   * nothing can be said (`length`, `sha1`, `base64Decode`). Sequences (a double space) count by their byte.
   */
  readonly triggers: Uint8Array | undefined;
  /**
   * Which bytes the result may hold that the value did not: 1 = may appear; undefined: any. All zero for one that only removes.
   */
  readonly introduces: Uint8Array | undefined;
}
