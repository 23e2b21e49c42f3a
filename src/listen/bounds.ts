import type { Bounds } from './corridor.ts';
import type { ListenerOptions } from './options.ts';

/** The bounds of a listener as its connections read them. */
export function boundsOf(options: ListenerOptions): Bounds {
  const { bounds } = options;
  return {
    headBytes: bounds['head-bytes'],
    headCount: bounds['head-count'],
    targetBytes: bounds['target-bytes'],
    headTime: bounds['head-time'],
    bodyTime: bounds['body-time'],
    requestTime: bounds['request-time'],
    idleTime: bounds['idle-time'],
    tunnelIdle: bounds['tunnel-idle'],
    requestsPerConnection: bounds['requests-per-connection'],
    h2Streams: bounds['h2-streams'],
    h2Resets: bounds['h2-resets'],
  };
}
