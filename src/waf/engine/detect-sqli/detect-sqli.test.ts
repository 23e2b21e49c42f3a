import { SQL_ATTACKS } from '../../../../test/cases/detectors-attacks.ts';
import { testDetector } from '../../../../test/support/detector-tests.ts';
import { detectSQLi } from '../operators/detect-sqli.ts';
import { detectSqli } from './detect-sqli.ts';
import { sqliTriggers } from './triggers.ts';

testDetector({
  detect: detectSqli,
  triggers: sqliTriggers,
  operator: detectSQLi,
  known: SQL_ATTACKS,
  samples: 'sqli',
  least: 0.99,
});
