import { hashOptions } from '../config/hash.ts';
import type { Carry, World } from '../pipeline/stage.ts';
import type { Method, MethodWorld } from './method.ts';
import type { MethodOptions } from './options.ts';

/** A method as long as some configuration has it. */
interface Held {
  readonly method: Promise<Method>;
  readonly shared: SharedCarry;
}

/**
 * The method that the options name: one for all routes, and over reloads as long as nothing of it changes, with its keys and caches.
 * Calls out go by way of what the configuration says of them, so another way makes another method.
 */
export async function takeMethod(name: string, options: MethodOptions, world: World): Promise<Method> {
  const key = `authenticate ${name} ${hashOptions(options)} ${world.egress.key}`;
  const { method, shared } = world.carry.take(key, () => hold(name, options, world), release);
  shared.holdIn(world.carry);
  return await method;
}

function hold(name: string, options: MethodOptions, { carry, egress, clock, log }: World): Held {
  const shared = new SharedCarry(carry);
  return { shared, method: makeMethod(name, options, { carry: shared, egress, clock, log }) };
}

/** A method that could not be made has nothing to close; why is told to who asked for it. */
function release({ method }: Held): void {
  method.then((made) => made.close?.()).catch(() => undefined);
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

interface Taken {
  readonly value: object;
  readonly dispose: ((value: never) => void) | undefined;
}

/**
 * What a method takes is held by every configuration that holds the method: methods outlive the one that they were made for. So two
 * methods share what they have in common (the keys of one issuer), and it stays when one of them is made anew with another option.
 */
class SharedCarry implements Carry {
  readonly #first: Carry;
  readonly #taken = new Map<string, Taken>();

  constructor(first: Carry) {
    this.#first = first;
  }

  take<T extends object>(key: string, make: () => T, dispose?: (value: T) => void): T {
    const value = this.#first.take(key, make, dispose);
    this.#taken.set(key, { value, dispose });
    return value;
  }

  holdIn(carry: Carry): void {
    for (const [key, { value, dispose }] of this.#taken)
      carry.take(key, () => value, dispose as ((value: object) => void) | undefined);
  }
}
