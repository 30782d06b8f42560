#pragma once

#include "postgres/destinations/preview.h"
#include "postgres/shared/statistics.h"
#include "postgres/sources/cell_reader.h"
#include "postgres/sources/kept_rows.h"
#include "postgres/sources/source_line.h"
#include "postgres/sources/source_plan.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// The rows that a statement at a source gives, from its submission on. Where they are kept, several scans of one query
/// may read them, each from the first on: they own it in common.
class SourceRows {
  public:
    /// Nothing is sent before the first row is asked for. `descriptor`: of the scan's row. `keeps`: rows are kept.
    SourceRows(const Destination &destination, const SourcePlan &plan, Oid user, SqlText sql, TupleDesc descriptor,
               MemoryContext context, bool keeps);
    SourceRows(const SourceRows &) = delete;
    SourceRows &operator=(const SourceRows &) = delete;

    using Reader = KeptRows::Reader;

    /// The reader's next row into the slot's arrays; false behind the last.
    bool next(Reader &reader, TupleTableSlot *slot);
    bool are_kept() const { return kept_ != nullptr; }
    const SqlText &sql() const { return sql_; }
    /// No more of them is wanted. Not where the transaction is rolled back: then what there is goes with its memory,
    /// and the statement ends as this does.
    void close();

  private:
    bool read(TupleTableSlot *slot);
    bool next_page();
    template <class How>
    void in_words(How &&how);

    const std::string name_;
    const std::shared_ptr<const ConnectorStatement> source_;
    const std::unique_ptr<PreviewedDestination> preview_; ///< if what would be sent is only to be shown
    const Policy policy_;
    const AccountLine line_;
    const std::shared_ptr<Authenticator> authenticator_;
    const SqlText sql_;
    const int attributes_;      ///< of the scan's row
    const std::size_t columns_; ///< of the result
    Statistics statistics_;
    CellReader cells_;
    std::unique_ptr<KeptRows> kept_;
    std::unique_ptr<RecordedStatement> statement_;
    ResultPage page_;
    std::size_t row_ = 0;
    std::uint64_t read_ = 0;
    bool is_over_ = false;
};

} // namespace reverse_etl
