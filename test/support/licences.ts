/** Licences that let users of an Apache-2.0 program do what that licence lets them do. */
const ALLOWED =
  'MIT MIT-0 ISC BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 BlueOak-1.0.0 Unlicense CC0-1.0 Python-2.0 PSF-2.0'.split(' ');

/** Fine for tools that are never passed on. */
const ALLOWED_FOR_TOOLS = [...ALLOWED, 'MPL-2.0', 'CC-BY-4.0'];

/** Judges an SPDX expression: of `A OR B` one must be allowed, of `A AND B` both. No licence is no permission. */
export function isAllowed(expression: string | undefined, tool: boolean): boolean {
  if (expression === undefined) return false;
  const list = tool ? ALLOWED_FOR_TOOLS : ALLOWED;
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  return plain
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => list.includes(licence.replace(/[()]/g, ''))));
}
