#pragma once

#include "postgres/border/border.h"

/// SQL_FUNCTION(name) { ... } defines a function that CREATE FUNCTION names; its arguments are in `fcinfo`. Everything
/// else in the library is hidden, and before 16 Postgres' own macros do not say that these are not.
#define SQL_FUNCTION(name)                                                                                             \
    extern "C" {                                                                                                       \
    _Pragma("GCC visibility push(default)") PG_FUNCTION_INFO_V1(name);                                                 \
    _Pragma("GCC visibility pop")                                                                                      \
    }                                                                                                                  \
    Datum name([[maybe_unused]] PG_FUNCTION_ARGS)
