import { statSync } from 'node:fs';
import path from 'node:path';
import { findConflicts } from '../route/conflicts.ts';
import type { Report } from './findings.ts';
import { didYouMean } from './messages.ts';
import { nearest } from './suggest.ts';
import { type Address, formatAddress, isLoopback, parseAddress } from './units.ts';

/**
 * What no single room can check because it concerns several. Works on the file as it was written, so that it also
 * runs when something else in it is wrong: all problems are told at once.
 */
export function crossCheck(raw: unknown, report: Report): void {
  const file = mapping(raw);
  checkListeners(file, report);
  checkAdmin(file, report);
  checkAddresses(file, report);
  checkServices(file, report);
  checkNames(file, report, 'authentication');
  checkNames(file, report, 'limits');
  checkMtls(file, report);
  checkDuplicates(file, report);
  checkAccessFile(file, report);
}

export type Mapping = Readonly<Record<string, unknown>>;

/** The value as a mapping; whatever else it is, the schema has already said so. */
export function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

/** The value as a list, likewise. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function addressOf(section: Mapping): Address | undefined {
  return typeof section.address === 'string' ? parseAddress(section.address) : undefined;
}

const isPlain = (section: Mapping) => section.tls === undefined || section.tls === 'none';

function checkListeners(file: Mapping, report: Report): void {
  for (const [name, value] of Object.entries(mapping(file.listeners))) {
    const listener = mapping(value);
    const at = ['listeners', name];
    const address = addressOf(listener);
    if (address !== undefined && listener.tls === undefined && !isLoopback(address.host)) {
      report(
        [...at, 'address'],
        `${formatAddress(address)} is reachable from other machines: the listener needs certificates in \`tls\`, or must say \`tls: none\``,
      );
    }
    if (!isPlain(listener) && listener['redirect-to-https'] !== undefined && listener['redirect-to-https'] !== false) {
      report([...at, 'redirect-to-https'], 'a listener with TLS cannot redirect to HTTPS: put this on the one without');
    }
    if (isPlain(listener) && listener['client-certificates'] !== undefined) {
      report(
        [...at, 'client-certificates'],
        'only over TLS can a client show a certificate: the listener needs certificates in `tls`',
      );
    }
    if (listener['proxy-protocol'] === true && list(file['trusted-proxies']).length === 0) {
      report([...at, 'proxy-protocol'], 'nobody may send a PROXY header, because `trusted-proxies` is empty');
    }
  }
}

/** A method that looks at client certificates, where no client is ever asked for one, would refuse everybody. */
function checkMtls(file: Mapping, report: Report): void {
  const asked = Object.values(mapping(file.listeners)).some((value) => {
    const { tls } = mapping(value);
    return [value, tls, ...list(tls)].some((one) => {
      const asks = mapping(one)['client-certificates'];
      return asks !== undefined && asks !== 'none';
    });
  });
  if (asked) return;
  for (const [name, method] of Object.entries(mapping(file.authentication))) {
    if (mapping(method).mtls === undefined) continue;
    report(
      ['authentication', name, 'mtls'],
      'no listener asks for client certificates: say which in `client-certificates` of one',
    );
  }
}

function checkAdmin(file: Mapping, report: Report): void {
  const admin = mapping(file.admin);
  const address = addressOf(admin);
  if (address === undefined || isLoopback(address.host)) return;
  const missing = [isPlain(admin) ? '`tls`' : '', admin.token === undefined ? '`token`' : ''].filter((word) => word !== '');
  if (missing.length > 0)
    report(
      ['admin', 'address'],
      `${formatAddress(address)} is reachable from other machines: the admin listener needs ${missing.join(' and ')} there`,
    );
}

/** The gateway would start and lose every record: that a file cannot be written is for it no reason to refuse requests. */
function checkAccessFile(file: Mapping, report: Report): void {
  const { access } = mapping(file.observe);
  if (typeof access !== 'string' || !path.isAbsolute(access)) return;
  if (isFolder(access))
    report(['observe', 'access'], `this is a folder: name a file in it, such as ${path.join(access, 'access.jsonl')}`);
}

function isFolder(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

function checkAddresses(file: Mapping, report: Report): void {
  const taken: { address: Address; at: string[] }[] = [];
  const sections: [string[], Mapping][] = Object.entries(mapping(file.listeners)).map(([name, value]) => [
    ['listeners', name],
    mapping(value),
  ]);
  sections.push([['admin'], mapping(file.admin)]);
  for (const [at, section] of sections) {
    const address = addressOf(section);
    if (address === undefined || address.port === 0) continue;
    const other = taken.find((one) => overlap(one.address, address));
    if (other !== undefined)
      report([...at, 'address'], `${formatAddress(address)} is already taken by ${other.at.join('.')}`, { other: other.at });
    taken.push({ address, at });
  }
}

/** Whether the system would refuse to listen on both: `::` takes IPv4 too. */
function overlap(a: Address, b: Address): boolean {
  const [one, two] = [numericHost(a), numericHost(b)];
  if (a.port !== b.port) return false;
  if (one === two || one === '::' || two === '::') return true;
  return one.includes(':') === two.includes(':') && (one === '0.0.0.0' || two === '0.0.0.0');
}

const numericHost = ({ host }: Address) => (host === 'localhost' ? '127.0.0.1' : host);

function checkServices(file: Mapping, report: Report): void {
  const names = Object.keys(mapping(file.services));
  list(file.routes).forEach((value, index) => {
    const { service } = mapping(value);
    if (typeof service !== 'string' || names.includes(service)) return;
    const near = nearest(service, names);
    report(['routes', index, 'service'], `there is no service ${JSON.stringify(service)}`, {
      hint: near === undefined ? undefined : didYouMean(near),
    });
  });
}

/** Names that routes use, of a section that defines them. */
function checkNames(file: Mapping, report: Report, section: 'authentication' | 'limits'): void {
  const names = Object.keys(mapping(file[section]));
  list(file.routes).forEach((value, index) => {
    list(mapping(value)[section]).forEach((name, at) => {
      if (typeof name !== 'string' || names.includes(name)) return;
      const near = nearest(name, names);
      report(['routes', index, section, at], `there is no ${JSON.stringify(name)} in the section \`${section}\``, {
        hint: near === undefined ? undefined : didYouMean(near),
      });
    });
  });
}

function checkDuplicates(file: Mapping, report: Report): void {
  const written = list(file.routes).map(mapping);
  const indexes = written.flatMap((route, index) => (typeof route.path === 'string' ? [index] : []));
  const entries = indexes.map((index) => ({
    path: written[index].path as string,
    host: texts(written[index].host),
    methods: texts(written[index].methods),
    headers: stringMembers(written[index].headers),
    value: undefined,
  }));
  for (const { first, second, problem } of findConflicts(entries)) {
    report(['routes', indexes[second], 'path'], problem, { other: ['routes', indexes[first]] });
  }
}

function texts(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

function stringMembers(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(mapping(value)).map(([key, member]) => [key, String(member)]));
}
