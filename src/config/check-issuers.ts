import { privateKeyProblem } from '../authenticate/introspection/private-key.ts';
import { isUrl } from '../authenticate/jwt/is-url.ts';
import { keySetFileProblem } from '../authenticate/jwt/key-set-file.ts';
import { mapping } from './checks.ts';
import type { Report } from './findings.ts';

/** Reads the files by which issuers are known, so that what is wrong with them is told before anything is changed. */
export function checkIssuers(raw: unknown, report: Report): void {
  for (const [name, method] of Object.entries(mapping(mapping(raw).authentication))) {
    const { jwks } = mapping(mapping(method).jwt);
    if (typeof jwks === 'string' && jwks !== '' && !isUrl(jwks)) {
      const problem = keySetFileProblem(jwks);
      if (problem !== undefined) report(['authentication', name, 'jwt', 'jwks'], problem);
    }
    const { 'private-key': key, algorithm = 'ES256' } = mapping(mapping(mapping(method).introspection).client);
    if (typeof key === 'string' && key !== '' && typeof algorithm === 'string') {
      const problem = privateKeyProblem(key, algorithm);
      if (problem !== undefined) report(['authentication', name, 'introspection', 'client', 'private-key'], problem);
    }
  }
}
