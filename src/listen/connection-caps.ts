/** Somebody who can be told to close: the connection that a slot stands for. */
export interface Closable {
  /**
   * Closes the connection at once. Called at most once, from within `admit` or `identify` of another connection.
   * @param idle - it waited for its next request, and had not begun one
   */
  closeForRoom(idle: boolean): void;
}

export interface ConnectionBounds {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

export type NoRoom = 'full' | 'address-full';

/**
 * Counts connections, in all and per address, and finds room at a cap: the oldest connection without a complete head is
 * closed, so that slow clients push one another out and a client that asks at once gets in. Before those that have long
 * been idle between two requests, those go that never sent a whole head, or began one and did not finish. Only when
 * every connection is at work is a new one refused.
 *
 * Every operation is O(1): a slot is itself the link of its lists.
 */
export class ConnectionCaps {
  bounds: ConnectionBounds;
  readonly #everyone = new Group();
  readonly #addresses = new Map<string, Group>();

  constructor(bounds: ConnectionBounds) {
    this.bounds = bounds;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#everyone.count;
  }

  /** Addresses (IPv6: networks) that have a connection now. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /**
   * Finds room for a new connection. `address` is undefined where connections of many clients come from one address (a
   * trusted proxy): then only the cap of all counts, until `identify`.
   */
  admit(address: string | undefined, owner: Closable): Slot | NoRoom {
    const slot = new Slot(owner);
    const refused = address === undefined ? undefined : this.#makeRoomAt(address);
    if (refused !== undefined) return refused;
    if (!makeRoom(this, this.#everyone, EVERYONE, this.bounds.connections)) return 'full';
    this.#everyone.count++;
    enlist(this.#everyone, EVERYONE, slot);
    if (address !== undefined) this.#join(slot, address);
    return slot;
  }

  /** The address of an admitted connection has become known (PROXY protocol). False: no room for one more of it. */
  identify(slot: Slot, address: string): boolean {
    if (slot.state === RELEASED || slot.address !== undefined) return slot.state !== RELEASED;
    if (this.#makeRoomAt(address) !== undefined) return false;
    this.#join(slot, address);
    return true;
  }

  /** A head is complete: the connection is at work and will not be closed for another one. */
  headComplete(slot: Slot): void {
    this.#move(slot, BUSY);
  }

  /** The answer is written and the connection waits for its next request. */
  idle(slot: Slot): void {
    this.#move(slot, IDLE);
  }

  /** A kept connection has begun a head that is not complete. */
  headBegun(slot: Slot): void {
    this.#move(slot, HEADLESS);
  }

  /** The connection is closed. Harmless when called again. */
  release(slot: Slot): void {
    if (slot.state === RELEASED) return;
    this.#move(slot, RELEASED);
    this.#everyone.count--;
    if (slot.address === undefined) return;
    const group = this.#addresses.get(slot.address);
    if (group !== undefined && --group.count === 0) this.#addresses.delete(slot.address);
  }

  #makeRoomAt(address: string): NoRoom | undefined {
    const group = this.#addresses.get(addressKey(address));
    if (group === undefined && this.bounds.connectionsPerAddress > 0) return undefined;
    const room = group !== undefined && makeRoom(this, group, ADDRESS, this.bounds.connectionsPerAddress);
    return room ? undefined : 'address-full';
  }

  #join(slot: Slot, address: string): void {
    const key = addressKey(address);
    let group = this.#addresses.get(key);
    if (group === undefined) this.#addresses.set(key, (group = new Group()));
    slot.address = key;
    group.count++;
    if (slot.state < BUSY) enlist(group, ADDRESS, slot);
  }

  #move(slot: Slot, state: State): void {
    if (slot.state === state || slot.state === RELEASED) return;
    const group = slot.address === undefined ? undefined : this.#addresses.get(slot.address);
    if (slot.state < BUSY) {
      delist(EVERYONE, slot);
      if (group !== undefined) delist(ADDRESS, slot);
    }
    slot.state = state;
    if (state >= BUSY) return;
    enlist(this.#everyone, EVERYONE, slot);
    if (group !== undefined) enlist(group, ADDRESS, slot);
  }
}

/** States below BUSY are listed: they can be closed for another connection, HEADLESS before IDLE. */
const HEADLESS = 0;
const IDLE = 1;
const BUSY = 2;
const RELEASED = 3;
type State = typeof HEADLESS | typeof IDLE | typeof BUSY | typeof RELEASED;

/** A slot is on two lists at once: among all connections and among those of its address. */
const EVERYONE = 0;
const ADDRESS = 1;
type Where = typeof EVERYONE | typeof ADDRESS;

/** The place of one admitted connection. Opaque to its owner. */
export class Slot {
  readonly owner: Closable | undefined;
  address: string | undefined = undefined;
  state: State = HEADLESS;
  readonly next: [Slot | undefined, Slot | undefined] = [undefined, undefined];
  readonly previous: [Slot | undefined, Slot | undefined] = [undefined, undefined];

  constructor(owner: Closable | undefined) {
    this.owner = owner;
  }
}

/** A count, and two rings of slots in order of age. The ring's head is a slot that belongs to nobody. */
class Group {
  count = 0;
  readonly rings = [ring(), ring()];
}

function ring(): Slot {
  const head = new Slot(undefined);
  head.next.fill(head);
  head.previous.fill(head);
  return head;
}

function enlist(group: Group, where: Where, slot: Slot): void {
  const head = group.rings[slot.state];
  const last = head.previous[where] as Slot;
  last.next[where] = slot;
  slot.previous[where] = last;
  slot.next[where] = head;
  head.previous[where] = slot;
}

function delist(where: Where, slot: Slot): void {
  const before = slot.previous[where] as Slot;
  const after = slot.next[where] as Slot;
  before.next[where] = after;
  after.previous[where] = before;
  slot.next[where] = undefined;
  slot.previous[where] = undefined;
}

/** True when one more fits in, after closing the oldest where that is needed. */
function makeRoom(caps: ConnectionCaps, group: Group, where: Where, bound: number): boolean {
  if (group.count < bound) return true;
  if (bound <= 0) return false;
  const victim = oldest(group, where);
  if (victim === undefined) return false;
  const idle = victim.state === IDLE;
  // Given back first: the owner's own release, whenever it comes, must not count twice.
  caps.release(victim);
  victim.owner?.closeForRoom(idle);
  return group.count < bound;
}

function oldest(group: Group, where: Where): Slot | undefined {
  for (const head of group.rings) {
    const first = head.next[where] as Slot;
    if (first !== head) return first;
  }
  return undefined;
}

/**
 * What counts as one address. A site with IPv6 has a whole /64 (RFC 6177 advises even more), from which one client can
 * take a new address for every connection: so the network counts, not the address.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [left, right] = address.split('::');
  const before = left === '' ? [] : left.split(':');
  if (right === undefined || before.length >= 4) return before.slice(0, 4).join(':');
  const after = right === '' ? [] : right.split(':');
  const width = after.length + (right.includes('.') ? 1 : 0);
  const zeros = Array<string>(8 - before.length - width).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
