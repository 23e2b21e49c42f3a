/** The environment variable with the key of the store. */
export const KEY_VARIABLE = 'PORTCULLIS_SECRETS_KEY';

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;

/** What is wrong with the name of a secret; undefined: nothing. It is a variable, and a file of a folder: no slash can be in it. */
export function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) {
    return 'the name of a secret begins with a letter or "_" and holds letters, digits, "_", "-" and "."; at most 128 of them';
  }
  return name === KEY_VARIABLE || name === `${KEY_VARIABLE}_FILE`
    ? `${name} is the key of the store, not a secret in it`
    : undefined;
}
