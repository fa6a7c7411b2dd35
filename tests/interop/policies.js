// Compares the resources that AWS CDK makes of the stacks in a folder with those of the template beside them.
//
// Usage: policies.js FOLDER MODE. Ends with status 1 when they differ.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const [folder, mode] = process.argv.slice(2);
const cdk = require(path.join(folder, 'node_modules/aws-cdk-lib'));
const stacks = require(path.join(folder, 'out/policies.js'));

// Members of an object have no order, those of a list have.
function canonical(value) {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]));
}

function resources(template) {
  const all = Object.values(template.Resources ?? {});
  return all.map(({ Type, Properties }) => JSON.stringify(canonical({ Type, Properties })));
}

const app = new cdk.App({ outdir: path.join(folder, `cdk.${mode}`) });
for (const [name, Stack] of Object.entries(stacks)) {
  new Stack(app, name, { synthesizer: new cdk.BootstraplessSynthesizer() });
}
const made = app.synth().stacks.flatMap((stack) => resources(stack.template)).sort();
const wanted = resources(JSON.parse(fs.readFileSync(path.join(folder, 'template.json'), 'utf8'))).sort();
const different = made.filter((text) => !wanted.includes(text)).concat(wanted.filter((text) => !made.includes(text)));
for (const text of different) {
  console.log(`only on one side: ${text.slice(0, 400)}`);
}
console.log(`${mode}: ${Object.keys(stacks).length} stacks, ${made.length} policies by CDK, ${wanted.length} by CloudFormation`);
process.exit(different.length > 0 || made.length !== wanted.length || made.length === 0 ? 1 : 0);
