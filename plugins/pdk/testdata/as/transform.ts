// A transform that goes wrong in the ways that a test asks for.
import { Output, Values, register } from "../../assemblyscript/livelab";
export { ll_describe_v1, ll_alloc_v1, ll_transform_v1, ll_error_v1 } from "../../assemblyscript/livelab";

register(
  "faulty",
  "1.2.3-beta.1",
  'a "quoted" \\ doc with ÆØÅ',
  ["free_bikes", "calendar.hour"],
  [
    new Output("twice", "", 0, 0),
    new Output("bounded", "", -0.5, 1e21),
    new Output("open", "", -Infinity, 1e300),
  ],
  row,
);

function row(x: Values, y: Values): string | null {
  if (x[1] == 1) return "the author's own words: æøå";
  if (x[1] == 6) return null;
  y[0] = 2 * x[0];
  y[1] = x[0];
  return null;
}
