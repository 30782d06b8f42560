# Every C++ source, listed once: the Makefile includes this file and CMake reads it.
ENGINE_SOURCES = \
    src/engine/backoff.cpp \
    src/engine/exchange.cpp \
    src/engine/json_text.cpp \
    src/engine/rate_limiter.cpp \
    src/engine/transport.cpp \
    src/engine/value_encoding.cpp \

POSTGRES_SOURCES = \

