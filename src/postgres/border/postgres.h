#pragma once

/// Postgres' headers as C++ may include them. libintl and the port layer define macros over names of the C++ library
/// (snprintf, gettext): they are undone here, so that headers may come in any order.

#include <string>

extern "C" {
#include <postgres.h>

#include <fmgr.h>
#include <miscadmin.h>
}

#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef printf
#undef fprintf
#undef vfprintf
#undef strerror
#undef gettext
#undef dgettext
#undef ngettext
#undef dngettext

// Two encodings, two types, in all that sees Postgres.
#include "postgres/border/server_text.h"
