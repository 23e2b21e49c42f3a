import type { Reader } from './reader.ts';
import type { Node } from './references.ts';

/** Paths that the variables of one server may make. */
const MAX_PATHS = 64;

/** The paths of the servers that hold: those of the first owner that names any. */
export function basePathsOf(reader: Reader, owners: readonly Node[]): string[] {
  for (const owner of owners) {
    const servers = reader.list(owner, 'servers');
    if (servers.length > 0) return [...new Set(servers.flatMap((server) => pathsOf(reader, server)))];
  }
  return [''];
}

function pathsOf(reader: Reader, server: Node): string[] {
  const url = reader.needed(server, 'url', 'a server');
  if (url === undefined) return [''];
  const at = reader.child(server, 'url');
  let urls = [url];
  for (const name of new Set([...url.matchAll(/\{([^{}]*)\}/g)].map(([, one]) => one))) {
    const values = valuesOf(reader, server, name);
    if (values.length === 0) reader.fail(at, `the server has {${name}}, but no default for this variable`);
    urls = urls.flatMap((one) => values.map((value) => one.replaceAll(`{${name}}`, value)));
    if (urls.length > MAX_PATHS) reader.fail(at, `the variables make more than ${MAX_PATHS} servers`);
    urls.splice(MAX_PATHS);
  }
  return [...new Set(urls.flatMap((one) => pathOf(one) ?? reader.fail(at, `${JSON.stringify(one)} is not a URL`) ?? []))];
}

function valuesOf(reader: Reader, server: Node, name: string): string[] {
  const variable = reader.child(server, 'variables', name);
  const values = [variable, ...reader.list(variable, 'enum')].map((node, index) =>
    index === 0 ? reader.child(node, 'default') : node,
  );
  return [
    ...new Set(values.flatMap(({ value }) => (typeof value === 'string' || typeof value === 'number' ? [String(value)] : []))),
  ];
}

/** Relative ones are relative to the root: the document itself has no address. */
function pathOf(url: string): string | undefined {
  const parsed = URL.parse(url, 'http://localhost/');
  return parsed?.pathname.replace(/\/+$/, '');
}
