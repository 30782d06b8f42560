#include "postgres/sources/source_result.h"

#include "postgres/border/border.h"
#include "postgres/destinations/identity.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "miscadmin.h"
#include "storage/proc.h"
}

namespace reverse_etl {

namespace {

/// So many rows are read between two looks at the pages that are on their way.
constexpr std::uint64_t rows_between_looks = 256;

Policy policy_for(const Destination &destination, Oid user, PreviewedDestination *preview) {
    Policy policy = destination.policy;
    policy.rehearsal = preview;
    policy.account = destination.account(user);
    return policy;
}

/// The session ends it, too; where nobody can tell the source, it ends it by itself.
std::chrono::seconds longest_of(const Destination &destination) {
    const std::chrono::seconds longest = destination.source.longest;
    return StatementTimeout > 0
               ? std::min(longest, std::chrono::ceil<std::chrono::seconds>(Milliseconds(StatementTimeout)))
               : longest;
}

} // namespace

SourceCaller::SourceCaller(const Destination &destination, Oid user)
    : name_(destination.name), schema_(destination.source.schema), longest_(longest_of(destination)),
      source_(destination.source.statement), preview_(PreviewedDestination::of(destination.name, OperationKind::list)),
      policy_(policy_for(destination, user, preview_.get())), line_(source_line(policy_)),
      authenticator_(destination.authenticator(user)), server_(preview_ == nullptr ? destination.server : InvalidOid),
      table_(destination.relation), user_(user), statistics_(destination.relation) {
    if (preview_ == nullptr)
        identity::refuse_copy();
}

SourceResult::SourceResult(SourceCaller &caller, SqlText sql, std::size_t columns)
    : caller_(caller), sql_(std::move(sql)), columns_(columns) {
    statement_.emplace(*caller.source_, *caller.authenticator_, caller.line_, sql_,
                       StatementSettings{caller.schema_, StatementTag::of(caller.name_), caller.longest_},
                       caller.server_, caller.table_, caller.user_);
    statement_->run().report_to(caller.statistics_);
}

bool SourceResult::next() {
    while (row_ == page_.rows()) {
        row_ = 0;
        page_.clear(0);
        if (is_over_ || !next_page()) {
            is_over_ = true;
            return false;
        }
    }
    if (++read_ % rows_between_looks == 0)
        in_words([&] { statement_->run().go_on(); });
    row_++;
    return true;
}

bool SourceResult::next_page() {
    bool is_there = false;
    in_words([&] {
        is_there = statement_->next_page(page_);
        const std::size_t found = statement_->run().columns().size();
        if (is_there && found != columns_)
            throw DestinationError(Fault::unintelligible, "the result has " + std::to_string(found) +
                                                              " columns, and was asked for " +
                                                              std::to_string(columns_));
    });
    return is_there;
}

template <class How>
void SourceResult::in_words(How &&how) {
    try {
        how();
    } catch (const DestinationError &error) {
        throw source_error(error, "could not read \"" + caller_.name_ + "\"", sql_.text);
    }
}

void SourceResult::close() {
    statement_.reset();
    is_over_ = true;
}

} // namespace reverse_etl
