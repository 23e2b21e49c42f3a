/** Rules small enough to see through, that score as the Core Rule Set does: what the room has to do with rules shows on them. */
export const wafRules = `SecAction "id:900,phase:1,pass,nolog,setvar:tx.critical=5,setvar:tx.inbound_anomaly_score=0,setvar:tx.outbound_anomaly_score=0"
SecRule &TX:inbound_anomaly_score_threshold "@eq 0" "id:901,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=5"
SecRule &TX:detection_paranoia_level "@eq 0" "id:902,phase:1,pass,nolog,setvar:tx.detection_paranoia_level=1"
SecAction "id:903,phase:1,pass,nolog,setvar:tx.outbound_anomaly_score_threshold=4"
SecRule REQUEST_HEADERS:X-Phase-1 "@rx evil" "id:910,phase:1,deny,status:403,msg:'evil in the head'"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|REQUEST_COOKIES_NAMES|REQUEST_HEADERS|REQUEST_FILENAME|XML:/*|XML://@*|FILES|FILES_NAMES|MULTIPART_PART_HEADERS \\
  "@rx evil" \\
  "id:1001,phase:2,pass,t:none,t:urlDecodeUni,t:lowercase,msg:'evil',logdata:'%{matched_var}',severity:CRITICAL,tag:'attack-evil',\\
  setvar:'tx.inbound_anomaly_score=+%{tx.critical}'"
SecRule ARGS "@rx naughty" \\
  "id:1002,phase:2,pass,t:none,msg:'naughty',tag:'attack-naughty',setvar:'tx.inbound_anomaly_score=+3'"
SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "id:1010,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS "@rx odd" "id:1011,phase:2,pass,t:none,msg:'odd',tag:'attack-odd',setvar:'tx.inbound_anomaly_score=+%{tx.critical}'"
SecMarker END
SecRule ARGS "@pmFromFile words.data" "id:1020,phase:2,deny,status:403,msg:'a word of the list'"
SecRule TX:INBOUND_ANOMALY_SCORE "@ge %{tx.inbound_anomaly_score_threshold}" \\
  "id:949110,phase:2,deny,status:403,msg:'Inbound Anomaly Score Exceeded',tag:'anomaly-evaluation'"
SecRule RESPONSE_HEADERS:X-Leak "@rx ." "id:2001,phase:3,deny,msg:'a leak in a field'"
SecRule RESPONSE_BODY "@rx ORA-[0-9]+" "id:2002,phase:4,pass,msg:'an error of a database',setvar:'tx.outbound_anomaly_score=+4'"
SecRule TX:OUTBOUND_ANOMALY_SCORE "@ge %{tx.outbound_anomaly_score_threshold}" "id:959100,phase:4,deny,msg:'Outbound Anomaly Score Exceeded'"
`;

export interface WafCase {
  readonly name: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

const json = (body: string): Partial<WafCase> => ({ method: 'POST', headers: ['Content-Type: application/json'], body });
const form = (body: string): Partial<WafCase> => ({
  method: 'POST',
  headers: ['Content-Type: application/x-www-form-urlencoded'],
  body,
});
const xml = (body: string): Partial<WafCase> => ({ method: 'POST', headers: ['Content-Type: application/xml'], body });
const part = (head: string, value: string): Partial<WafCase> => ({
  method: 'POST',
  headers: ['Content-Type: multipart/form-data; boundary=xyz'],
  body: `--xyz\r\n${head}\r\n\r\n${value}\r\n--xyz--\r\n`,
});
const disposition = 'Content-Disposition: form-data';

/** The places of a request, each with the word that is put there: `evil` must stop, any other pass. */
export const placesOf = (word: string): readonly WafCase[] => [
  { name: 'query', target: `?q=${word}` },
  { name: 'query, encoded twice', target: `?q=%25${hex(word)}${word.slice(1)}` },
  { name: 'name of a query field', target: `?${word}=1` },
  { name: 'path', target: `/${word}` },
  { name: 'path, encoded', target: `/%${hex(word)}${word.slice(1)}` },
  { name: 'header', headers: [`X-Note: ${word}`] },
  { name: 'cookie', headers: [`Cookie: a=1; b=${word}`] },
  { name: 'name of a cookie', headers: [`Cookie: ${word}=1`] },
  { name: 'JSON value', ...json(`{"a":{"b":[1,"${word}"]}}`) },
  { name: 'JSON value, escaped', ...json(`{"a":"\\u00${hex(word)}${word.slice(1)}"}`) },
  { name: 'JSON key', ...json(`{"a":{"${word}":1}}`) },
  { name: 'JSON text alone', ...json(`"${word}"`) },
  { name: 'JSON of another type', ...json(`{"a":"${word}"}`), headers: ['Content-Type: application/problem+json'] },
  { name: 'form', ...form(`a=1&b=${word}`) },
  { name: 'name of a form field', ...form(`${word}=1`) },
  { name: 'multipart value', ...part(`${disposition}; name="a"`, word) },
  { name: 'multipart name', ...part(`${disposition}; name="${word}"`, 'x') },
  { name: 'multipart file name', ...part(`${disposition}; name="a"; filename="${word}.txt"`, 'x') },
  { name: 'multipart header', ...part(`${disposition}; name="a"; filename="x.txt"\r\nContent-Type: text/${word}`, 'x') },
  { name: 'XML text', ...xml(`<a><b>${word}</b></a>`) },
  { name: 'XML attribute', ...xml(`<a b="${word}"/>`) },
  { name: 'XML text with references', ...xml(`<a>&#x${hex(word)};${word.slice(1)}</a>`) },
];

const hex = (word: string) => word.charCodeAt(0).toString(16);
