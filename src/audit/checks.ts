import { admin } from './checks/admin.ts';
import { authentication } from './checks/authentication.ts';
import { authorisation } from './checks/authorisation.ts';
import { headers } from './checks/headers.ts';
import { limits } from './checks/limits.ts';
import { logging } from './checks/logging.ts';
import { rest } from './checks/rest.ts';
import { transport } from './checks/transport.ts';
import { validation } from './checks/validation.ts';
import { waf } from './checks/waf.ts';
import { exceptionsCheck } from './exceptions.ts';
import type { Check } from './model.ts';

/** The checklist, by its headings. */
export const checks: readonly Check[] = [
  ...authentication,
  ...authorisation,
  ...transport,
  ...rest,
  ...validation,
  ...logging,
  ...limits,
  ...waf,
  ...headers,
  ...admin,
  exceptionsCheck,
];
