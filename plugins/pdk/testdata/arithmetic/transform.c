/* The functions of the C kit, for a test to compare with another's. */
#define LL_NAME "arithmetic"
#define LL_VERSION "1.0.0"
#define LL_DOC "a \"quoted\" \\ doc"
#define LL_INPUTS(IN) IN(a) IN(b, "other.b")
#define LL_OUTPUTS(OUT) \
	OUT(exp, "", LL_NONE, LL_NONE) \
	OUT(log, "", LL_NONE, LL_NONE) \
	OUT(pow, "", -1, LL_NONE) \
	OUT(sqrt, "", LL_NONE, 1e300) \
	OUT(floor, "", LL_NONE, LL_NONE) \
	OUT(min, "", LL_NONE, LL_NONE) \
	OUT(max, "", LL_NONE, LL_NONE) \
	OUT(clamp, "", LL_NONE, LL_NONE)
#include "../../c/livelab.h"

static const char *ll_row(const ll_in *x, ll_out *y) {
	if (x->b == 12345) return "the author's own words";
	if (x->b == 54321) return LL_OK;
	y->exp = ll_exp(x->a);
	y->log = ll_log(x->a);
	y->pow = ll_pow(x->a, x->b);
	y->sqrt = ll_sqrt(x->a);
	y->floor = ll_floor(x->a);
	y->min = ll_min(x->a, x->b);
	y->max = ll_max(x->a, x->b);
	y->clamp = ll_clamp(x->a, -1, 1);
	return LL_OK;
}
