/** CSRF: what browsers may say of a request, and what becomes of it where its credential is one that browsers add by themselves. */

/** Origins as columns. `own` is filled in by who asks. */
export const ORIGINS = {
  absent: undefined,
  own: 'OWN',
  named: 'https://app.partner.test',
  below: 'https://any.shop.test',
  foreign: 'https://evil.test',
  'the domain itself': 'https://shop.test',
  'longer name': 'https://app.partner.test.evil.test',
  'other port': 'https://app.partner.test:8443',
  'other scheme': 'http://app.partner.test',
  null: 'null',
  empty: '',
  list: 'https://app.partner.test https://evil.test',
  'with path': 'https://app.partner.test/',
  'with user': 'https://app.partner.test@evil.test',
  'upper case': 'HTTPS://APP.PARTNER.TEST',
} as const;

/** What the route names. */
export const NAMED = ['https://app.partner.test', 'https://*.shop.test'];

/** `Sec-Fetch-Site` as rows. */
export const SITES = {
  absent: undefined,
  'same-origin': 'same-origin',
  none: 'none',
  'same-site': 'same-site',
  'cross-site': 'cross-site',
  capital: 'Same-Origin',
  list: 'same-origin, cross-site',
  quoted: '"same-origin"',
  empty: '',
  unknown: 'sane-origin',
} as const;

export type OriginName = keyof typeof ORIGINS;
export type SiteName = keyof typeof SITES;

/** Unsafe and with cookies: `+` passes, `-` is refused; the columns in the order of ORIGINS. */
// biome-ignore format: a table
export const VERDICTS: Record<SiteName, string> = {
  //               absent, own, named, below, foreign, domain, longer, port, scheme, null, empty, list, path, user, upper
  'absent':        '+ + + + - - - - - - - - - - -',
  'same-origin':   '+ + + + + + + + + + - - - - -',
  'none':          '+ + + + + + + + + + - - - - -',
  'same-site':     '- - + + - - - - - - - - - - -',
  'cross-site':    '- - + + - - - - - - - - - - -',
  'capital':       '- - - - - - - - - - - - - - -',
  'list':          '- - - - - - - - - - - - - - -',
  'quoted':        '- - - - - - - - - - - - - - -',
  'empty':         '- - - - - - - - - - - - - - -',
  'unknown':       '- - - - - - - - - - - - - - -',
};

export const UNSAFE = [
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'QUERY',
  'SEARCH',
  'PROPFIND',
  'REPORT',
  'MKCOL',
  'COPY',
  'LOCK',
] as const;
export const SAFE = ['GET', 'HEAD', 'OPTIONS'] as const;

/** What a browser may have sent by itself, and what only a program that knows it can have put there. */
// biome-ignore format: a table
export const AMBIENT: Record<string, string[]> = {
  'a cookie':              ['cookie', 'session=1'],
  'an empty cookie':       ['cookie', ''],
  'a cookie and a bearer': ['authorization', 'Bearer abc', 'cookie', 'session=1'],
  'a password':            ['authorization', 'Basic dXNlcjpwYXNz'],
  'a digest':              ['authorization', 'DIGEST username="u"'],
  'a ticket':              ['authorization', 'negotiate YII='],
};
// biome-ignore format: a table
export const NOT_AMBIENT: Record<string, string[]> = {
  'nothing':               [],
  'a bearer token':        ['authorization', 'Bearer abc'],
  'a scheme like Basic':   ['authorization', 'Basically abc'],
};

/** Every pair of site and origin, with what must become of it. */
export function verdicts(): { site: SiteName; origin: OriginName; passes: boolean }[] {
  const origins = Object.keys(ORIGINS) as OriginName[];
  return (Object.keys(SITES) as SiteName[]).flatMap((site) => {
    const row = VERDICTS[site].split(' ');
    if (row.length !== origins.length) throw new Error(`the row ${site} has ${row.length} columns instead of ${origins.length}`);
    return origins.map((origin, i) => ({ site, origin, passes: row[i] === '+' }));
  });
}
