/* A transform for LiveLab: build it with `livelab plugin build .`. */
#define LL_NAME "template_name"
#define LL_VERSION "0.1.0"
#define LL_DOC "how full the stations are, and how far from half full"
#define LL_INPUTS(IN) IN(free_bikes) IN(empty_slots)
#define LL_OUTPUTS(OUT) \
	OUT(share, "free bikes of all places", 0, 1) \
	OUT(imbalance, "0 where half of the places are taken, 1 where all or none are", 0, 1)
#include "livelab.h"

/* Computes the outputs of one row. An input that is missing, which is a NaN, or
 * below zero leaves the outputs missing, and so do no places at all. */
static const char *ll_row(const ll_in *x, ll_out *y) {
	if (!(x->free_bikes >= 0 && x->empty_slots >= 0)) return LL_OK;
	double share = x->free_bikes / (x->free_bikes + x->empty_slots);
	y->share = share;
	y->imbalance = ll_abs(2 * share - 1);
	return LL_OK;
}
