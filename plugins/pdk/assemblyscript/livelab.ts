/**
 * The AssemblyScript kit for authors of transforms. A transform is a
 * description and a function:
 *
 *   import { Output, register } from "./livelab";
 *   export { ll_describe_v1, ll_alloc_v1, ll_transform_v1, ll_error_v1 } from "./livelab";
 *
 *   register("share", "1.0.0", "share of free bikes",
 *     ["free_bikes", "empty_slots"],
 *     [new Output("share", "", 0, 1)],
 *     (x, y) => {
 *       y[0] = x[0] / (x[0] + x[1]);
 *       return null;
 *     });
 *
 * Build with --exportStart _initialize --runtime stub --use abort= so that the
 * module imports nothing. Nothing is freed under that runtime: what a row
 * allocates stays, so let it allocate nothing.
 */

/** The values of a row, one for each input or output. */
export type Values = StaticArray<f64>;

/** A column that a transform gives. */
export class Output {
  constructor(
    public name: string,
    /** One line. */
    public doc: string,
    /**
     * Bounds of the values, both included; a value outside fails its row. Both
     * zero bound nothing, and an infinity leaves its side open.
     */
    public min: f64,
    public max: f64,
  ) {}
}

/**
 * Computes the outputs y of one row from its inputs x, and from nothing else.
 * Missing is NaN, and y is all NaN to begin with, so that returning early
 * leaves a row missing. Returns null, or a text that says why the row fails.
 */
export type Row = (x: Values, y: Values) => string | null;

let row: Row | null = null;
let x: Values = new StaticArray<f64>(0);
let y: Values = new StaticArray<f64>(0);
let description: ArrayBuffer = new ArrayBuffer(0);
let failure: ArrayBuffer = new ArrayBuffer(4096);
let failureLength: i32 = 0;

/** Makes this the module's transform. */
export function register(
  name: string,
  version: string,
  doc: string,
  inputs: string[],
  outputs: Output[],
  compute: Row,
): void {
  row = compute;
  x = new StaticArray<f64>(inputs.length);
  y = new StaticArray<f64>(outputs.length);
  let json = member('{"name":', name) + member(',"version":', version) + member(',"doc":', doc);
  for (let i = 0; i < inputs.length; i++) {
    json += member(i == 0 ? ',"inputs":[{"name":' : ',{"name":', inputs[i]) + "}";
  }
  for (let i = 0; i < outputs.length; i++) {
    const o = outputs[i];
    json += member(i == 0 ? '],"outputs":[{"name":' : ',{"name":', o.name) + member(',"doc":', o.doc);
    if (o.min != 0 || o.max != 0) {
      json += bound(',"min":', o.min) + bound(',"max":', o.max);
    }
    json += "}";
  }
  description = String.UTF8.encode(json + "]}");
}

function member(key: string, text: string): string {
  let escaped = key + '"';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) {
      escaped += "\\";
    }
    escaped += c < 0x20 ? "\\u00" + (c < 0x10 ? "0" : "") + c.toString(16) : text.charAt(i);
  }
  return escaped + '"';
}

function bound(key: string, value: f64): string {
  return isFinite(value) ? key + value.toString() : "";
}

function span(start: usize, length: i32): i64 {
  return ((start as i64) << 32) | (length as i64);
}

export function ll_describe_v1(): i64 {
  return span(changetype<usize>(description), description.byteLength);
}

/**
 * The contract has no way to give a buffer back: the host asks once and uses a
 * buffer for all calls.
 */
export function ll_alloc_v1(bytes: i32): usize {
  if (bytes < 0 || bytes > 0x3fff0000) return 0;
  return (heap.alloc((bytes as usize) + 8) + 7) & ~7;
}

export function ll_transform_v1(input: usize, output: usize, rows: i32): i32 {
  // Locals, since a global is read from memory each time.
  const compute = row!;
  const from = x;
  const to = y;
  const inputs = from.length;
  const outputs = to.length;
  const stride = (rows as usize) << 3;
  for (let r = 0; r < rows; r++) {
    let at = input + ((r as usize) << 3);
    for (let c = 0; c < inputs; c++, at += stride) {
      unchecked((from[c] = load<f64>(at)));
    }
    for (let c = 0; c < outputs; c++) {
      unchecked((to[c] = NaN));
    }
    const failed = compute(from, to);
    if (failed !== null) {
      fail(failed);
      return 1;
    }
    at = output + ((r as usize) << 3);
    for (let c = 0; c < outputs; c++, at += stride) {
      store<f64>(at, unchecked(to[c]));
    }
  }
  return 0;
}

function fail(text: string): void {
  // A unit of UTF-16 takes at most 3 bytes of UTF-8.
  const units = min(text.length, 4096 / 3);
  failureLength = String.UTF8.encodeUnsafe(changetype<usize>(text), units, changetype<usize>(failure)) as i32;
}

export function ll_error_v1(): i64 {
  return span(changetype<usize>(failure), failureLength);
}
