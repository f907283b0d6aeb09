/* Runs on the machine at hand:
 *   cc -ffp-contract=off -o transform_test transform_test.c && ./transform_test */
#include <stdio.h>

#include "transform.c"

static int failures;

static int same(double a, double b) { return a == b || (ll_isnan(a) && ll_isnan(b)); }

static void expect(double bikes, double slots, double share, double imbalance) {
	ll_in x = {.free_bikes = bikes, .empty_slots = slots};
	ll_out y = {LL_NAN, LL_NAN};
	const char *failure = ll_row(&x, &y);
	if (failure || !same(y.share, share) || !same(y.imbalance, imbalance)) {
		printf("%g bikes, %g slots: share %g, want %g; imbalance %g, want %g; %s\n", bikes, slots,
		       y.share, share, y.imbalance, imbalance, failure ? failure : "no error");
		failures++;
	}
}

int main(void) {
	expect(10, 10, 0.5, 0);
	expect(20, 0, 1, 1);
	expect(0, 20, 0, 1);
	expect(0, 0, LL_NAN, LL_NAN);
	expect(-1, 20, LL_NAN, LL_NAN);
	expect(LL_NAN, 20, LL_NAN, LL_NAN);
	expect(20, LL_NAN, LL_NAN, LL_NAN);
	return failures != 0;
}
