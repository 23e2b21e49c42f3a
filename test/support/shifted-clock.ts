import type { GatewayOptions } from './gateway.ts';

const SHIFTED = `
const ms = Number(process.env.SHIFT_SECONDS) * 1000;
const now = Date.now;
globalThis.Date = class extends Date {
  constructor(...parts) {
    if (parts.length === 0) super(now() + ms);
    else super(...parts);
  }
  static now = () => now() + ms;
};
`;

/** For `startGateway`: a gateway whose wall clock is so many seconds ahead, or behind when negative. */
export function shiftedClock(seconds: number): GatewayOptions {
  return {
    files: { 'shifted.mjs': SHIFTED },
    env: { SHIFT_SECONDS: `${seconds}` },
    nodeArguments: ['--import', './shifted.mjs'],
  };
}
