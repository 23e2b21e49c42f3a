import { isIP, SocketAddress } from 'node:net';
import { z } from 'zod';
import { canonicalEmail } from '../../exchange/client-certificate.ts';
import { attributeType, nameText, parseName } from '../../exchange/distinguished-name.ts';
import { parseSpiffePattern } from './spiffe.ts';

/** A text that is read by `read`, which gives what it means, or an object with what is wrong. */
function reading(read: (text: string) => string | { problem: string }) {
  const one = z.string().transform((text, context) => {
    const value = read(text);
    if (typeof value === 'string') return value;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)}: ${value.problem}` });
    return z.NEVER;
  });
  return z
    .union([one, z.array(one).min(1)])
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));
}

function distinguishedName() {
  return reading((text) => {
    const name = parseName(text);
    return typeof name === 'string' ? { problem: name } : nameText(name);
  });
}

const HOST = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,126}$/;

function hostName(text: string): string | { problem: string } {
  const lower = text.toLowerCase();
  if (HOST.test(lower)) return lower;
  return { problem: 'expected a host name in ASCII (`xn--…` for international ones), exact: a wildcard stands for nothing here' };
}

function address(text: string): string | { problem: string } {
  const version = isIP(text);
  if (version === 0 || text.includes('%')) return { problem: 'expected an IP address' };
  return version === 4 ? text : new SocketAddress({ address: text, family: 'ipv6' }).address;
}

const ruleOptions = z
  .strictObject({
    subject: distinguishedName()
      .optional()
      .describe('The whole subject, as `openssl x509 -subject -nameopt RFC2253` prints it: every part, in order.'),
    issuer: distinguishedName()
      .optional()
      .describe('The subject of the authority that signed the certificate, written like `subject`.'),
    attributes: z
      .record(
        z
          .string()
          .refine(
            (name) => attributeType(name) !== undefined,
            'expected an attribute such as CN, O, OU, or an object identifier',
          ),
        z.union([z.string(), z.array(z.string()).min(1)]),
      )
      .optional()
      .describe(
        'Attributes of the subject, such as `{ O: Example, OU: [ops, dev] }`: each must be there exactly once, with one of the values.',
      ),
    dns: reading(hostName).optional().describe('A DNS name of the subjectAltName. The common name is never taken for one.'),
    email: reading((text) => canonicalEmail(text) ?? { problem: 'expected an e-mail address' })
      .optional()
      .describe('An e-mail address of the subjectAltName.'),
    ip: reading(address).optional().describe('An IP address of the subjectAltName.'),
    spiffe: reading(parseSpiffePattern)
      .optional()
      .describe(
        'The SPIFFE id, exact, or with `/*` at the end for all below: `spiffe://example.org/ns/shop/*`. The certificate must have this one URI only.',
      ),
  })
  .check(({ value, issues }) => {
    // Where all that it says is unknown, that has been told.
    if (issues.length > 0 || Object.values(value).some((one) => one !== undefined)) return;
    issues.push({ code: 'custom', input: value, message: 'a rule must ask for something' });
  });

/** `mtls`: the client certificate of the connection. The listener says which authority signs them. */
export const mtlsOptions = z.strictObject({
  allow: z
    .array(ruleOptions)
    .min(1)
    .optional()
    .describe(
      'Whose certificates count: any of these rules, of each all that it says. Without it, every certificate that the listener accepts.',
    ),
  'subject-from': z
    .enum(['spiffe', 'dn', 'cn', 'dns', 'email'])
    .optional()
    .describe(
      'What the subject of the caller is. Without it the SPIFFE id, or the whole name (`dn`) of a certificate that has none. A certificate without, or with more than one, of what is written here is refused.',
    ),
});

export type MtlsOptions = z.output<typeof mtlsOptions>;
export type MtlsRule = z.output<typeof ruleOptions>;
