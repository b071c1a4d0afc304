/** Which files `npm test`, `npm run ok` and the checks look at. */
import { listFiles } from './files.mjs';

/** Tests beside the code, and the tests of the tools themselves: quick, in one process each, without the network. */
export function unitTests() {
  return [
    ...listFiles('tools').filter((file) => file.endsWith('.test.mjs')),
    ...listFiles('build/src').filter((file) => file.endsWith('.test.js')),
  ];
}

/** Conformance, simulation, interoperation and the rest of test/. */
export function integrationTests() {
  return listFiles('build/test').filter((file) => file.endsWith('.test.js'));
}
