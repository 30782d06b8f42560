#pragma once

#include <string>

namespace reverse_etl {

/// The modes of a sync: which differences between the model and what the destination has accepted are sent.
enum class Mode { insert, update, upsert, mirror, full, append };

/// An Error if there is no such mode.
Mode mode_named(const std::string &name);

/// Keys that are new to the state are sent.
bool sends_new(Mode mode);
/// Keys that the state knows are sent when their rows have changed. Otherwise rows are only ever created, and the key
/// just tells them apart: the destination need not have its columns.
bool sends_changed(Mode mode);
/// Rows are sent whether they have changed or not.
bool sends_unchanged(Mode mode);
/// Keys that have left the model may be removed.
bool removes(Mode mode);
/// Keys that have left the model are forgotten: one that comes back is new.
bool forgets_gone(Mode mode);
/// What is new can be told by a column that only grows.
bool takes_cursor(Mode mode);

} // namespace reverse_etl
