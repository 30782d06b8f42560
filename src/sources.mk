# Every C++ source, listed once: the Makefile includes this file and CMake reads it.
ENGINE_SOURCES = \
    src/engine/exchange.cpp \
    src/engine/transport.cpp \

POSTGRES_SOURCES = \

