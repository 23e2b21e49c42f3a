import type { World } from '../pipeline/stage.ts';
import type { Method } from './method.ts';
import type { MethodOptions } from './options.ts';

/** Makes the method that the options name. Each kind is loaded only where a configuration has it. */
export async function makeMethod(name: string, options: MethodOptions, world: World): Promise<Method> {
  throw new Error(`authentication.${name}: ${Object.keys(options).join()} is not there yet (${world.clock.now()})`);
}
