import { SCRIPT_ATTACKS } from '../../../../test/cases/detectors-attacks.ts';
import { testDetector } from '../../../../test/support/detector-tests.ts';
import { detectXSS } from '../operators/detect-xss.ts';
import { detectXss, xssTriggers } from './detect-xss.ts';

testDetector({
  detect: detectXss,
  triggers: xssTriggers,
  operator: detectXSS,
  known: SCRIPT_ATTACKS,
  samples: 'xss',
  least: 0.97,
});
