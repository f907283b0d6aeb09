// Runs the built module: `npm test`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const module = new WebAssembly.Module(readFileSync("template_name.wasm"));

/** Gives the outputs of one row. */
function answer(inputs, outputs) {
  const { exports } = new WebAssembly.Instance(module, {});
  exports._initialize();
  const x = exports.ll_alloc_v1(inputs.length * 8);
  const y = exports.ll_alloc_v1(outputs * 8);
  new Float64Array(exports.memory.buffer, x).set(inputs);
  assert.equal(exports.ll_transform_v1(x, y, 1), 0);
  return [...new Float64Array(exports.memory.buffer, y, outputs)];
}

test("known", () => {
  assert.deepEqual(answer([10, 10], 2), [0.5, 0]);
  assert.deepEqual(answer([20, 0], 2), [1, 1]);
  assert.deepEqual(answer([0, 20], 2), [0, 1]);
});

test("missing", () => {
  assert.deepEqual(answer([0, 0], 2), [NaN, NaN]);
  assert.deepEqual(answer([-1, 20], 2), [NaN, NaN]);
  assert.deepEqual(answer([NaN, 20], 2), [NaN, NaN]);
  assert.deepEqual(answer([20, NaN], 2), [NaN, NaN]);
});
