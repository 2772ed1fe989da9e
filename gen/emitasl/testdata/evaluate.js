// Evaluates expressions with the JSONata that Step Functions names, 2.0.6, and
// with the functions that Step Functions adds. In comes one JSON object a line,
// {expression, variables}; out goes {value} or {error}, a line each.
const { createHash } = require('crypto');
const lines = require('readline').createInterface({ input: process.stdin });
const jsonata = require('jsonata');

const named = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };

async function evaluate(line) {
  const { expression, variables } = JSON.parse(line);
  const e = jsonata(expression);
  e.registerFunction('hash', (text, by) => createHash(named[by]).update(text).digest('hex'), '<ss:s>');
  e.registerFunction('parse', (text) => JSON.parse(text), '<s:x>');
  const value = await e.evaluate(undefined, variables);
  if (value === undefined) throw new Error('undefined');
  return { value };
}

(async () => {
  for await (const line of lines) {
    const out = await evaluate(line).catch((e) => ({ error: `${e.code || ''} ${e.message}` }));
    process.stdout.write(JSON.stringify(out) + '\n');
  }
})();
