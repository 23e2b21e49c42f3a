import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes. Tests hand in their own. */
export interface Output {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream;
}

/** Exit codes of all commands. */
export const EXIT = { ok: 0, problems: 1, usage: 2 } as const;

/** True when colours belong on this stream: a terminal, and neither NO_COLOR nor a dumb one. */
export function hasColor(stream: NodeJS.WritableStream, environment: NodeJS.ProcessEnv = process.env): boolean {
  const terminal = (stream as Partial<NodeJS.WriteStream>).isTTY === true;
  return terminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';
}

/** A function that colours text for this stream, or leaves it as it is. */
export function painter(stream: NodeJS.WritableStream): (style: Style, text: string) => string {
  return hasColor(stream) ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}
