import { writeFile } from 'node:fs/promises';
import { describeFileError } from '../config/file-error.ts';
import { EXIT, type Output, painter } from './output.ts';

/**
 * `portcullis init`: writes a commented configuration that starts as it is. An existing file stays as it is unless
 * `--force` is given.
 */
export async function init(file: string, options: { force?: boolean }, output: Output): Promise<number> {
  try {
    await writeFile(file, TEMPLATE, { flag: options.force === true ? 'w' : 'wx' });
  } catch (error) {
    output.err.write(`portcullis: ${describe(error, file)}\n`);
    return EXIT.problems;
  }
  const paint = painter(output.out);
  const where = file === DEFAULT_FILE ? '' : ` --config ${file}`;
  const command = commandOf(process.env.npm_lifecycle_event);
  output.out.write(`wrote ${paint('bold', file)}. Next:\n\n  ${command} check${where}\n  ${command} start${where}\n`);
  return EXIT.ok;
}

/** What the user typed to get here, so that the next lines can be pasted. */
function commandOf(script: string | undefined): string {
  if (script === 'portcullis') return 'npm run -s portcullis --';
  return script === 'npx' ? 'npx portcullis' : 'portcullis';
}

export const DEFAULT_FILE = 'portcullis.yaml';

function describe(error: unknown, file: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') return `${file} exists already: give another name, or --force to replace it`;
  if (code === 'ENOENT') return `${file} cannot be written: there is no such folder`;
  return `${file} cannot be written: ${describeFileError(error)}`;
}

/** What is commented out works when its `# ` is taken away: prose begins with a capital letter, configuration does not. */
const TEMPLATE = `# Configuration of Portcullis. Every key is explained in docs/configuration.md.

# The addresses that clients reach.
listeners:
  public:
    address: 127.0.0.1:8443
    # A certificate made at start, for development. In production write
    # \`tls: { certificate: tls/api.pem, key: tls/api.key }\` and an address that clients can reach, such as 0.0.0.0:8443.
    tls: self-signed
    # bounds: { head-bytes: 16KiB, head-time: 10s, connections-per-address: 4096 }
  # A listener without TLS may stand on loopback only; elsewhere it must say \`tls: none\`.
  # local: { address: 127.0.0.1:8080 }

# Proxies in front of the gateway whose X-Forwarded-For is believed.
trusted-proxies: []

# The services behind the gateway. \${NAME} and \${NAME:-default} read the environment.
services:
  example: \${EXAMPLE_URL:-http://127.0.0.1:9001}
  # orders:
  #   targets: [http://10.0.0.1:9001, http://10.0.0.2:9001]
  #   timeout: 3s

# Who calls. Routes name these; docs/identity.md has tokens that the issuer is asked about and client certificates too.
# authentication:
#   staff: { jwt: { issuer: https://id.example.com, audience: orders, algorithms: [RS256, ES256] } }
# The keys of this one are made by \`portcullis keys create --keys keys.yaml --id acme --scopes orders:read\`.
#   partners: { api-key: { header: x-api-key, keys: keys.yaml } }

# How often. Those by address hold before anybody is asked who he is; docs/limits.md has plans and shared stores.
limits:
  per-address: { rate: 600/minute, burst: 100, by: address }
  # per-caller: { rate: 1000/hour, burst: 50, by: caller }

# What is an attack. \`detect\` lets everything pass and says in the record what it found; a route may say otherwise. The OWASP Core Rule Set:
# \`rules: [crs/crs-setup.conf, crs/rules/*.conf]\`.
waf: { rules: [builtin], mode: block }

# Which requests go where, and who may send them. The most exact path wins; the order never matters.
routes:
  - path: /**
    service: example
    # Nothing is open by accident: a route without authentication says so.
    authentication: none
    limits: [per-address]
    body: 64KiB
  # - path: /orders/**
  #   methods: [GET]
  #   service: orders
  #   authentication: [staff, partners]
  #   authorize: { scopes: [orders:read] }
  #   limits: [per-address, per-caller]
  # Of a customer, only what is his own: the name in the path must be the subject of the token.
  # - path: /customers/{customer}/orders
  #   methods: [GET]
  #   service: orders
  #   authentication: [staff]
  #   authorize: { owner: { parameter: customer, claim: sub } }

# One JSON line per request. Without this it goes to standard output.
# observe: { access: logs/access.jsonl, events: logs/events.jsonl }

# Health, readiness and metrics.
admin:
  address: 127.0.0.1:9443
`;
