//! pressure: how near the network is to empty and to full, and how soon it is
//! there. Build it with `livelab plugin build .`.

#[path = "../pdk/rust/livelab.rs"]
mod livelab;
use livelab::{Output, Transform};

const TRANSFORM: Transform = Transform {
    name: "pressure",
    version: "1.0.0",
    doc: "how near empty and full, and how soon",
    inputs: &[
        "free_ratio",
        "free_ratio_lag_30m",
        "free_ratio_lag_60m",
        "shortage_threshold",
        "typical_change",
    ],
    outputs: &[
        output("log_odds", "log odds of a bike at a dock", -7.0, 7.0),
        output("thresholds", "free_ratio in units of the threshold", 0.0, 100.0),
        output("expected_thresholds", "the same after the change that is typical", -100.0, 200.0),
        output("minutes_to_empty", "until no bike is left", 0.0, LONGEST),
        output("minutes_to_full", "until no dock is left", 0.0, LONGEST),
        output("minutes_to_shortage", "until the threshold, 0 below it", 0.0, LONGEST),
    ],
    row,
};
livelab::export!(TRANSFORM);

const fn output(name: &'static str, doc: &'static str, min: f64, max: f64) -> Output {
    Output { name, doc, min, max }
}

/// Minutes that stand for later, and for never.
const LONGEST: f64 = 360.0;

/// How near 0 and 1 a ratio counts: a network of a thousand docks knows no
/// finer steps, and log odds have no end.
const LEAST_RATIO: f64 = 0.001;

/// The least threshold that others are measured in.
const LEAST_THRESHOLD: f64 = 0.01;

/// Computes the outputs of one row. An output is missing where what it is made
/// of is.
fn row(x: &[f64], y: &mut [f64]) -> Result<(), &'static str> {
    let now = within(x[0], 0.0, 1.0);
    let threshold = within(x[3], 0.0, 1.0);
    let change = within(x[4], -1.0, 1.0);
    let rate = rate(now, within(x[1], 0.0, 1.0), within(x[2], 0.0, 1.0));
    y[0] = log_odds(now);
    y[1] = now / unit(threshold);
    y[2] = (now + change) / unit(threshold);
    y[3] = minutes(now, -rate);
    y[4] = minutes(1.0 - now, rate);
    y[5] = minutes(at_least(now - threshold, 0.0), -rate);
    Ok(())
}

/// What cannot be true is missing.
fn within(x: f64, low: f64, high: f64) -> f64 {
    if x >= low && x <= high {
        x
    } else {
        f64::NAN
    }
}

/// The larger of two, missing where x is: f64::max would drop that.
fn at_least(x: f64, low: f64) -> f64 {
    if x < low {
        low
    } else {
        x
    }
}

fn unit(threshold: f64) -> f64 {
    at_least(threshold, LEAST_THRESHOLD)
}

/// ln(p / (1 - p)): the logit, which is straight where ratios are crowded
/// together near 0 and 1.
fn log_odds(ratio: f64) -> f64 {
    let p = ratio.clamp(LEAST_RATIO, 1.0 - LEAST_RATIO);
    (p / (1.0 - p)).ln()
}

/// The change per hour over the hour past, else over half of it.
fn rate(now: f64, ago30: f64, ago60: f64) -> f64 {
    if ago60.is_nan() {
        (now - ago30) / 0.5
    } else {
        now - ago60
    }
}

/// After how many minutes a distance is covered at a rate per hour.
fn minutes(distance: f64, rate: f64) -> f64 {
    if distance.is_nan() || rate.is_nan() {
        return f64::NAN;
    }
    if distance == 0.0 {
        return 0.0;
    }
    // Compared before it is divided: a tiny rate would give an infinity.
    if rate <= 0.0 || distance >= rate * (LONGEST / 60.0) {
        return LONGEST;
    }
    distance / rate * 60.0
}
