import { FILE_VARIABLES } from './files.ts';
import { REQUEST_VARIABLES } from './request.ts';
import { RESPONSE_VARIABLES } from './response.ts';
import { STATE_VARIABLES } from './state.ts';
import type { Variable } from './variable.ts';
import { XML_VARIABLES } from './xml.ts';

const ALL: ReadonlyMap<string, Variable> = new Map(
  [...REQUEST_VARIABLES, ...FILE_VARIABLES, ...XML_VARIABLES, ...RESPONSE_VARIABLES, ...STATE_VARIABLES].map((one) => [
    one.name,
    one,
  ]),
);

/** Names that the language has for the same thing. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['ARG', 'ARGS'],
  ['SCRIPT_FILENAME', 'REQUEST_FILENAME'],
  ['SCRIPT_BASENAME', 'REQUEST_BASENAME'],
  ['USERID', 'REMOTE_USER'],
]);

/** The variable of this name, upper case; undefined: this engine has none. */
export function variableNamed(name: string): Variable | undefined {
  return ALL.get(name) ?? ALL.get(ALIASES.get(name) ?? '');
}

/** All names, for suggestions. */
export const VARIABLE_NAMES: readonly string[] = [...ALL.keys()];
