// momentum: where the free ratio is going, from where it came. Build it with
// `livelab plugin build .`.
import { Output, Values, register } from "../pdk/assemblyscript/livelab";
export { ll_describe_v1, ll_alloc_v1, ll_transform_v1, ll_error_v1 } from "../pdk/assemblyscript/livelab";

register(
  "momentum",
  "1.0.0",
  "rates and accelerations of free_ratio, and where they lead in an hour",
  [
    "free_ratio",
    "free_ratio_lag_30m",
    "free_ratio_lag_60m",
    "free_ratio_lag_120m",
    "free_ratio_lag_180m",
    "shortage_threshold",
    "free_ratio_yesterday",
    "free_ratio_yesterday_ahead",
  ],
  [
    new Output("rate_30m", "change of free_ratio per hour, over 30 minutes", -2, 2),
    new Output("rate_60m", "change of free_ratio per hour, over 60 minutes", -1, 1),
    new Output("rate_180m", "mean change of free_ratio per hour, over 180 minutes", -0.5, 0.5),
    new Output("acceleration_30m", "change of the rate per hour, from one half hour to the next", -8, 8),
    new Output("acceleration_60m", "change of the rate per hour, from one hour to the next", -2, 2),
    new Output("approach", "rate towards the threshold, negative away from it", -2, 2),
    new Output("projected_60m", "free_ratio in 60 minutes if it goes on like this", 0, 1),
    new Output("projected_margin", "how far that is above the threshold, softened", -1, 1),
    new Output("yesterday_margin", "how far above the threshold free_ratio gets if it changes as yesterday, softened", -1, 1),
  ],
  row,
);

// What cannot be a ratio is missing.
function ratio(x: f64): f64 {
  return x >= 0 && x <= 1 ? x : NaN;
}

// The rate per hour over the hour past, or over the next best time that there
// is a ratio of; missing where there is none.
function rateOf(now: f64, ago30: f64, ago60: f64, ago120: f64, ago180: f64): f64 {
  if (!isNaN(ago60)) return now - ago60;
  if (!isNaN(ago30)) return (now - ago30) / 0.5;
  if (!isNaN(ago120)) return (now - ago120) / 2;
  return (now - ago180) / 3;
}

// A rate towards the threshold is one that makes the margin smaller.
function towards(margin: f64, rate: f64): f64 {
  if (margin > 0) return -rate;
  if (margin < 0) return rate;
  return isNaN(margin) || isNaN(rate) ? NaN : 0;
}

// Squeezes a margin into -1 to 1, one half at 0.05. What a model makes of a
// margin should change fast around 0 and hardly further out. This has no
// exponential in it, so that its bits are easy to have everywhere.
function soften(margin: f64): f64 {
  return margin / (0.05 + Math.abs(margin));
}

// Computes the outputs of one row. An output is missing where what it is made
// of is.
function row(x: Values, y: Values): string | null {
  const now = ratio(x[0]);
  const ago30 = ratio(x[1]);
  const ago60 = ratio(x[2]);
  const ago120 = ratio(x[3]);
  const ago180 = ratio(x[4]);
  const threshold = ratio(x[5]);
  const yesterday = ratio(x[7]) - ratio(x[6]);
  const margin = now - threshold;
  const rate = rateOf(now, ago30, ago60, ago120, ago180);
  const projected = min(max(now + rate, 0.0), 1.0);
  y[0] = (now - ago30) / 0.5;
  y[1] = now - ago60;
  y[2] = (now - ago180) / 3;
  y[3] = (y[0] - (ago30 - ago60) / 0.5) / 0.5;
  y[4] = y[1] - (ago60 - ago120);
  y[5] = towards(margin, rate);
  y[6] = projected;
  y[7] = soften(projected - threshold);
  y[8] = soften(margin + yesterday);
  return null;
}
