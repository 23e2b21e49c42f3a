import type { MakeClient } from './client.ts';
import { clientMaker } from './client-maker.ts';
import { UndiciPool } from './undici-h1.ts';

/** Makes every kind of client, undici among them. */
export const makeClient: MakeClient = clientMaker((options) => new UndiciPool(options));
