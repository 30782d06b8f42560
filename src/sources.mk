# Every C++ source, listed once: the Makefile includes this file and CMake reads it.
ENGINE_SOURCES = \

POSTGRES_SOURCES = \

