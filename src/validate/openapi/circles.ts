import type { PlainOwner } from './plain-schema.ts';

/** Schemas that apply themselves to the same value again: no value ever gets through. `tell` is called for each that is met again. */
export function findCircles(owners: ReadonlyMap<string, PlainOwner>, tell: (owner: PlainOwner) => void): void {
  const done = new Set<string>();
  for (const start of owners.keys()) if (!done.has(start)) findCircle(owners, start, done, tell);
}

function findCircle(
  owners: ReadonlyMap<string, PlainOwner>,
  start: string,
  done: Set<string>,
  tell: (owner: PlainOwner) => void,
): void {
  const open = new Set<string>();
  const steps: { readonly name: string; readonly next: Iterator<string> }[] = [];
  const enter = (name: string) => {
    open.add(name);
    steps.push({ name, next: (owners.get(name)?.inPlace ?? new Set<string>()).values() });
  };
  enter(start);
  for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
    const following = step.next.next();
    if (following.done === true) {
      steps.pop();
      open.delete(step.name);
      done.add(step.name);
      continue;
    }
    const again = open.has(following.value) ? owners.get(following.value) : undefined;
    if (again !== undefined) tell(again);
    else if (!done.has(following.value)) enter(following.value);
  }
}
