//! A transform that goes wrong in the ways that a test asks for.

#[path = "../../rust/livelab.rs"]
mod livelab;
use livelab::{Output, Transform};

const TRANSFORM: Transform = Transform {
    name: "faulty",
    version: "1.2.3-beta.1",
    doc: "a \"quoted\" \\ doc with ÆØÅ",
    inputs: &["free_bikes", "calendar.hour"],
    outputs: &[
        Output {
            name: "twice",
            doc: "",
            min: 0.0,
            max: 0.0,
        },
        Output {
            name: "bounded",
            doc: "",
            min: -0.5,
            max: 1e21,
        },
        Output {
            name: "open",
            doc: "",
            min: f64::NEG_INFINITY,
            max: 1e300,
        },
    ],
    row,
};
livelab::export!(TRANSFORM);

fn row(x: &[f64], y: &mut [f64]) -> Result<(), &'static str> {
    if x[1] == 1.0 {
        return Err("the author's own words: æøå");
    }
    if x[1] == 6.0 {
        return Ok(());
    }
    y[0] = 2.0 * x[0];
    y[1] = x[0];
    Ok(())
}
