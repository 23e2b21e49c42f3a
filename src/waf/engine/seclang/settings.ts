import type { RuleSettings } from '../rule-set.ts';
import type { LogicalLine } from './lines.ts';
import { SyntaxProblem } from './syntax-error.ts';
import type { Word } from './words.ts';

type Writable = { -readonly [K in keyof RuleSettings]: RuleSettings[K] };
type Read = (words: readonly Word[], line: LogicalLine) => Writable;

const ON_OFF = { on: true, off: false } as const;
const LIMIT_ACTIONS = { reject: 'Reject', processpartial: 'ProcessPartial' } as const;
const MODES = { on: 'On', off: 'Off', detectiononly: 'DetectionOnly' } as const;

function wordIn<T>(known: Readonly<Record<string, T>>, words: readonly Word[], line: LogicalLine): T {
  const [name, value] = words;
  const found = known[value?.text.toLowerCase() ?? ''];
  if (found === undefined || !Object.hasOwn(known, value.text.toLowerCase())) {
    throw new SyntaxProblem(line.place(value?.at ?? name.at), `${name.text} is one of ${Object.keys(known).join(', ')}`);
  }
  return found;
}

function numberIn(words: readonly Word[], line: LogicalLine): number {
  const [name, value] = words;
  if (value === undefined || !/^\d{1,15}$/.test(value.text)) {
    throw new SyntaxProblem(line.place(value?.at ?? name.at), `${name.text} needs a number`);
  }
  return Number(value.text);
}

const number =
  (key: keyof RuleSettings): Read =>
  (words, line) => ({ [key]: numberIn(words, line) });
const onOff =
  (key: keyof RuleSettings): Read =>
  (words, line) => ({ [key]: wordIn(ON_OFF, words, line) });
const limitAction =
  (key: keyof RuleSettings): Read =>
  (words, line) => ({ [key]: wordIn(LIMIT_ACTIONS, words, line) });

/** Directives that set something, by name in lower case. */
export const SETTINGS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['secruleengine', (words, line) => ({ engine: wordIn(MODES, words, line) })],
  ['secrequestbodyaccess', onOff('requestBodyAccess')],
  ['secresponsebodyaccess', onOff('responseBodyAccess')],
  ['secrequestbodylimit', number('requestBodyLimit')],
  ['secrequestbodynofileslimit', number('requestBodyNoFilesLimit')],
  ['secrequestbodylimitaction', limitAction('requestBodyLimitAction')],
  ['secresponsebodylimit', number('responseBodyLimit')],
  ['secresponsebodylimitaction', limitAction('responseBodyLimitAction')],
  ['secresponsebodymimetype', (words) => ({ responseBodyTypes: words.slice(1).map(({ text }) => text.toLowerCase()) })],
  ['secresponsebodymimetypesclear', () => ({ responseBodyTypes: [] })],
  ['secrequestbodyjsondepthlimit', number('jsonDepthLimit')],
  ['secargumentslimit', number('argumentsLimit')],
  ['seccollectiontimeout', number('collectionTimeout')],
  ['secuploadfilelimit', number('uploadFileLimit')],
  ['secargumentseparator', separator],
  ['seccookieformat', cookieFormat],
  ['secunicodemapfile', unicodeMap],
]);

function separator(words: readonly Word[], line: LogicalLine): Writable {
  if (words[1]?.text === '&') return { argumentSeparator: '&' };
  throw new SyntaxProblem(
    line.place(words[1]?.at ?? 0),
    'the only separator of arguments is &',
    'the gateway reads a query in one way',
  );
}

function cookieFormat(words: readonly Word[], line: LogicalLine): Writable {
  if (words[1]?.text === '0') return {};
  throw new SyntaxProblem(
    line.place(words[1]?.at ?? 0),
    'the only format of cookies is 0',
    'version 1 cookies are read by no browser',
  );
}

function unicodeMap(words: readonly Word[], line: LogicalLine): Writable {
  if (words[2]?.text === '20127') return {};
  throw new SyntaxProblem(line.place(words[2]?.at ?? 0), 'the only code page is 20127 (US-ASCII)', 'its map is built in');
}

/** Directives that mean nothing here, with what takes their place. */
export const WITHOUT_MEANING: ReadonlyMap<string, string> = new Map([
  ...['secauditengine', 'secauditlog', 'secauditlog2', 'secauditlogdirmode', 'secauditlogfilemode', 'secauditlogformat'].map(log),
  ...['secauditlogparts', 'secauditlogprefix', 'secauditlogrelevantstatus', 'secauditlogstoragedir', 'secauditlogtype'].map(log),
  ...['secdebuglog', 'secdebugloglevel', 'secguardianlog'].map(log),
  ...['secpcrematchlimit', 'secpcrematchlimitrecursion'].map((name) => [name, 'every pattern is linear by itself'] as const),
  ...['sectmpdir', 'secdatadir', 'secuploaddir', 'secuploadkeepfiles', 'secuploadfilemode'].map(
    (name) => [name, 'nothing of a request is written to files'] as const,
  ),
  ['secrequestbodyinmemorylimit', 'bodies are held in memory up to their bound'],
  ['secserversignature', 'the gateway tells no name'],
  ['secconnengine', 'limits bound connections'],
  ['secwebappid', 'routes are told apart by the configuration'],
  ['secstatusengine', 'the gateway calls nobody'],
  ['secinterceptonerror', 'a rule that breaks is a fault of the gateway, and refuses'],
  ['secsensorid', 'records name the listener'],
  ['sectmpsaveuploadedfiles', 'nothing of a request is written to files'],
  ['secxmlexternalentity', 'external entities are never read'],
  ['secruleinheritance', 'each route says what it takes'],
]);

function log(name: string): readonly [string, string] {
  return [name, 'the access record and the events tell what rules found'];
}
