/** Why secrets cannot be had, in words for people. Never holds anything of a value or a key. */
export class SecretsError extends Error {
  override readonly name = 'SecretsError';
}
