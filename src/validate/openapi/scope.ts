import type { Location } from './contract.ts';
import type { Resource } from './references.ts';

/** The dynamic anchors that are in force. */
export class Scope {
  readonly anchors: ReadonlyMap<string, Location>;
  readonly key: string;

  constructor(anchors: ReadonlyMap<string, Location>) {
    this.anchors = anchors;
    this.key = [...anchors].map(([name, { file, pointer }]) => `${name}=${file}#${pointer}`).join(' ');
  }

  enter({ dynamicAnchors, root }: Resource): Scope {
    const fresh = [...dynamicAnchors].filter(([name]) => !this.anchors.has(name));
    if (fresh.length === 0) return this;
    return new Scope(
      new Map([...this.anchors, ...fresh.map(([name, pointer]) => [name, { file: root.file, pointer }] as const)]),
    );
  }
}

export const NO_SCOPE = new Scope(new Map());
