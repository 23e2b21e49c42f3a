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
  const defines = (id: number) => files.some((text) => new RegExp(`\\bid:'?${id}\\b`).test(text));
  return (
    SETTINGS +
    RULES.filter(([id]) => !defines(id))
      .map(([, text]) => `${text}\n`)
      .join('')
  );
}
