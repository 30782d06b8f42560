#pragma once

#include "engine/text/errors.h"
#include "postgres/border/border.h"
#include "postgres/border/lock_patience.h"
#include "postgres/border/sql.h"

#include <optional>

namespace reverse_etl {

/// Runs a step in a transaction of its own; why it failed is answered, for the step after it.
template <class Step>
std::optional<Error> attempt(Step &&step) {
    std::optional<Error> failure;
    lock_patience::allot();
    try {
        sql::in_transaction(step);
    } catch (const Error &error) {
        failure.emplace(error);
        if (error.sqlstate == ERRCODE_LOCK_NOT_AVAILABLE)
            lock_patience::ran_out();
    } catch (const SettingError &error) {
        failure.emplace(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE, error.what());
    }
    return failure;
}

/// Whether the same may well succeed later: others hold a lock, transactions were in each other's way, something was
/// cancelled or has run out.
inline bool may_pass(const Error &error) {
    switch (ERRCODE_TO_CATEGORY(error.sqlstate)) {
    case ERRCODE_TRANSACTION_ROLLBACK:
    case ERRCODE_INSUFFICIENT_RESOURCES:
    case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
    case ERRCODE_OPERATOR_INTERVENTION:
        return true;
    default:
        return false;
    }
}

} // namespace reverse_etl
