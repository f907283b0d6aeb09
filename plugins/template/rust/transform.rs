//! A transform for LiveLab: build it with `livelab plugin build .`.

mod livelab;
use livelab::{Output, Transform};

const TRANSFORM: Transform = Transform {
    name: "template_name",
    version: "0.1.0",
    doc: "how full the stations are, and how far from half full",
    inputs: &["free_bikes", "empty_slots"],
    outputs: &[
        Output {
            name: "share",
            doc: "free bikes of all places",
            min: 0.0,
            max: 1.0,
        },
        Output {
            name: "imbalance",
            doc: "0 where half of the places are taken, 1 where all or none are",
            min: 0.0,
            max: 1.0,
        },
    ],
    row,
};
livelab::export!(TRANSFORM);

/// Computes the outputs of one row. An input that is missing, which is a NaN, or
/// below zero leaves the outputs missing, and so do no places at all.
fn row(x: &[f64], y: &mut [f64]) -> Result<(), &'static str> {
    let (free, empty) = (x[0], x[1]);
    if !(free >= 0.0 && empty >= 0.0) {
        return Ok(());
    }
    let share = free / (free + empty);
    y[0] = share;
    y[1] = (2.0 * share - 1.0).abs();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(x: [f64; 2], want: [f64; 2]) {
        let mut y = [f64::NAN; 2];
        assert_eq!(TRANSFORM.apply::<2, 2>(&x, &mut y, 1), Ok(()));
        for (got, want) in y.iter().zip(want) {
            let both_missing = got.is_nan() && want.is_nan();
            assert!(both_missing || *got == want, "{:?} gives {:?}", x, y);
        }
    }

    #[test]
    fn known() {
        check([10.0, 10.0], [0.5, 0.0]);
        check([20.0, 0.0], [1.0, 1.0]);
        check([0.0, 20.0], [0.0, 1.0]);
    }

    #[test]
    fn missing() {
        check([0.0, 0.0], [f64::NAN; 2]);
        check([-1.0, 20.0], [f64::NAN; 2]);
        check([f64::NAN, 20.0], [f64::NAN; 2]);
        check([20.0, f64::NAN], [f64::NAN; 2]);
    }
}
