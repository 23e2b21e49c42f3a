import type { Refusal } from '../exchange/decision.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import type { World } from '../pipeline/stage.ts';

/** Where a method's credential stands in a request: the bearer token of `Authorization`, a header of its own, or the connection. */
export type Place =
  | { readonly kind: 'bearer' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'certificate' };

/**
 * One way to tell who calls, made once for each entry of `authentication` and shared by the routes that name it. The room finds the
 * credential, refuses what is doubled, and asks the methods that read from its place, in the order in which the route names them: the
 * first Caller counts. A Refusal of one is told when no other accepts; 503 (`nothing can be known`) wins over 401, because the caller
 * may be right.
 */
export interface Method {
  /** As written in the configuration. */
  readonly name: string;
  readonly place: Place;
  /** The challenge of a 401 (RFC 9110 section 11.6.1, RFC 6750 section 3), such as `Bearer`. */
  readonly challenge: string | undefined;
  /** Whether the connection has brought what this method looks at. Only for the place `certificate`, and there it must be. */
  presented?(x: Exchange): boolean;
  /** True where the method looks at each character of a token itself before it does anything with it: then the room does not. */
  readonly checksForm?: true;
  /** A quick look whether this credential can be for this method at all (a JWT of another issuer, an opaque token); absent: it can. */
  accepts?(credential: string): boolean;
  /**
   * Whether a text has a credential of this method anywhere in it, by its form alone. Where it can be told, requests with one in a place from
   * which none is taken are refused. Linear in the text.
   */
  holds?(text: string): boolean;
  /** Gives the caller at once where nothing waits. `credential` is the token or key alone, '' for a certificate. */
  verify(x: Exchange, credential: string): Caller | Refusal | Promise<Caller | Refusal>;
  /** Settles when the method can serve; it must not reject because somebody else is down. */
  ready?(): Promise<void>;
  close?(): void;
}

/**
 * What a method may use. It outlives the configuration that it was made for, so nothing here belongs to one: what `carry` gives lives as
 * long as the method does, and is the same for all methods that take it.
 */
export type MethodWorld = Pick<World, 'carry' | 'egress' | 'clock' | 'log'>;

/** Makes a method. Rejects when the options cannot work. */
export type MakeMethod<O> = (name: string, options: O, world: MethodWorld) => Promise<Method>;
