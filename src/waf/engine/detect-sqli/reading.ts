import { byteAt } from './bytes.ts';
import * as e from './evidence.ts';
import { Levels, NAMED, TEXT, VALUE } from './levels.ts';
import { Scanner } from './scanner.ts';
import { beginsStatement } from './statement.ts';
import * as w from './words.ts';

const OPERAND = 0;
const OPERATOR = 1;
const DONE = 2;

const NO_UNION = 0;
const UNION_ITEM = 1;
const UNION_NAME = 2;

/**
 * Reads a value as the rest of a SQL expression, from a place where the query's own text ends, and keeps what it saw. It stops where no
 * database could read on: prose ends after two words. One object, reused; nothing outlives a reading.
 */
export class Reading {
  readonly scan = new Scanner();
  evidence = 0;
  end = e.BROKEN;
  lead = e.LEAD_NONE;
  /** The quote that the value breaks out of; 0: none. */
  quote = 0;
  /** A comparison of constants stands behind `and` or `or`. */
  decidesAlone = false;
  /** Where it began. */
  from = 0;
  readonly #levels = new Levels();
  #union = NO_UNION;
  #orderPending = false;
  #betweenPending = false;
  #lastString = false;
  #tokens = 0;

  /**
   * @param at Behind the quote that closes the query's string; 0 and `quote` 0: the value stands bare.
   * @param behind An operand of the query's own stands before it.
   */
  read(text: string, at: number, quote: number, behind = quote !== 0): void {
    this.scan.begin(text, at);
    this.evidence = 0;
    this.end = e.BROKEN;
    this.lead = behind && quote === 0 ? e.LEAD_NUMBER : e.LEAD_NONE;
    this.quote = quote;
    this.from = at;
    this.decidesAlone = false;
    this.#levels.clear(behind ? TEXT : 0);
    this.#union = NO_UNION;
    this.#orderPending = this.#betweenPending = false;
    this.#lastString = quote !== 0;
    this.#tokens = 0;
    let state = behind ? OPERATOR : OPERAND;
    while (state !== DONE) {
      const kind = this.scan.next();
      state = state === OPERAND ? this.#operand(kind) : this.#operator(kind);
      this.#tokens++;
    }
  }

  get unites(): boolean {
    return (this.evidence & e.UNITED) !== 0;
  }

  #finish(end: number): number {
    if (end !== e.BROKEN) this.#settle();
    this.end = end;
    return DONE;
  }

  #operand(kind: number): number {
    switch (kind) {
      case w.NUMBER:
        return this.#took(TEXT, e.LEAD_NUMBER);
      case w.STRING:
        return this.#tookString();
      case w.OPEN_STRING:
        return this.#openString();
      case w.VARIABLE:
        this.evidence |= e.VARIABLE_USED | (this.scan.isGlobal ? e.GLOBAL_USED : 0);
        return this.#took(VALUE, e.LEAD_VALUE);
      case w.CONSTANT:
        return this.#isCall() ? this.#call() : this.#took(VALUE, e.LEAD_VALUE);
      case w.SIGN:
        if (this.#tokens === 0 && byteAt(this.scan.text, this.scan.start) === 0x2d) this.evidence |= e.NEGATIVE;
        return OPERAND;
      case w.PREFIX:
        return this.#prefix();
      case w.NOT:
        return OPERAND;
      case w.LOGIC:
        // `or 1=1`: the query's own operand stands before.
        return this.#tokens === 0 ? this.#logic() : this.#finish(e.BROKEN);
      case w.OPEN:
        this.#levels.open(false, NO_CLASS);
        return OPERAND;
      case w.CLOSE:
        return this.#levels.isEmptyCall() ? this.#close() : this.#finish(e.BROKEN);
      case w.SELECT:
        this.evidence |= e.SELECTED;
        this.#levels.select();
        return OPERAND;
      case w.ARITHMETIC:
        return this.#star();
      case w.CASE:
        this.evidence |= e.CASE_BEGUN;
        return OPERAND;
      case w.WHEN:
        return (this.evidence & e.CASE_BEGUN) !== 0 ? OPERAND : this.#finish(e.BROKEN);
      case w.UNION:
        return this.#tokens === 0 || (this.quote === 0 && this.lead === e.LEAD_NONE) ? this.#unite() : this.#finish(e.BROKEN);
      case w.TOP:
        return this.#levels.selecting() ? OPERAND : this.#name(kind);
      case w.COMMENT:
        return this.#finish(this.#tokens === 0 ? e.BROKEN : e.COMMENTED);
      case w.END:
        return this.#operandMissing();
      default:
        return this.#otherOperand(kind);
    }
  }

  /** The value ends where an operand should stand: `1 union select`, `select a from b where`. */
  #operandMissing(): number {
    if (this.#union === UNION_ITEM && this.isFree()) this.evidence |= e.UNION_SELECTED;
    if ((this.evidence & e.SELECTED) !== 0 && (this.evidence & e.WHERE_CLAUSE) !== 0) this.evidence |= e.COMPARED;
    return this.#finish(this.#tokens === 0 ? e.BROKEN : e.COMPLETE);
  }

  #otherOperand(kind: number): number {
    if (kind >= w.FIRST_STATEMENT && !this.#isCall()) {
      if (kind === w.IF && this.#tokens === 0) return OPERAND;
      return this.#tokens === 0 ? this.#statement(kind, false) : this.#finish(e.BROKEN);
    }
    if (isNameLike(kind) || this.scan.danger !== w.NO_FUNCTION) return this.#name(kind);
    return this.#finish(e.BROKEN);
  }

  #isCall(): boolean {
    return this.scan.danger !== w.NO_FUNCTION && this.scan.opens();
  }

  #prefix(): number {
    if (this.#isCall()) return this.#call();
    this.evidence |= e.PREFIXED;
    return OPERAND;
  }

  #name(kind: number): number {
    if (kind === w.CATALOGUE) this.evidence |= e.CATALOGUE_NAMED;
    if (this.scan.opens()) return this.#call();
    if (kind !== w.NAME && !isNameLike(kind)) return this.#finish(e.BROKEN);
    return this.#took(NAMED, e.LEAD_NAME);
  }

  /** A name with `(` behind it: what it is says its danger. */
  #call(): number {
    const { danger } = this.scan;
    this.scan.next();
    const known = danger !== w.NO_FUNCTION;
    if (this.lead === e.LEAD_NONE) this.lead = known ? e.LEAD_CALL : e.LEAD_NAME;
    if (danger === w.COMMON) this.evidence |= (this.evidence & e.CALLED) === 0 ? e.CALLED : e.CALLED_AGAIN;
    if (danger === w.DANGEROUS && byteAt(this.scan.text, this.scan.at) !== 0x29) this.evidence |= e.DANGER;
    if (known && this.#union === UNION_ITEM) this.evidence |= e.UNION_SELECTED;
    this.evidence |= e.BEYOND_STRINGS;
    this.#levels.open(true, known ? VALUE : NAMED, danger === w.TELLING);
    return OPERAND;
  }

  #tookString(): number {
    this.#lastString = true;
    if (this.lead === e.LEAD_NONE) this.lead = e.LEAD_STRING;
    this.#levels.take(TEXT);
    if (this.#union === UNION_ITEM) this.#unionProven();
    return OPERATOR;
  }

  #took(cls: number, lead: number): number {
    this.#lastString = false;
    if (this.lead === e.LEAD_NONE) this.lead = lead;
    this.evidence |= e.BEYOND_STRINGS | (cls === NAMED ? e.NAMED_OPERAND : 0);
    if (this.#orderPending && lead === e.LEAD_NUMBER) this.evidence |= e.ORDERED_BY_NUMBER;
    this.#orderPending = false;
    this.#levels.take(cls);
    if (this.#union === UNION_ITEM) {
      if (cls === NAMED) this.#union = UNION_NAME;
      else this.#unionProven();
    }
    return OPERATOR;
  }

  #openString(): number {
    if (this.scan.quote !== this.quote) return this.#finish(e.BROKEN);
    this.#levels.take(TEXT);
    return this.#finish(e.LEFT_OPEN);
  }

  /** `*` where an operand stands: `count(*)`, `select *`. */
  #star(): number {
    if (byteAt(this.scan.text, this.scan.start) !== 0x2a || !this.#levels.takesStar()) return this.#finish(e.BROKEN);
    this.evidence |= e.STARRED | (this.#union === UNION_ITEM ? e.UNION_SELECTED : 0);
    return this.#took(VALUE, e.LEAD_VALUE);
  }

  #unionProven(): void {
    this.#union = NO_UNION;
    // A prose sentence has unions that select two things; it has no lists, and none whose left side is a number.
    if (this.#isProse()) this.#union = UNION_NAME;
    else this.evidence |= e.UNION_SELECTED;
  }

  #unionListed(): void {
    if (this.#union === UNION_NAME) this.evidence |= e.UNION_SELECTED;
  }

  #operator(kind: number): number {
    const string = this.#lastString;
    this.#lastString = false;
    switch (kind) {
      case w.ARITHMETIC:
      case w.SIGN:
        return this.#operated(e.CALCULATED);
      case w.COMPARE:
        return this.#compare();
      case w.LOGIC:
        return this.#logic();
      case w.NOT:
        return this.#negated();
      case w.PREFIX:
        return string && this.#tokens === 0 ? OPERAND : this.#finish(e.BROKEN);
      case w.IN:
        return this.#in();
      case w.IS:
        return this.#is();
      case w.BETWEEN:
        this.#betweenPending = true;
        return this.#compare();
      case w.SOUNDS:
        return this.scan.next() === w.COMPARE ? this.#compare() : this.#finish(e.BROKEN);
      case w.COMMA:
        return this.#comma();
      case w.CLOSE:
        return this.#close();
      case w.OPEN:
        return this.#inserted(this.scan.next());
      case w.SEMICOLON:
        this.#settle();
        return this.#semicolon();
      case w.STRING:
        return string || this.#levels.selecting() ? this.#tookString() : this.#finish(e.BROKEN);
      case w.OPEN_STRING:
        return string && this.#tokens > 0 ? this.#openString() : this.#finish(e.BROKEN);
      case w.COMMENT:
        this.#unionListed();
        return this.#finish(e.COMMENTED);
      case w.END:
        if (this.isFree()) this.#unionListed();
        return this.#finish(e.COMPLETE);
      default:
        return this.#clause(kind, string);
    }
  }

  #clause(kind: number, string: boolean): number {
    switch (kind) {
      case w.UNION:
        return this.#unite();
      case w.FROM:
        this.#settle();
        this.#unionListedFrom();
        this.evidence |= e.FROM_TABLE;
        this.#levels.select();
        return OPERAND;
      case w.WHERE:
        this.evidence |= e.WHERE_CLAUSE;
        return OPERAND;
      case w.ORDER:
        if (this.scan.next() !== w.BY) return this.#finish(e.BROKEN);
        this.#settle();
        this.evidence |= e.ORDERED;
        this.#orderPending = true;
        this.#levels.select();
        return OPERAND;
      case w.HAVING:
        this.#settle();
        this.evidence |= e.HAVING_CLAUSE;
        return OPERAND;
      case w.LIMIT:
        this.evidence |= e.LIMITED;
        this.#settle();
        this.#levels.select();
        return OPERAND;
      case w.PROCEDURE:
        this.#settle();
        this.#levels.select();
        return OPERAND;
      case w.INTO:
        return this.#into();
      case w.AS:
        return this.#as();
      case w.COLLATE:
      case w.CAST:
        this.scan.next();
        return OPERATOR;
      case w.FOR:
        return this.scan.next() === w.UPDATE ? OPERATOR : this.#finish(e.BROKEN);
      case w.WHEN:
      case w.THEN:
      case w.ELSE:
      case w.CASE_END:
        return this.#case(kind);
      case w.JOIN:
      case w.ON:
        return (this.evidence & e.FROM_TABLE) !== 0 ? OPERAND : this.#finish(e.BROKEN);
      case w.DIRECTION:
        return (this.evidence & e.ORDERED) !== 0 ? OPERATOR : this.#finish(e.BROKEN);
      default:
        return this.#follower(kind, string);
    }
  }

  /** `(union …`, `' (select …) '`: a parenthesis where an operator should stand. */
  #inserted(kind: number): number {
    if (kind === w.UNION) return this.#unite();
    if (kind !== w.SELECT || this.quote === 0) return this.#finish(e.BROKEN);
    this.#levels.open(false, NO_CLASS);
    return this.#operand(kind);
  }

  /** A word where an operator should stand: an alias, a call right behind the quote, a statement. */
  #follower(kind: number, string: boolean): number {
    if (this.#tokens === 0 && string && this.#isCall()) return this.#call();
    if (kind === w.SELECT && this.#tokens === 0) return this.#operand(kind);
    if (kind >= w.FIRST_STATEMENT) {
      if (kind === w.IF && this.#tokens === 0) return OPERAND;
      return this.#statement(kind, false);
    }
    if (isNameLike(kind) && this.#levels.alias()) {
      if (kind === w.CATALOGUE) this.evidence |= e.CATALOGUE_NAMED;
      return OPERATOR;
    }
    return this.#finish(e.BROKEN);
  }

  #isProse(): boolean {
    return this.quote === 0 && (this.lead === e.LEAD_NAME || this.lead === e.LEAD_NONE);
  }

  /** Something stands before that only an injection has: a quote or a parenthesis that is closed, a number. */
  isFree(): boolean {
    return this.quote !== 0 || this.lead === e.LEAD_NUMBER || this.#levels.unbalanced;
  }

  #operated(what: number): number {
    if ((this.evidence & (e.CALCULATED | e.COMPARED | e.LOGICAL)) !== 0) this.evidence |= e.OPERATED_AGAIN;
    this.evidence |= what;
    return OPERAND;
  }

  #compare(): number {
    this.#settle();
    this.#levels.compare();
    return this.#operated(e.COMPARED);
  }

  #logic(): number {
    if (this.#betweenPending) {
      this.#betweenPending = false;
      return OPERAND;
    }
    this.#settle();
    this.#levels.part();
    return this.#operated(e.LOGICAL);
  }

  #negated(): number {
    const kind = this.scan.next();
    if (kind === w.COMPARE) return this.#compare();
    if (kind === w.IN) return this.#in();
    if (kind !== w.BETWEEN) return this.#finish(e.BROKEN);
    this.#betweenPending = true;
    return this.#compare();
  }

  #in(): number {
    let kind = this.scan.next();
    while (kind === w.SIGN) kind = this.scan.next();
    if (kind !== w.OPEN) return this.#mode(kind);
    this.#compare();
    this.#levels.open(false, NO_CLASS);
    return OPERAND;
  }

  /** `in boolean mode)`: MySQL's `match (…) against ('…'` goes on so behind the value. */
  #mode(first: number): number {
    let kind = this.quote === 0 ? w.END : first;
    for (let i = 0; i < 4 && isWordLike(kind); i++) kind = this.scan.next();
    return kind === w.CLOSE ? this.#close() : this.#finish(e.BROKEN);
  }

  #is(): number {
    let kind = this.scan.next();
    while (kind === w.NOT) kind = this.scan.next();
    if (kind !== w.CONSTANT && (kind !== w.NUMBER || this.quote === 0)) return this.#finish(e.BROKEN);
    this.#compare();
    return this.#took(VALUE, e.LEAD_VALUE);
  }

  #comma(): number {
    this.#settle();
    this.#unionListed();
    if (this.#levels.comma()) this.evidence |= e.LISTED;
    return OPERAND;
  }

  #close(): number {
    this.#settle();
    if (this.#levels.closesTelling()) this.evidence |= e.TOLD;
    this.#levels.close();
    return OPERATOR;
  }

  #semicolon(): number {
    let kind = this.scan.next();
    while (kind === w.SEMICOLON) kind = this.scan.next();
    if (kind === w.COMMENT) return this.#finish(e.COMMENTED);
    if (kind === w.END) return this.#finish(e.COMPLETE);
    if (kind === w.SELECT) {
      this.evidence |= e.SELECTED;
      this.#levels.select();
      if (this.isFree()) return OPERAND;
    }
    if (kind === w.IF || kind === w.DO) return OPERAND;
    return kind >= w.FIRST_STATEMENT ? this.#statement(kind, true) : this.#finish(e.BROKEN);
  }

  #statement(kind: number, stacked: boolean): number {
    const free = this.isFree();
    if (beginsStatement(this.scan, kind, stacked && free, stacked || free)) this.evidence |= e.STATEMENT_BEGUN;
    return this.#finish(e.BROKEN);
  }

  #unite(): number {
    this.#settle();
    this.evidence |= e.UNITED;
    let kind = this.scan.next();
    while (kind === w.ALL || kind === w.PREFIX || kind === w.OPEN || kind === w.SIGN) {
      if (kind === w.OPEN) this.#levels.open(false, NO_CLASS);
      kind = this.scan.next();
    }
    if (kind === w.VALUES && this.scan.opens()) this.#unionProven();
    if (kind !== w.SELECT) return this.#finish(kind === w.COMMENT ? e.COMMENTED : kind === w.END ? e.COMPLETE : e.BROKEN);
    this.evidence |= e.SELECTED;
    this.#levels.select();
    this.#union = UNION_ITEM;
    return OPERAND;
  }

  #unionListedFrom(): void {
    if (!this.#isProse()) this.#unionListed();
  }

  #into(): number {
    const kind = this.scan.next();
    if (kind === w.FILE) {
      this.evidence |= e.INTO_FILE;
      return this.#finish(e.BROKEN);
    }
    return this.#levels.selecting() && isNameLike(kind) ? OPERATOR : this.#finish(e.BROKEN);
  }

  #as(): number {
    const kind = this.scan.next();
    if (kind === w.STRING || isNameLike(kind) || this.scan.danger !== w.NO_FUNCTION) {
      if (this.scan.opens()) {
        this.scan.next();
        this.#levels.open(true, VALUE);
        return OPERAND;
      }
      return OPERATOR;
    }
    return this.#finish(e.BROKEN);
  }

  #case(kind: number): number {
    if ((this.evidence & e.CASE_BEGUN) === 0) return this.#finish(e.BROKEN);
    this.#settle();
    if (kind === w.THEN) this.evidence |= e.CASE_COMPLETE;
    return kind === w.CASE_END ? OPERATOR : OPERAND;
  }

  #settle(): void {
    const settled = this.#levels.settle();
    if (settled === 0) return;
    if (settled > VALUE) return;
    if ((this.evidence & e.LOGICAL) !== 0) this.decidesAlone = true;
    this.evidence |= e.CONSTANT_COMPARED | (this.#levels.inCall() ? e.COMPARED_INSIDE : 0);
  }
}

const NO_CLASS = 0;

const NAME_LIKE = new Set([
  w.NAME,
  w.CATALOGUE,
  w.TABLE,
  w.LOAD_WORD,
  w.MODIFIER,
  w.DELAY,
  w.VALUES,
  w.TOP,
  w.DIRECTION,
  w.FILE,
  w.SYSTEM_CALL,
  w.DO,
]);

function isWordLike(kind: number): boolean {
  return kind === w.JOIN || isNameLike(kind);
}

function isNameLike(kind: number): boolean {
  return kind === w.NAME || NAME_LIKE.has(kind);
}
