import type { Shown, TestCa } from '../support/client-certificates.ts';

/** The authorities of the cases: `root` and `middle` below it are trusted, `low` is below `middle`; `other` is not trusted. */
export interface Authorities {
  readonly root: TestCa;
  readonly middle: TestCa;
  readonly low: TestCa;
  readonly other: TestCa;
  /** Below `root`, but its certificate says that it is no authority. */
  readonly fake: TestCa;
  /** Below `low`: one more than `depth` allows. */
  readonly lowest: TestCa;
  /** Below `root`, and must not have authorities below itself. */
  readonly short: TestCa;
  readonly belowShort: TestCa;
  /** Below `root`, for names in `inside.test` only. */
  readonly narrow: TestCa;
  /** Below `root`, which has revoked it. */
  readonly dropped: TestCa;
}

export interface CertificateCase {
  readonly name: string;
  make(authorities: Authorities): Promise<Shown> | Shown;
  /** Undefined: it is let in. */
  readonly code: string | undefined;
}

/** What clients show where authorities, lists of all of them, and a depth of two are configured. */
export const certificateCases: readonly CertificateCase[] = [
  { name: 'by the root', make: ({ root }) => root.issue('plain'), code: undefined },
  { name: 'by the root, without any purpose', make: ({ root }) => root.issue('no-purpose', { purpose: '' }), code: undefined },
  {
    name: 'with several purposes',
    make: ({ root }) => root.issue('purposes', { purpose: 'serverAuth,clientAuth' }),
    code: undefined,
  },
  {
    name: 'by an intermediate authority, sent along',
    make: ({ middle }) => middle.issue('sent', { chain: true }),
    code: undefined,
  },
  { name: 'two authorities below the root', make: ({ low }) => low.issue('low', { chain: true }), code: undefined },
  {
    name: 'an authority that is not sent along',
    make: ({ middle }) => middle.issue('unsent'),
    code: 'certificate-untrusted',
  },
  { name: 'expired', make: ({ root }) => root.issue('expired', { from: -7200, to: -60 }), code: 'certificate-expired' },
  { name: 'not yet valid', make: ({ root }) => root.issue('early', { from: 3600 }), code: 'certificate-not-yet-valid' },
  { name: 'of an unknown authority', make: ({ other }) => other.issue('foreign'), code: 'certificate-untrusted' },
  { name: 'self-signed', make: ({ other }) => other, code: 'certificate-untrusted' },
  {
    name: 'of an authority that has the name of ours',
    make: async ({ other }) => (await (other.constructor as typeof TestCa).root(`${other.dir}-twin`, 'root')).issue('twin'),
    code: 'certificate-untrusted',
  },
  {
    name: 'for servers only',
    make: ({ root }) => root.issue('server', { purpose: 'serverAuth' }),
    code: 'certificate-purpose',
  },
  {
    name: 'for code signing only',
    make: ({ root }) => root.issue('code', { purpose: 'codeSigning' }),
    code: 'certificate-purpose',
  },
  {
    name: 'by somebody who has a certificate and is no authority',
    make: ({ fake }) => fake.issue('by-fake', { chain: true }),
    code: 'certificate-untrusted',
  },
  {
    name: 'more authorities than depth',
    make: ({ lowest }) => lowest.issue('deep', { chain: true }),
    code: 'certificate-untrusted',
  },
  {
    name: 'below an authority that must have none below it',
    make: ({ belowShort }) => belowShort.issue('long', { chain: true }),
    code: 'certificate-untrusted',
  },
  {
    name: 'within the names that its authority may certify',
    make: ({ narrow }) => narrow.issue('inside', { chain: true, san: 'DNS:a.inside.test' }),
    code: undefined,
  },
  {
    name: 'beyond the names that its authority may certify',
    make: ({ narrow }) => narrow.issue('outside', { chain: true, san: 'DNS:a.outside.test' }),
    code: 'certificate-untrusted',
  },
  {
    name: 'by an authority that is revoked',
    make: ({ dropped }) => dropped.issue('dropped', { chain: true }),
    code: 'certificate-revoked',
  },
  {
    name: 'revoked',
    make: async ({ root }) => {
      const shown = await root.issue('revoked');
      await root.revoke(shown);
      return shown;
    },
    code: 'certificate-revoked',
  },
  {
    name: 'revoked by the authority in between',
    make: async ({ middle }) => {
      const shown = await middle.issue('revoked-below', { chain: true });
      await middle.revoke(shown);
      return shown;
    },
    code: 'certificate-revoked',
  },
];
