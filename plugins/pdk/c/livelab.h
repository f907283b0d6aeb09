/*
 * livelab.h: the C kit for authors of transforms, without a C library.
 *
 *   #define LL_NAME "share"
 *   #define LL_VERSION "1.0.0"
 *   #define LL_DOC "share of free bikes"
 *   #define LL_INPUTS(IN) IN(free_bikes) IN(empty_slots)
 *   #define LL_OUTPUTS(OUT) OUT(share, "free bikes of all places", 0, 1)
 *   #include "livelab.h"
 *
 *   static const char *ll_row(const ll_in *x, ll_out *y) {
 *       y->share = x->free_bikes / (x->free_bikes + x->empty_slots);
 *       return LL_OK;
 *   }
 *
 * IN(id) names a column of the host, IN(id, "transform.output") what another
 * transform gives. OUT(id, doc, min, max) names an output: doc is one line or
 * "", min and max are bounds as JSON writes a number, LL_NONE for none. The
 * ids are the members of ll_in and ll_out.
 *
 * ll_row computes one row. A missing value is LL_NAN, and y is all LL_NAN to
 * begin with, so that returning early leaves a row missing. It returns LL_OK,
 * or a text that says why the row fails. What it gives must depend on x alone.
 *
 * Build for wasm32 with -ffp-contract=off: a fused multiply-add would round
 * differently. On other machines the header gives ll_row and the arithmetic
 * alone, for tests.
 */
#ifndef LIVELAB_H
#define LIVELAB_H

#define LL_OK ((const char *)0)
#define LL_NAN (__builtin_nan(""))

#define LL_IN_MEMBER_(id, ...) double id;
#define LL_OUT_MEMBER_(id, doc, min, max) double id;
typedef struct { LL_INPUTS(LL_IN_MEMBER_) } ll_in;
typedef struct { LL_OUTPUTS(LL_OUT_MEMBER_) } ll_out;

static const char *ll_row(const ll_in *x, ll_out *y);

/* ---- Arithmetic, the same bits on every machine ---- */

static inline int ll_isnan(double x) { return x != x; }
static inline double ll_abs(double x) { return __builtin_fabs(x); }
static inline double ll_sqrt(double x) { return __builtin_sqrt(x); }
static inline double ll_floor(double x) { return __builtin_floor(x); }
static inline double ll_ceil(double x) { return __builtin_ceil(x); }
static inline double ll_trunc(double x) { return __builtin_trunc(x); }

/* The smaller and the larger of two; missing when either is. */
static inline double ll_min(double a, double b) { return a != a || a < b ? a : b; }
static inline double ll_max(double a, double b) { return a != a || a > b ? a : b; }
static inline double ll_clamp(double x, double low, double high) {
	return ll_min(ll_max(x, low), high);
}

static inline unsigned long long ll_bits_(double x) {
	unsigned long long b;
	__builtin_memcpy(&b, &x, sizeof b);
	return b;
}

static inline double ll_of_bits_(unsigned long long b) {
	double x;
	__builtin_memcpy(&x, &b, sizeof x);
	return x;
}

/* ln 2 in two parts: the first has 32 bits, so that a whole number of at most
 * 21 bits times it is exact. */
#define LL_LN2_HIGH_ 6.93147180369123816490e-01
#define LL_LN2_LOW_ 1.90821492927058770002e-10

/* e to the x, within 1 unit in the last place; 0 below -745.2, an infinity
 * above 709.8, and fewer digits where the answer is below 2.3e-308. */
static inline double ll_exp(double x) {
	if (x != x) return x;
	if (x > 709.79) return __builtin_inf();
	if (x < -745.2) return 0;
	/* x = k ln 2 + r with r at most ln 2 / 2, then a Taylor polynomial. */
	double k = __builtin_floor(x * 1.44269504088896338700 + 0.5);
	double high = x - k * LL_LN2_HIGH_, low = k * LL_LN2_LOW_, r = high - low;
	double p = 1.0 / 6227020800.0;
	p = p * r + 1.0 / 479001600.0;
	p = p * r + 1.0 / 39916800.0;
	p = p * r + 1.0 / 3628800.0;
	p = p * r + 1.0 / 362880.0;
	p = p * r + 1.0 / 40320.0;
	p = p * r + 1.0 / 5040.0;
	p = p * r + 1.0 / 720.0;
	p = p * r + 1.0 / 120.0;
	p = p * r + 1.0 / 24.0;
	p = p * r + 1.0 / 6.0;
	p = p * r + 0.5;
	/* What was rounded off r comes back in the smaller term. */
	double y = 1.0 + (high + (r * r * p - low));
	/* In two steps, since 2 to the k may be out of range where y 2^k is not. */
	int half = (int)k / 2, rest = (int)k - half;
	y *= ll_of_bits_((unsigned long long)(1023 + half) << 52);
	return y * ll_of_bits_((unsigned long long)(1023 + rest) << 52);
}

/* The natural logarithm, within 1 unit in the last place; missing below 0, minus
 * infinity at 0. */
static inline double ll_log(double x) {
	if (x != x || x < 0) return LL_NAN;
	if (x == 0) return -__builtin_inf();
	if (x == __builtin_inf()) return x;
	double k = 0;
	if (x < 2.2250738585072014e-308) {
		x *= 18014398509481984.0; /* 2^54, out of the subnormal numbers */
		k = -54;
	}
	unsigned long long b = ll_bits_(x);
	k += (double)((int)(b >> 52) - 1023);
	double m = ll_of_bits_((b & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
	if (m > 1.41421356237309504880) {
		m *= 0.5;
		k += 1;
	}
	/* ln m = 2 atanh s = f - (f²/2 - s (f²/2 + R)), with f = m - 1 exact. */
	double f = m - 1, s = f / (2 + f), z = s * s;
	double p = 2.0 / 23;
	p = p * z + 2.0 / 21;
	p = p * z + 2.0 / 19;
	p = p * z + 2.0 / 17;
	p = p * z + 2.0 / 15;
	p = p * z + 2.0 / 13;
	p = p * z + 2.0 / 11;
	p = p * z + 2.0 / 9;
	p = p * z + 2.0 / 7;
	p = p * z + 2.0 / 5;
	p = p * z + 2.0 / 3;
	double h = 0.5 * f * f;
	return k * LL_LN2_HIGH_ - ((h - (s * (h + p * z) + k * LL_LN2_LOW_)) - f);
}

/* x to the y for x >= 0, with a relative error of at most
 * (2 + 2 |y ln x|) 2^-52. Missing for x below 0. */
static inline double ll_pow(double x, double y) {
	if (y == 0 || x == 1) return 1;
	return ll_exp(y * ll_log(x));
}

#ifdef __wasm__

/* ---- The exports of the contract ---- */

#define LL_EXPORT_(name) __attribute__((export_name(name), used))

typedef struct { const char *names[2]; } ll_input_; /* its id, then what it is called if not that */
typedef struct { const char *name, *doc, *min, *max; } ll_output_;

#define LL_INPUT_(id, ...) {{#id, __VA_ARGS__}},
#define LL_OUTPUT_(id, doc, min, max) {#id, doc, #min, #max},
static const ll_input_ ll_inputs_[] = {LL_INPUTS(LL_INPUT_)};
static const ll_output_ ll_outputs_[] = {LL_OUTPUTS(LL_OUTPUT_)};
enum { LL_IN_COUNT_ = sizeof(ll_in) / sizeof(double), LL_OUT_COUNT_ = sizeof(ll_out) / sizeof(double) };

static char ll_text_[16384]; /* the longest description that the host reads */
static unsigned ll_length_;
static const char *ll_failure_;

static void ll_put_(const char *s) {
	while (*s && ll_length_ < sizeof ll_text_) ll_text_[ll_length_++] = *s++;
}

/* A key, which brings its punctuation along, and a string with the escapes that
 * JSON demands. */
static void ll_member_(const char *key, const char *s) {
	ll_put_(key);
	for (; *s; s++) {
		char c[3] = {*s, 0, 0};
		if (*s == '"' || *s == '\\') c[0] = '\\', c[1] = *s;
		if (*s == '\t') c[0] = '\\', c[1] = 't';
		if (*s == '\n') c[0] = '\\', c[1] = 'n';
		ll_put_(c);
	}
	ll_put_("\"");
}

static void ll_bound_(const char *key, const char *number) {
	if (*number == '-' || (*number >= '0' && *number <= '9')) {
		ll_put_(key);
		ll_put_(number);
	}
}

static unsigned long long ll_span_(const char *p, unsigned n) {
	return (unsigned long long)(unsigned long)p << 32 | n;
}

LL_EXPORT_("ll_describe_v1") unsigned long long ll_describe_v1(void) {
	if (ll_length_) return ll_span_(ll_text_, ll_length_);
	ll_member_("{\"name\":\"", LL_NAME);
	ll_member_(",\"version\":\"", LL_VERSION);
	ll_member_(",\"doc\":\"", LL_DOC);
	for (int i = 0; i < LL_IN_COUNT_; i++) {
		const ll_input_ *in = &ll_inputs_[i];
		ll_put_(i ? "," : ",\"inputs\":[");
		ll_member_("{\"name\":\"", in->names[in->names[1] != 0]);
		ll_put_("}");
	}
	for (int i = 0; i < LL_OUT_COUNT_; i++) {
		const ll_output_ *o = &ll_outputs_[i];
		ll_put_(i ? "," : "],\"outputs\":[");
		ll_member_("{\"name\":\"", o->name);
		ll_member_(",\"doc\":\"", o->doc);
		ll_bound_(",\"min\":", o->min);
		ll_bound_(",\"max\":", o->max);
		ll_put_("}");
	}
	ll_put_("]}");
	return ll_span_(ll_text_, ll_length_);
}

extern unsigned char __heap_base; /* the linker's: where memory is free */

/* The contract has no way to give a buffer back: the host asks once and uses a
 * buffer for all calls. */
LL_EXPORT_("ll_alloc_v1") void *ll_alloc_v1(int bytes) {
	static unsigned long next;
	if (bytes < 0) return 0;
	unsigned long start = next ? next : ((unsigned long)&__heap_base + 7) & ~7ul;
	unsigned long long end = (unsigned long long)start + (((unsigned)bytes + 7u) & ~7u);
	unsigned long long have = (unsigned long long)__builtin_wasm_memory_size(0) << 16;
	if (end > 0xffff0000ull) return 0;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == (unsigned long)-1) return 0;
	next = (unsigned long)end;
	return (void *)start;
}

LL_EXPORT_("ll_transform_v1") int ll_transform_v1(const double *in, double *out, int rows) {
	for (int r = 0; r < rows; r++) {
		ll_in x;
		ll_out y;
		for (int c = 0; c < LL_IN_COUNT_; c++) ((double *)&x)[c] = in[c * rows + r];
		for (int c = 0; c < LL_OUT_COUNT_; c++) ((double *)&y)[c] = LL_NAN;
		const char *failure = ll_row(&x, &y);
		if (failure) {
			ll_failure_ = failure;
			return 1;
		}
		for (int c = 0; c < LL_OUT_COUNT_; c++) out[c * rows + r] = ((double *)&y)[c];
	}
	return 0;
}

LL_EXPORT_("ll_error_v1") unsigned long long ll_error_v1(void) {
	unsigned n = 0;
	if (!ll_failure_) return 0;
	while (n < 4096 && ll_failure_[n]) n++;
	return ll_span_(ll_failure_, n);
}

#endif /* __wasm__ */
#endif /* LIVELAB_H */
