#pragma once

#include "postgres/border/border.h"

#include <stdexcept>

namespace reverse_etl {

/// Reads a pack; one that is damaged is an error of this database.
template <class Read>
void read_pack(Read &&read) {
    try {
        read();
    } catch (const PostgresError &) {
        throw;
    } catch (const Error &) {
        throw;
    } catch (const std::runtime_error &damage) {
        throw Error(ERRCODE_DATA_CORRUPTED, damage.what());
    }
}

} // namespace reverse_etl
