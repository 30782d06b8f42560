#pragma once

#include "engine/manifest/connector.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A column whose values a statement hands over, in the order of a row's values.
struct StatementColumn {
    std::string field;
    bool written = true;  ///< stands where the body says "$columns"; else it only names the row
    KeyForm compare = {}; ///< how the destination compares its values
};

/// A value that is derived from one of a statement's columns.
struct DerivedColumn {
    int source = -1;
    const TextSteps *steps = nullptr;
};

/// The values of a row that an operation speaks of by name, in its URL or its body, and its ids.
class RowReferences {
  public:
    /// `key` is the position of the column that names the row, -1 for none.
    RowReferences(std::vector<StatementColumn> columns, int key) : columns_(std::move(columns)), key_(key) {}

    const std::vector<StatementColumn> &columns() const { return columns_; }
    int key() const { return key_; }
    /// Values derived from those of the columns, numbered on from them.
    const std::vector<DerivedColumn> &derived() const { return derived_; }
    /// The field of a column, or the name of a derived value.
    const std::string &field_of(int column) const;
    /// The column that a placeholder names, by which the destination may be told of which row a request speaks. Throws
    /// SettingError if the statement has none.
    int use(const Object &object, const OperationSpec &spec, const std::string &placeholder);
    /// Keeps the column's text with each row, and answers its position among those that are kept.
    std::size_t keep(int column);
    const std::vector<int> &kept() const { return kept_; }

    /// {key} or {keys} stands somewhere.
    bool key_names_row() const { return key_names_row_; }
    /// The kept texts by which an operation says which row it is about.
    const std::vector<std::size_t> &naming() const { return naming_; }
    void add_naming(std::size_t kept) { naming_.push_back(kept); }

    /// Keeps the texts that rows of a request must have in common: before any other, so that they are the first.
    void group(const Object &object, const OperationSpec &spec);
    /// Their positions among those that are kept; empty: any rows may share a request.
    const std::vector<std::size_t> &grouping() const { return grouping_; }
    /// Whether a kept text is one of them, or derived from one.
    bool is_of_group(std::size_t kept) const;
    /// What stands for a placeholder beside the rows until the request is sent; "" where it names nothing of the kind.
    std::string group_mark_of(const OperationSpec &spec, const std::string &placeholder);
    /// What rows have in common stands beside them.
    bool names_group() const { return names_group_; }

    /// What stands for a placeholder that is an id until the request is sent; "" for any other placeholder.
    std::string_view mark_of(const std::string &placeholder);
    /// {request.id} or {entry.id} stands somewhere.
    bool names_ids() const { return names_ids_; }
    bool names_request() const { return names_request_; }

  private:
    int column_of(const Object &object, const OperationSpec &spec, const std::string &placeholder);
    int statement_column(const Object &object, const OperationSpec &spec, const std::string &field) const;

    std::vector<StatementColumn> columns_;
    std::vector<DerivedColumn> derived_;
    std::vector<std::string> derived_names_;
    int key_;
    std::vector<int> kept_;
    std::vector<std::size_t> naming_, grouping_;
    bool key_names_row_ = false, names_ids_ = false, names_request_ = false, names_group_ = false;
};

/// An option that an operation needs and that has no value.
SettingError lacks_option(const Object &object, const OperationSpec &spec, const std::string &name);

} // namespace reverse_etl
