import type { Ctl, Target } from '../rule-set.ts';
import { didYouMean } from './nearest.ts';
import { readNumber, readRanges, readSwitch, readWord } from './numbers.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';
import { readNamed } from './targets.ts';

type Change = Ctl['change'];
type ReadChange = (value: Span, reading: Reading) => readonly Change[];

const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['hashengine', 'pages are not signed'],
  ['hashenforcement', 'pages are not signed'],
  ['parsexmlintoargs', 'XML is looked at by XML:/* and XML://@*'],
]);

const some = (change: Change | undefined): readonly Change[] => (change === undefined ? [] : [change]);

const OPTIONS: Readonly<Record<string, ReadChange>> = {
  ruleEngine: (value, { report }) => {
    const mode = readWord(value, ['On', 'Off', 'DetectionOnly'], report);
    return some(mode && { option: 'ruleEngine', value: mode });
  },
  auditEngine: (value, { report }) => {
    const mode = readWord(value, ['On', 'Off', 'RelevantOnly'], report);
    return some(mode && { option: 'auditEngine', value: mode });
  },
  auditLogParts: (value) => [{ option: 'auditLogParts', value: value.text }],
  debugLogLevel: (value, { report }) => {
    const level = readNumber(value, report, 0, 9);
    return level === undefined ? [] : [{ option: 'debugLogLevel', value: value.text }];
  },
  requestBodyAccess: onOff('requestBodyAccess'),
  responseBodyAccess: onOff('responseBodyAccess'),
  forceRequestBodyVariable: onOff('forceRequestBodyVariable'),
  requestBodyProcessor: (value, { report }) => {
    const processor = readWord(value, ['URLENCODED', 'MULTIPART', 'JSON', 'XML', 'RAW'], report);
    return some(processor && { option: 'requestBodyProcessor', value: processor });
  },
  ruleRemoveById: (value, { report }) => {
    const ranges = readRanges(value, report);
    return ranges.length === 0 ? [] : [{ option: 'ruleRemoveById', ranges }];
  },
  ruleRemoveByTag: removal('ruleRemoveByTag'),
  ruleRemoveByMsg: removal('ruleRemoveByMsg'),
  ruleRemoveTargetById: (value, reading) =>
    withTargets(value, reading, (which, target) => {
      const ranges = readRanges(which, reading.report);
      return some(ranges.length === 0 ? undefined : { option: 'ruleRemoveTargetById', ranges, target });
    }),
  ruleRemoveTargetByTag: targetRemoval('ruleRemoveTargetByTag'),
  ruleRemoveTargetByMsg: targetRemoval('ruleRemoveTargetByMsg'),
};

const BY_NAME = new Map(Object.entries(OPTIONS).map(([name, read]) => [name.toLowerCase(), read]));

/** `ctl:option=value`; one effect for each change, of which a list of targets makes several. */
export function readCtl(written: Span, reading: Reading): Ctl[] {
  const { report } = reading;
  const parts = written.cut('=');
  const option = (parts?.[0] ?? written).trim();
  const value = parts?.[1].trim();
  const lower = option.text.toLowerCase();
  const read = BY_NAME.get(lower);
  const why = UNSUPPORTED.get(lower);
  if (why !== undefined) report.refuse(option.place(), `ctl:${option.text} is not supported: ${why}`, 'leave it out');
  else if (read === undefined)
    report.refuse(option.place(), `there is no ctl:${option.text}`, didYouMean(lower, Object.keys(OPTIONS)));
  else if (value === undefined || value.text === '') report.refuse(option.place(), `a value is missing: ctl:${option.text}=…`);
  else return read(value, reading).map((change) => ({ kind: 'ctl', change }));
  return [];
}

function onOff(option: 'requestBodyAccess' | 'responseBodyAccess' | 'forceRequestBodyVariable'): ReadChange {
  return (value, { report }) => {
    const on = readSwitch(value, report);
    return on === undefined ? [] : [{ option, value: on }];
  };
}

function removal(option: 'ruleRemoveByTag' | 'ruleRemoveByMsg'): ReadChange {
  return (value, reading) => (reading.pattern(value) === undefined ? [] : [{ option, value: value.text }]);
}

function targetRemoval(option: 'ruleRemoveTargetByTag' | 'ruleRemoveTargetByMsg'): ReadChange {
  return (value, reading) =>
    withTargets(value, reading, (which, target) =>
      reading.pattern(which) === undefined ? [] : [{ option, value: which.text, target }],
    );
}

/** `WHICH;TARGET`. The target is what is left out: it takes no `!`, but those who write one mean the same. */
function withTargets(value: Span, reading: Reading, make: (which: Span, target: Target) => readonly Change[]): readonly Change[] {
  const parts = value.cut(';');
  if (parts === undefined) {
    reading.report.refuse(value.place(), 'the target is missing', 'write ctl:ruleRemoveTargetById=942100;ARGS:name');
    return [];
  }
  const [which, targets] = parts.map((part) => part.trim());
  return readNamed(targets, reading).flatMap((target) => make(which, target));
}
