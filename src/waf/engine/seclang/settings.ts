import type { RuleSettings } from '../rule-set.ts';
import { readNumber, readSwitch, readWord, shown } from './numbers.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';

export type Settings = { -readonly [K in keyof RuleSettings]: RuleSettings[K] };

/** The words behind the directive; there is at least one. */
type ReadSetting = (values: readonly Span[], settings: Settings, reading: Reading) => void;

type KeyOf<T> = { [K in keyof Settings]-?: Exclude<Settings[K], undefined> extends T ? K : never }[keyof Settings];
type NumberKey = Extract<KeyOf<number>, string>;

const number =
  (key: NumberKey): ReadSetting =>
  ([value], settings, { report }) => {
    const read = readNumber(value, report);
    if (read !== undefined) settings[key] = read;
  };

const onOff =
  (key: 'requestBodyAccess' | 'responseBodyAccess'): ReadSetting =>
  ([value], settings, { report }) => {
    const read = readSwitch(value, report);
    if (read !== undefined) settings[key] = read;
  };

const limitAction =
  (key: 'requestBodyLimitAction' | 'responseBodyLimitAction'): ReadSetting =>
  ([value], settings, { report }) => {
    const read = readWord(value, ['Reject', 'ProcessPartial'], report);
    if (read !== undefined) settings[key] = read;
  };

/** A directive for which there is one value that this gateway can take. */
const only =
  (wanted: string, message: string, hint: string, take: (settings: Settings) => void = () => {}): ReadSetting =>
  (values, settings, { report }) => {
    const value = values[values.length - 1];
    if (value.text.toLowerCase() === wanted.toLowerCase()) take(settings);
    else report.refuse(value.place(), `${message}, not ${shown(value.text)}`, hint);
  };

/** Directives that set something. */
export const SETTINGS: Readonly<Record<string, ReadSetting>> = {
  SecRuleEngine: ([value], settings, { report }) => {
    const mode = readWord(value, ['On', 'Off', 'DetectionOnly'], report);
    if (mode !== undefined) settings.engine = mode;
  },
  SecRequestBodyAccess: onOff('requestBodyAccess'),
  SecResponseBodyAccess: onOff('responseBodyAccess'),
  SecRequestBodyLimit: number('requestBodyLimit'),
  SecRequestBodyNoFilesLimit: number('requestBodyNoFilesLimit'),
  SecRequestBodyLimitAction: limitAction('requestBodyLimitAction'),
  SecRequestBodyJsonDepthLimit: number('jsonDepthLimit'),
  SecResponseBodyLimit: number('responseBodyLimit'),
  SecResponseBodyLimitAction: limitAction('responseBodyLimitAction'),
  SecResponseBodyMimeType: (values, settings) => {
    const types = values.map(({ text }) => text.toLowerCase());
    settings.responseBodyTypes = [...new Set([...(settings.responseBodyTypes ?? []), ...types])];
  },
  SecArgumentsLimit: number('argumentsLimit'),
  SecCollectionTimeout: number('collectionTimeout'),
  SecUploadFileLimit: number('uploadFileLimit'),
  SecArgumentSeparator: only('&', 'arguments stand apart by &', 'the gateway reads a query in one way', (settings) => {
    settings.argumentSeparator = '&';
  }),
  SecCookieFormat: only('0', 'cookies are of format 0', 'no browser sends cookies of version 1'),
  SecCookieV0Separator: only(';', 'cookies stand apart by ;', 'the gateway reads cookies in one way'),
  SecUnicodeMapFile: only('20127', 'the code page is 20127 (US-ASCII)', 'its map is built in'),
  SecUnicodeCodePage: only('20127', 'the code page is 20127 (US-ASCII)', 'its map is built in'),
  SecXmlExternalEntity: only('Off', 'external entities are never read: this is Off', 'write SecXmlExternalEntity Off'),
  SecParseXmlIntoArgs: only('Off', 'XML is looked at by XML:/* and XML://@*: this is Off', 'write targets of XML'),
  SecContentInjection: only('Off', 'answers are not changed: this is Off', 'leave it out'),
  SecStreamInBodyInspection: only('Off', 'bodies are not changed as they pass: this is Off', 'leave it out'),
  SecStreamOutBodyInspection: only('Off', 'bodies are not changed as they pass: this is Off', 'leave it out'),
  SecHashEngine: only('Off', 'pages are not signed: this is Off', 'leave it out'),
  SecUploadKeepFiles: only('Off', 'files that are sent are not kept: this is Off', 'leave it out'),
};

const LOGS = 'the access record and the events tell what rules found';
const FILES = 'nothing of a request is written to files';
const LINEAR = 'a pattern costs what the value is long, whatever it is';
const LIMITS = 'limits of the listener bound connections';

/** Directives that mean nothing here, and what takes their place. */
export const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  SecAuditEngine: LOGS,
  SecAuditLog: LOGS,
  SecAuditLog2: LOGS,
  SecAuditLogDirMode: LOGS,
  SecAuditLogFileMode: LOGS,
  SecAuditLogFormat: LOGS,
  SecAuditLogParts: LOGS,
  SecAuditLogPrefix: LOGS,
  SecAuditLogRelevantStatus: LOGS,
  SecAuditLogStorageDir: LOGS,
  SecAuditLogType: LOGS,
  SecDebugLog: LOGS,
  SecDebugLogLevel: LOGS,
  SecGuardianLog: LOGS,
  SecSensorId: 'records name the route and the listener',
  SecTmpDir: FILES,
  SecDataDir: FILES,
  SecUploadDir: FILES,
  SecUploadFileMode: FILES,
  SecTmpSaveUploadedFiles: FILES,
  SecPcreMatchLimit: LINEAR,
  SecPcreMatchLimitRecursion: LINEAR,
  SecConnEngine: LIMITS,
  SecConnReadStateLimit: LIMITS,
  SecConnWriteStateLimit: LIMITS,
  SecReadStateLimit: LIMITS,
  SecWriteStateLimit: LIMITS,
  SecRequestBodyInMemoryLimit: 'bodies are held in memory, up to their bound',
  SecServerSignature: 'answers carry no name of a server unless the configuration writes one',
  SecWebAppId: 'routes tell applications apart; WEBAPPID is "default"',
  SecStatusEngine: 'the gateway tells nobody that it runs',
  SecInterceptOnError: 'a rule that breaks is a fault of the gateway, and refuses',
  SecRulePerfTime: 'rules are not timed one by one',
  SecCacheTransformations: 'what is transformed once is never transformed again',
  SecDisableBackendCompression: 'the gateway agrees with services about compression itself',
  SecRuleInheritance: 'each route says which rules it takes',
};

/** Directives that there are, but not here, and why. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  SecChrootDir: 'the system that starts the gateway confines it',
  SecGeoLookupDb: 'there is no database of places',
  SecGsbLookupDb: 'the service that it asks has ended',
  SecHashKey: 'pages are not signed',
  SecHashMethodPm: 'pages are not signed',
  SecHashMethodRx: 'pages are not signed',
  SecHashParam: 'pages are not signed',
  SecHttpBlKey: 'no request waits for the DNS',
  SecRemoteRules: 'rules are files that the gateway is given, not what a server answers',
  SecRemoteRulesFailAction: 'rules are files that the gateway is given, not what a server answers',
  SecRuleScript: 'no program is run for a request',
  SecRsub: 'bodies are not changed',
};
