// A transform for LiveLab: build it with `livelab plugin build .`.
import { Output, Values, register } from "./livelab";
export { ll_describe_v1, ll_alloc_v1, ll_transform_v1, ll_error_v1 } from "./livelab";

register(
  "template_name",
  "0.1.0",
  "how full the stations are, and how far from half full",
  ["free_bikes", "empty_slots"],
  [
    new Output("share", "free bikes of all places", 0, 1),
    new Output("imbalance", "0 where half of the places are taken, 1 where all or none are", 0, 1),
  ],
  row,
);

// Computes the outputs of one row. An input that is missing, which is NaN, or
// below zero leaves the outputs missing, and so do no places at all.
function row(x: Values, y: Values): string | null {
  const free = x[0];
  const empty = x[1];
  if (!(free >= 0 && empty >= 0)) return null;
  const share = free / (free + empty);
  y[0] = share;
  y[1] = Math.abs(2 * share - 1);
  return null;
}
