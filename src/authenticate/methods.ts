import { hashOptions } from '../config/hash.ts';
import type { Carry, World } from '../pipeline/stage.ts';
import type { Method, MethodWorld } from './method.ts';
import type { MethodOptions } from './options.ts';

/** A method as long as some configuration has it. */
interface Held {
  readonly method: Promise<Method>;
  readonly own: OwnCarry;
}

/**
 * The method that the options name: one for all routes, and over reloads as long as nothing of it changes, with its keys and caches.
 * Calls out go by way of what the configuration says of them, so another way makes another method.
 */
export async function takeMethod(name: string, options: MethodOptions, world: World): Promise<Method> {
  const key = `authenticate ${name} ${hashOptions(options)} ${world.egress.key}`;
  return await world.carry.take(key, () => hold(name, options, world), release).method;
}

function hold(name: string, options: MethodOptions, { egress, clock, log }: World): Held {
  const own = new OwnCarry();
  return { own, method: makeMethod(name, options, { carry: own, egress, clock, log }) };
}

/** A method that could not be made has nothing to close; why is told to who asked for it. */
function release({ method, own }: Held): void {
  method
    .then((made) => made.close?.())
    .catch(() => undefined)
    .finally(() => own.release());
}

/** Each kind is loaded only where a configuration has it. */
async function makeMethod(name: string, options: MethodOptions, world: MethodWorld): Promise<Method> {
  if (options.jwt !== undefined) return await (await import('./jwt/jwt.ts')).makeJwt(name, options.jwt, world);
  if (options.introspection !== undefined)
    return await (await import('./introspection/introspection.ts')).makeIntrospection(name, options.introspection, world);
  if (options['api-key'] !== undefined)
    return await (await import('./api-key/api-key.ts')).makeApiKey(name, options['api-key'], world);
  if (options.mtls !== undefined) return await (await import('./mtls/mtls.ts')).makeMtls(name, options.mtls, world);
  throw new Error(`authentication.${name} names no method`);
}

/**
 * What a method has taken lives as long as the method: that of the configuration would be given back with the configuration, which
 * methods outlive.
 */
class OwnCarry implements Carry {
  readonly #held = new Map<string, { readonly value: object; dispose(): void }>();

  take<T extends object>(key: string, make: () => T, dispose?: (value: T) => void): T {
    let held = this.#held.get(key);
    if (held === undefined) {
      const value = make();
      held = { value, dispose: () => dispose?.(value) };
      this.#held.set(key, held);
    }
    return held.value as T;
  }

  release(): void {
    for (const held of this.#held.values()) held.dispose();
    this.#held.clear();
  }
}
