import type http from 'node:http';

/** A token and its name, and much room. */
const MAX_BYTES = 4096;

/** The status with which a body is refused that is no small form. */
export type FormTrouble = 400 | 413 | 415;

/** The fields of a posted form. Reads no more than a token needs; how long that may take is the server's `requestTimeout`. */
export async function readForm(request: http.IncomingMessage): Promise<URLSearchParams | FormTrouble> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return 415;
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return 413;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Who sends too much still gets an answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) return 413;
      chunks.push(chunk);
    }
  } catch {
    // The client left, or was too slow.
    return 400;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('latin1'));
}
