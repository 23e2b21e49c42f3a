/** The parser's errors that people meet, and what they are told: what to do to the file, in words that need no grammar of YAML. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Tabs are not allowed/, 'a tab in the indentation: use spaces'],
  [/^Unexpected flow-(?:map|seq)-start/, 'a value with { } or [ ] in it, such as {id} or ${NAME}, must stand in quotes here'],
  [/^Flow (?:map|sequence) (?:in block collection )?must/, ''],
  [/^All mapping items must start/, 'the keys of one mapping must begin at the same column'],
  [/^All sequence items must start|^A block sequence may not be used/, 'the entries of one list must begin at the same column'],
  [/^Sequence item without/, 'every entry of a list begins with "- "'],
  [/^Block collections are not allowed/, 'inside { } and [ ], entries are separated by commas'],
  [/^Nested mappings are not allowed/, 'a value with ": " in it must stand in quotes, and a mapping begins on a line of its own'],
  [/^Implicit (?:map )?keys need/, 'a key is followed by ": " and its value'],
  [/^Missing closing .quote/, 'a quote that is never closed'],
  [/^Missing , between/, 'a comma is missing between two entries'],
  [/^Missing , or : between/, 'a comma, or the ": " behind a key, is missing'],
  [/^Plain value cannot start with/, 'a value that begins with this character must stand in quotes'],
];

/** One error of the parser in plain words, without any piece of the file: that could be of a secret. */
export function yamlWords(message: string): string {
  const found = WORDS.find(([pattern]) => pattern.test(message));
  if (found === undefined) return message.replace(/: "[^]*$/, '').replace(/^([A-Z])(?=[a-z])/, (letter) => letter.toLowerCase());
  if (found[1] !== '') return found[1];
  const closing = message.trimEnd().endsWith('}') ? ['{', '}'] : ['[', ']'];
  return `"${closing[0]}" is not closed by "${closing[1]}", or the lines between are not indented`;
}
