#include "postgres/syncs/source_diff.h"

#include "postgres/border/border.h"
#include "postgres/syncs/source_model.h"
#include "postgres/syncs/source_statements.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace reverse_etl {

namespace {

/// Rows of a bucket, where there are many: with fewer the sums of all buckets would be more than a hundredth of the
/// rows, with more a few changed rows would have the keys of too many others looked at.
constexpr std::uint64_t rows_of_bucket = 64;
constexpr std::uint64_t most_buckets = 1'000'000;
/// Statements into which one question is cut, where its numbers do not fit into one.
constexpr std::size_t most_statements = 8;
/// Numbers that are held in memory at once; with more of them all rows are asked for.
constexpr std::int64_t most_numbers = 1'000'000;
/// Of so many rows one is fetched that nobody asked for, since the numbers of keys are cut short.
constexpr std::uint64_t rows_per_stray = 16;

std::uint64_t buckets_for(std::int64_t rows) {
    const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(rows)));
    return std::clamp<std::uint64_t>(std::max(root, static_cast<std::uint64_t>(rows) / rows_of_bucket), 1,
                                     most_buckets);
}

std::int64_t number_in(TupleTableSlot *slot, int column) {
    bool is_null = false;
    const Datum value = pg_call([&] { return slot_getattr(slot, column, &is_null); });
    return is_null ? 0 : DatumGetInt64(value);
}

bool is_set(TupleTableSlot *slot, int column) {
    bool is_null = false;
    const Datum value = pg_call([&] { return slot_getattr(slot, column, &is_null); });
    return !is_null && DatumGetBool(value);
}

std::vector<std::string> columns_of(const SyncDefinition &sync) {
    std::vector<std::string> columns = sync.columns;
    for (const std::string &name : sync.key)
        if (std::find(columns.begin(), columns.end(), name) == columns.end())
            columns.push_back(name);
    return columns;
}

/// Buckets there, compared with those of the state.
struct Compared {
    std::vector<std::uint64_t> differing; ///< in order
    std::int64_t rows = 0, same_rows = 0; ///< there: in all, and in buckets that are the same
};

class AtSource {
  public:
    AtSource(SyncDiff &diff, const SyncDefinition &sync, const SourceModel &model)
        : diff_(diff), sync_(sync), model_(model), buckets_(buckets_for(diff.known)), statements_(sync, buckets_) {}

    void find() {
        if (diff_.known == 0 || sends_unchanged(sync_.mode)) {
            source_ = model_.rows(1, {});
            diff_.model_rows = source_.count();
        } else {
            compare_buckets();
            find_keys();
            if (forgets_gone(sync_.mode) || sync_.removes())
                diff_.gone = ResultRows::of(statements_.gone());
            fetch();
        }
        take_rows();
    }

  private:
    void compare_buckets() {
        buckets_there_ = model_.buckets(buckets_, !sends_changed(sync_.mode));
        buckets_there_.show_as("#buckets");
        compared_rows_ = ResultRows::of(statements_.compared());
        compared_rows_.show_as("#compared");
        compared_rows_.for_each([&](TupleTableSlot *slot) {
            const std::int64_t rows = number_in(slot, 2);
            compared_.rows += rows;
            if (is_set(slot, 3))
                compared_.same_rows += rows;
            else
                compared_.differing.push_back(static_cast<std::uint64_t>(number_in(slot, 1)));
        });
        std::sort(compared_.differing.begin(), compared_.differing.end());
    }

    bool fits(std::uint64_t modulus, std::size_t numbers) const {
        return model_.statements(modulus, numbers) <= most_statements;
    }

    /// Keys and hashes of the buckets that differ.
    void find_keys() {
        const bool are_there = compared_.rows > compared_.same_rows;
        if (!are_there) {
            there_ = model_.no_keys();
        } else if (fits(buckets_, compared_.differing.size())) {
            there_ = model_.keys(buckets_, compared_.differing);
        } else {
            const ResultRows all = model_.keys(1, {});
            const ShownRows shown(all, "#all");
            there_ = ResultRows::of(statements_.keys_of_differing());
        }
        there_.show_as("#there");
        judged_ = ResultRows::of(statements_.judged());
        judged_.for_each([&](TupleTableSlot *slot) {
            if (!is_set(slot, 2) && is_differing(static_cast<std::uint64_t>(number_in(slot, 1))))
                unchanged_++;
        });
        judged_.show_as("#judged");
        wanted_ = ResultRows::of(statements_.wanted());
        wanted_.show_as("#wanted");
    }

    bool is_differing(std::uint64_t place) const {
        return std::binary_search(compared_.differing.begin(), compared_.differing.end(), place % buckets_);
    }

    /// The rows that are wanted: by their keys, or by their buckets, or all.
    void fetch() {
        if (wanted_.is_empty()) {
            diff_.model_rows = compared_.same_rows + unchanged_;
            return;
        }
        fetched_ = fetch_by_numbers();
        fetched_.show_as("#fetched");
        source_ = ResultRows::of(statements_.fetched_and_wanted());
        const int place = source_.descriptor()->natts - 1;
        std::int64_t of_differing = 0;
        source_.for_each([&](TupleTableSlot *slot) {
            of_differing += is_differing(static_cast<std::uint64_t>(number_in(slot, place))) ? 1 : 0;
        });
        diff_.model_rows = compared_.same_rows + unchanged_ + of_differing;
    }

    ResultRows fetch_by_numbers() {
        if (wanted_.count() > most_numbers)
            return model_.rows(1, {});
        const std::uint64_t of_keys =
            static_cast<std::uint64_t>(std::max<std::int64_t>(compared_.rows, 64)) * rows_per_stray;
        std::vector<std::uint64_t> keys, buckets;
        wanted_.for_each([&](TupleTableSlot *slot) {
            const auto place = static_cast<std::uint64_t>(number_in(slot, 1));
            keys.push_back(place % of_keys);
            buckets.push_back(place % buckets_);
        });
        for (std::vector<std::uint64_t> *numbers : {&keys, &buckets}) {
            std::sort(numbers->begin(), numbers->end());
            numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
        }
        if (fits(of_keys, keys.size()))
            return model_.rows(of_keys, keys);
        return fits(buckets_, buckets.size()) ? model_.rows(buckets_, buckets) : model_.rows(1, {});
    }

    void take_rows() {
        if (source_.is_empty())
            return;
        source_.show_as("#source");
        SyncStatements statements(sync_);
        statements.take_shown_model();
        diff_.changes = ResultRows::of(statements_.changes());
        diff_.leave_out_pending(statements);
        diff_.set_duplicates_apart(statements);
        // Rows that have come since their bucket was counted.
        diff_.model_rows = std::max(diff_.model_rows, diff_.changes.count() + diff_.duplicates.count());
    }

    SyncDiff &diff_;
    const SyncDefinition &sync_;
    const SourceModel &model_;
    const std::uint64_t buckets_;
    const SourceStatements statements_;
    Compared compared_;
    std::int64_t unchanged_ = 0; ///< rows of buckets that differ, of which nothing is to be sent
    ResultRows buckets_there_, compared_rows_, there_, judged_, wanted_, fetched_, source_;
};

} // namespace

void find_at_source(SyncDiff &diff, const SyncDefinition &sync) {
    SourceModel model(sync.query, sync.key, columns_of(sync));
    if (!model.obstacle().empty())
        throw not_at_source(model.obstacle());
    AtSource(diff, sync, model).find();
    model.close();
}

std::string obstacle_at_source(const SyncDefinition &sync) {
    OneSnapshot now;
    SourceModel model(sync.query, sync.key, columns_of(sync));
    model.close();
    return model.obstacle();
}

ResultRows all_rows_of_source(const SyncDefinition &sync) {
    SourceModel model(sync.query, sync.key, columns_of(sync));
    if (!model.obstacle().empty())
        throw not_at_source(model.obstacle());
    ResultRows rows = model.rows(1, {});
    model.close();
    return rows;
}

} // namespace reverse_etl
