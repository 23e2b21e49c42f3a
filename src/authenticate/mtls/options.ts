import { z } from 'zod';

/** `mtls`: the client certificate of the connection. The listener says which authority signs them. */
export const mtlsOptions = z.strictObject({});

export type MtlsOptions = z.output<typeof mtlsOptions>;
