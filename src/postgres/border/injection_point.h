#pragma once

/// INJECTION_POINT("place"): a test can make this place fail, by the setting reverse_etl.inject_error.
/// ROWS_OF_BURST(most): `most`, or fewer rows that a test asks for by reverse_etl.inject_burst_rows. Only what is built
/// with make INJECTION_POINTS=yes has the settings and the places; anywhere else they are nothing.
#ifdef REVERSE_ETL_INJECTION_POINTS

#include <cstddef>

namespace reverse_etl {

void define_inject_error();
void injection_point(const char *place);
std::size_t injected_burst_rows(std::size_t most);

} // namespace reverse_etl

#define INJECTION_POINT(place) injection_point(place)
#define ROWS_OF_BURST(most) injected_burst_rows(most)

#else

#define INJECTION_POINT(place)
#define ROWS_OF_BURST(most) (most)

#endif
