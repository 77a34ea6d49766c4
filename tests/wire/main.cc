// The runner of the wire tests: whole servers, real sockets. VEDETTE_SERVER names the binary.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
