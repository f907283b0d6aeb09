/* comfort: what the weather is like for somebody on a bike. Build it with
 * `livelab plugin build .`. */
#define LL_NAME "comfort"
#define LL_VERSION "1.0.0"
#define LL_DOC "felt temperature, classes of rain and wind, and how far the weather invites to ride"
#define LL_INPUTS(IN) IN(temp_2m) IN(precipitation) IN(wind_speed_10m) IN(typical_change)
#define LL_OUTPUTS(OUT) \
	OUT(felt_temperature, "wind chill where it is cold and windy, else the air temperature, in degrees Celsius", -200, 70) \
	OUT(rain_class, "0 dry, 1 slight, 2 moderate, 3 heavy, 4 violent", 0, 4) \
	OUT(wind_class, "force on the Beaufort scale", 0, 12) \
	OUT(comfort, "1 in fine weather, 0 where nobody rides", 0, 1) \
	OUT(felt_change, "comfort times typical_change: in bad weather less moves than usual", -1, 1)
#include "../pdk/c/livelab.h"

/* What cannot be true is missing: the bounds are those of the host's columns. */
static double within(double x, double low, double high) {
	return x >= low && x <= high ? x : LL_NAN;
}

/* Rates in mm/h at which rain is slight, moderate, heavy and violent: WMO-No. 8,
 * Guide to Instruments and Methods of Observation. Under 0.1 none is measured. */
static const double rain_limits[] = {0.1, 2.5, 10, 50};

/* Speeds in km/h at which the forces 1 to 12 begin, on the Beaufort scale as in
 * WMO-No. 306, Manual on Codes, table 1100. */
static const double wind_limits[] = {1, 6, 12, 20, 29, 39, 50, 62, 75, 89, 103, 118};

#define CLASS(x, limits) class_of(x, limits, sizeof limits / sizeof limits[0])

/* Counts the limits that x has reached. */
static double class_of(double x, const double *limits, int n) {
	if (ll_isnan(x)) return x;
	int reached = 0;
	for (int i = 0; i < n; i++) reached += x >= limits[i];
	return reached;
}

/* The wind chill index of the Joint Action Group for Temperature Indices (2001),
 * which Environment Canada and the US National Weather Service use: in degrees
 * Celsius and km/h, for at most 10 degrees and more than 4.8 km/h. The other
 * side, heat, would need the humidity, which there is no column of. */
static double felt(double air, double wind) {
	if (ll_isnan(wind)) return wind;
	if (!(air <= 10 && wind > 4.8)) return air;
	double v = ll_pow(wind, 0.16);
	return 13.12 + 0.6215 * air - 11.37 * v + 0.3965 * air * v;
}

/* The product of three shares: 1 for 15 to 25 degrees and down to 0 at -10 and
 * 40; one half at a rain of 2.5 mm/h, where moderate begins; one half at a wind
 * of 39 km/h, force 6. The shape is a choice, not a law. */
static double comfort(double felt, double rain, double wind) {
	double warm = ll_clamp(ll_min((felt + 10) / 25, (40 - felt) / 15), 0, 1);
	double gusts = wind / 39;
	return warm * (1 / (1 + rain / 2.5)) * (1 / (1 + gusts * gusts));
}

static const char *ll_row(const ll_in *x, ll_out *y) {
	double air = within(x->temp_2m, -100, 70);
	double rain = within(x->precipitation, 0, 1000);
	double wind = within(x->wind_speed_10m, 0, 600);
	y->felt_temperature = felt(air, wind);
	y->rain_class = CLASS(rain, rain_limits);
	y->wind_class = CLASS(wind, wind_limits);
	y->comfort = comfort(y->felt_temperature, rain, wind);
	y->felt_change = y->comfort * within(x->typical_change, -1, 1);
	return LL_OK;
}
