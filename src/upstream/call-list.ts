/** What can stand in a `CallList`. In one list at a time. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
}

/** A doubly linked list through its members: joining and leaving cost a few writes and no allocation. */
export class CallList<T extends Linked<T>> {
  head: T | undefined;
  tail: T | undefined;
  length = 0;

  push(member: T): void {
    member.before = this.tail;
    member.after = undefined;
    if (this.tail === undefined) this.head = member;
    else this.tail.after = member;
    this.tail = member;
    this.length++;
  }

  remove(member: T): void {
    if (member.before === undefined) this.head = member.after;
    else member.before.after = member.after;
    if (member.after === undefined) this.tail = member.before;
    else member.after.before = member.before;
    member.before = undefined;
    member.after = undefined;
    this.length--;
  }
}
