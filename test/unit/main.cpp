// The program around each file of tests.
#define BOOST_TEST_MODULE reverse_etl
#include <boost/test/unit_test.hpp>
