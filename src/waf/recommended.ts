/**
 * What `waf` implies before any rule file is read: the parts of ModSecurity's recommended configuration that decide what is looked at
 * and what is refused as unreadable. A rule file that defines one of these ids, or sets one of these limits, wins.
 */
const SETTINGS = `SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 1048576
SecResponseBodyLimitAction ProcessPartial
SecCookieFormat 0
SecArgumentSeparator &
`;

const RULES: readonly (readonly [id: number, text: string])[] = [
  [
    200000,
    `SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" \\
  "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"`,
  ],
  [
    200001,
    `SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+[+])?json" \\
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"`,
  ],
  [
    200002,
    `SecRule REQBODY_ERROR "!@eq 0" \\
  "id:200002,phase:2,t:none,log,deny,status:400,msg:'Failed to parse request body.',logdata:'%{reqbody_error_msg}',severity:2"`,
  ],
  [
    200003,
    `SecRule MULTIPART_STRICT_ERROR "!@eq 0" \\
  "id:200003,phase:2,t:none,log,deny,status:400,msg:'Multipart request body failed strict validation.',severity:2"`,
  ],
  [
    200004,
    `SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \\
  "id:200004,phase:2,t:none,log,deny,status:400,msg:'Multipart parser detected a possible unmatched boundary.'"`,
  ],
  [
    200007,
    `SecRule &ARGS "@ge 1000" \\
  "id:200007,phase:2,t:none,log,deny,status:400,msg:'Failed to fully parse request body due to large argument count',severity:2"`,
  ],
];

/** The name under which these stand in messages. */
export const RECOMMENDED = 'portcullis:recommended';

/** The text, without the rules whose ids the given files define themselves. */
export function recommendedRules(files: readonly string[]): string {
  const missing = RULES.filter(([id]) => !files.some((text) => defines(text, String(id))));
  return SETTINGS + missing.map(([, text]) => `${text}\n`).join('');
}

/** Whether a text has a rule with this id. One in a comment is none: what is implied would be lost without a word. */
function defines(text: string, id: string): boolean {
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    if (isDigit(text, at + id.length)) continue;
    const before = text[at - 1] === "'" ? at - 1 : at;
    const isId = text.startsWith('id:', before - 3) && !isWord(text, before - 4);
    if (isId && !isComment(text, at)) return true;
  }
  return false;
}

const isDigit = (text: string, at: number) => text[at] >= '0' && text[at] <= '9';
const isWord = (text: string, at: number) => /\w/.test(text[at] ?? '');

/** A line goes on behind `\` at its end, one of a comment too. */
function isComment(text: string, at: number): boolean {
  let start = text.lastIndexOf('\n', at) + 1;
  while (start > 1 && /\\\r?$/.test(text.slice(Math.max(0, start - 3), start - 1))) start = text.lastIndexOf('\n', start - 2) + 1;
  return text.slice(start, at).trimStart().startsWith('#');
}
