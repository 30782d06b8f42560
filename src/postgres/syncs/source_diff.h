#pragma once

#include "postgres/syncs/diff.h"

namespace reverse_etl {

/// Finds the difference by asking the source of the model for it: sums of buckets, keys of those that differ, and the
/// rows that are to be sent. As the sync's owner, under one snapshot. The three may belong to different moments of the
/// source: what counts is the row that was fetched, and what was missed is found by the next run.
void find_at_source(SyncDiff &diff, const SyncDefinition &sync);

/// Why the source cannot be asked for it, though nothing of the sync is there but its query, key and columns; "" if it
/// can. As the sync's owner, in the open connection to SPI.
std::string obstacle_at_source(const SyncDefinition &sync);

/// All rows of the model with the hashes that the source gives them, to be shown as "#source".
ResultRows all_rows_of_source(const SyncDefinition &sync);

} // namespace reverse_etl
