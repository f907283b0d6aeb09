//! The Rust kit for authors of transforms. A transform is a description and a
//! function:
//!
//! ```ignore
//! mod livelab;
//! use livelab::{Output, Transform};
//!
//! const TRANSFORM: Transform = Transform {
//!     name: "share",
//!     version: "1.0.0",
//!     doc: "share of free bikes",
//!     inputs: &["free_bikes", "empty_slots"],
//!     outputs: &[Output { name: "share", doc: "", min: 0.0, max: 1.0 }],
//!     row,
//! };
//! livelab::export!(TRANSFORM);
//!
//! fn row(x: &[f64], y: &mut [f64]) -> Result<(), &'static str> {
//!     y[0] = x[0] / (x[0] + x[1]);
//!     Ok(())
//! }
//! ```
//!
//! It builds with plain `rustc` for `wasm32-unknown-unknown` as a `cdylib`, and
//! for the machine at hand too, so that `rustc --test` runs its tests.

#![allow(dead_code)]

/// A transform computes named columns from named columns, row by row.
pub struct Transform {
    /// A small letter, then small letters, digits and underscores.
    pub name: &'static str,
    /// The author's own, such as 1.0.0.
    pub version: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Columns of the host, or transform.output.
    pub inputs: &'static [&'static str],
    pub outputs: &'static [Output],
    /// Computes the outputs of one row from its inputs, and from nothing else.
    /// Missing is NaN, and the outputs are all NaN to begin with, so that
    /// returning early leaves a row missing. An error fails the row.
    pub row: fn(&[f64], &mut [f64]) -> Result<(), &'static str>,
}

/// A column that a transform gives.
pub struct Output {
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Bounds of the values, both included; a value outside fails its row.
    /// Both zero bound nothing, and an infinity leaves its side open.
    pub min: f64,
    pub max: f64,
}

impl Transform {
    /// The JSON that the contract asks for.
    pub fn describe(&self) -> String {
        let mut json = String::new();
        member(&mut json, "{\"name\":", self.name);
        member(&mut json, ",\"version\":", self.version);
        member(&mut json, ",\"doc\":", self.doc);
        for (i, name) in self.inputs.iter().enumerate() {
            json.push_str(if i == 0 { ",\"inputs\":[" } else { "," });
            member(&mut json, "{\"name\":", name);
            json.push('}');
        }
        for (i, o) in self.outputs.iter().enumerate() {
            json.push_str(if i == 0 { "],\"outputs\":[" } else { "," });
            member(&mut json, "{\"name\":", o.name);
            member(&mut json, ",\"doc\":", o.doc);
            if o.min != 0.0 || o.max != 0.0 {
                bound(&mut json, ",\"min\":", o.min);
                bound(&mut json, ",\"max\":", o.max);
            }
            json.push('}');
        }
        json.push_str("]}");
        json
    }

    /// Computes `rows` rows. Both slices are column-major: column c is at
    /// `[c * rows, (c + 1) * rows)`.
    #[inline(always)]
    pub fn apply<const IN: usize, const OUT: usize>(
        &self,
        input: &[f64],
        output: &mut [f64],
        rows: usize,
    ) -> Result<(), &'static str> {
        let input = &input[..IN * rows];
        let output = &mut output[..OUT * rows];
        for r in 0..rows {
            let mut x = [0.0; IN];
            let mut y = [f64::NAN; OUT];
            for c in 0..IN {
                x[c] = input[c * rows + r];
            }
            (self.row)(&x, &mut y)?;
            for c in 0..OUT {
                output[c * rows + r] = y[c];
            }
        }
        Ok(())
    }
}

fn member(json: &mut String, key: &str, text: &str) {
    json.push_str(key);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            c if c < ' ' => {
                json.push_str("\\u00");
                for digit in [c as u32 >> 4, c as u32 & 15] {
                    json.push(char::from_digit(digit, 16).unwrap_or('0'));
                }
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

fn bound(json: &mut String, key: &str, x: f64) {
    if x.is_finite() {
        json.push_str(key);
        json.push_str(&x.to_string());
    }
}

/// A span of memory as the contract hands it over.
pub fn span(bytes: &[u8]) -> u64 {
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}

/// A buffer for the host, null when it cannot. The contract has no way to give
/// it back: the host asks once and uses a buffer for all calls.
pub fn alloc(bytes: i32) -> *mut u8 {
    if bytes < 0 {
        return core::ptr::null_mut();
    }
    let size = (bytes as usize + 8) & !7;
    match std::alloc::Layout::from_size_align(size, 8) {
        // Safe: the size is not zero.
        Ok(layout) => unsafe { std::alloc::alloc_zeroed(layout) },
        Err(_) => core::ptr::null_mut(),
    }
}

/// Exports a constant of type `Transform` as the module's transform.
macro_rules! export {
    ($transform:expr) => {
        #[cfg(target_arch = "wasm32")]
        mod exports {
            use super::*;
            use core::cell::Cell;

            // A module has one thread.
            struct Kept(Cell<&'static [u8]>);
            unsafe impl Sync for Kept {}
            static DESCRIPTION: Kept = Kept(Cell::new(&[]));
            static FAILURE: Kept = Kept(Cell::new(&[]));

            #[no_mangle]
            pub extern "C" fn ll_describe_v1() -> u64 {
                if DESCRIPTION.0.get().is_empty() {
                    let json = $transform.describe().into_bytes();
                    DESCRIPTION.0.set(Box::leak(json.into_boxed_slice()));
                }
                livelab::span(DESCRIPTION.0.get())
            }

            #[no_mangle]
            pub extern "C" fn ll_alloc_v1(bytes: i32) -> *mut u8 {
                livelab::alloc(bytes)
            }

            /// # Safety
            /// The host hands over buffers that hold the columns.
            #[no_mangle]
            pub unsafe extern "C" fn ll_transform_v1(
                input: *const f64,
                output: *mut f64,
                rows: i32,
            ) -> i32 {
                const IN: usize = $transform.inputs.len();
                const OUT: usize = $transform.outputs.len();
                let rows = rows as usize;
                let x = core::slice::from_raw_parts(input, IN * rows);
                let y = core::slice::from_raw_parts_mut(output, OUT * rows);
                match $transform.apply::<IN, OUT>(x, y, rows) {
                    Ok(()) => 0,
                    Err(failure) => {
                        let n = failure.len().min(4096);
                        FAILURE.0.set(&failure.as_bytes()[..n]);
                        1
                    }
                }
            }

            #[no_mangle]
            pub extern "C" fn ll_error_v1() -> u64 {
                livelab::span(FAILURE.0.get())
            }
        }
    };
}
pub(crate) use export;
