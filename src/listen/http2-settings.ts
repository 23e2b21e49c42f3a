import { LARGEST_WINDOW, MOST_PAYLOAD, uint32 } from '../exchange/http2/frames.ts';
import { FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, Http2Error, PROTOCOL_ERROR } from '../exchange/http2/http2-error.ts';

/** Settings (RFC 9113 section 6.5.2). */
export const HEADER_TABLE_SIZE = 0x1;
export const ENABLE_PUSH = 0x2;
export const MAX_CONCURRENT_STREAMS = 0x3;
export const INITIAL_WINDOW_SIZE = 0x4;
export const MAX_FRAME_SIZE = 0x5;
export const MAX_HEADER_LIST_SIZE = 0x6;
/** RFC 9218 section 2.1: what `PRIORITY` says is not looked at. */
export const NO_RFC7540_PRIORITIES = 0x9;

const SETTING_BYTES = 6;
const LARGEST_FRAME = 0xff_ffff;

/** Reads a frame of settings, and tells of each one, in their order. @throws Http2Error when one is not valid */
export function readSettings(bytes: Buffer, from: number, to: number, taker: { setting(id: number, value: number): void }): void {
  if ((to - from) % SETTING_BYTES !== 0) throw new Http2Error(FRAME_SIZE_ERROR, 'settings that are cut off');
  for (let at = from; at < to; at += SETTING_BYTES) {
    const id = (bytes[at] << 8) | bytes[at + 1];
    const value = uint32(bytes, at + 2);
    checkSetting(id, value);
    taker.setting(id, value);
  }
}

function checkSetting(id: number, value: number): void {
  if (id === ENABLE_PUSH && value > 1) throw new Http2Error(PROTOCOL_ERROR, 'ENABLE_PUSH is neither 0 nor 1');
  if (id === INITIAL_WINDOW_SIZE && value > LARGEST_WINDOW)
    throw new Http2Error(FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE is too large');
  if (id === MAX_FRAME_SIZE && (value < MOST_PAYLOAD || value > LARGEST_FRAME))
    throw new Http2Error(PROTOCOL_ERROR, 'MAX_FRAME_SIZE is out of range');
}
