#pragma once

/// INJECTION_POINT("place"): a test can make this place fail, by the setting reverse_etl.inject_error. Only what is
/// built with make INJECTION_POINTS=yes has the setting and the places; anywhere else they are nothing.
#ifdef REVERSE_ETL_INJECTION_POINTS

namespace reverse_etl {

void define_inject_error();
void injection_point(const char *place);

} // namespace reverse_etl

#define INJECTION_POINT(place) injection_point(place)

#else

#define INJECTION_POINT(place)

#endif
