import { readFileSync } from 'node:fs';
import { mergeSnapshots } from '../observe/stage.ts';
import { makeStatus, mergeProcesses, type ReloadStatus, type Status } from '../observe/status.ts';
import type { SecretCare } from './secret-care.ts';
import type { House } from './serve.ts';

/** Asks all that serve, and says of their answers what the status page shows. */
export async function statusOf(house: House, reloads: readonly ReloadStatus[], secrets: SecretCare): Promise<Status> {
  const [metrics, states] = await Promise.all([house.metrics(), house.status()]);
  const reasons = house.reasons();
  const about = {
    version: VERSION,
    time: Date.now(),
    started: STARTED,
    ready: reasons.length === 0,
    reasons,
    workers: house.workers(),
    reloads,
  };
  return withoutSecrets(makeStatus(about, mergeSnapshots(metrics), mergeProcesses(states)), (text) => secrets.redact(text));
}

const VERSION = readVersion();
/** Of the process that has the admin listener: workers come and go. */
const STARTED = Math.round(performance.timeOrigin);

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

/** What failed is told in words that may hold what a secret was part of; names and numbers do not. */
function withoutSecrets(status: Status, redact: (text: string) => string): Status {
  const clean = (text: string | undefined) => (text === undefined ? undefined : redact(text));
  return {
    ...status,
    reasons: status.reasons.map(redact),
    services: status.services.map((service) => ({
      ...service,
      targets: service.targets.map((target) => ({ ...target, reason: redact(target.reason) })),
    })),
    issuers: status.issuers.map((one) => ({ ...one, from: redact(one.from), failure: clean(one.failure) })),
    reloads: status.reloads.map((one) => ({ ...one, reason: clean(one.reason) })),
  };
}
